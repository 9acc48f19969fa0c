"""`tunnelgate rule`."""

from __future__ import annotations

import click

from tunnelgate.cli import HELP
from tunnelgate.cli.completing import complete_rules
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Problem
from tunnelgate.diagnostics import catalogue
from tunnelgate.diagnostics.render import page


@click.command("rule", context_settings=HELP)
@click.argument("word", metavar="[CODE]", required=False, shell_complete=complete_rules)
@click.pass_obj
def command(console: Console, word: str | None) -> None:
    """Explain a rule by its code (TG201) or name, or list all of them."""
    if word is None:
        for one in catalogue.rules().values():
            console.result(f"{one.code}  {one.severity.value:<7}  {one.name}: {one.summary}\n")
        return
    rule = catalogue.find(word)
    if rule is None:
        close = catalogue.nearest(word)
        help = f"did you mean `{close}`?" if close else "`tunnelgate rule` lists them"
        raise Problem(f"unknown rule `{word}`", help)
    console.result(page.text(rule))
