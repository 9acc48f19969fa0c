"""`tunnelgate targets`."""

from __future__ import annotations

import click

from tunnelgate import target
from tunnelgate.cli import HELP
from tunnelgate.cli.console import Console


@click.command("targets", context_settings=HELP)
@click.pass_obj
def command(console: Console) -> None:
    """List the targets, those of other distributions included."""
    for name in target.names():
        console.result(f"{name:<12}  {target.find(name).title}\n")
