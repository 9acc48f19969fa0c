"""`tunnelgate protocols`."""

from __future__ import annotations

import click

from tunnelgate.cli import HELP
from tunnelgate.cli.completing import complete_protocols
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Problem
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.policy.protocol_page import listing, text
from tunnelgate.policy.table import BY_NAME, TABLE


@click.command("protocols", context_settings=HELP)
@click.argument("name", required=False, shell_complete=complete_protocols)
@click.pass_obj
def command(console: Console, name: str | None) -> None:
    """Explain a built-in protocol, or list all of them: ports, NAT behaviour, encryption."""
    if name is None:
        console.result(listing(TABLE))
        return
    row = BY_NAME.get(name)
    if row is None:
        close = nearest(name, BY_NAME)
        help = f"did you mean `{close}`?" if close else "`tunnelgate protocols` lists them"
        raise Problem(f"unknown protocol `{name}`", help)
    console.result(text(row))
