"""`tunnelgate diff`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from tunnelgate import api
from tunnelgate.api import PolicyError
from tunnelgate.cli import HELP, given
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit, Problem
from tunnelgate.cli.flags import with_values
from tunnelgate.cli.run import configured
from tunnelgate.flows.firstmatch import BudgetExceeded

FORMATS = ("text", "markdown", "json")


@click.command("diff", context_settings=HELP)
@click.argument("old")
@click.argument("new")
@with_values
@click.option("--format", type=click.Choice(FORMATS), default="text", help="text by default.")
@click.option("exit_code", "--exit-code", is_flag=True, help="Status 1 where anything differs.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.pass_obj
def command(
    console: Console,
    old: str,
    new: str,
    settings: tuple[str, ...],
    variables: str | None,
    format: str,
    exit_code: bool,
    quiet: bool,
    verbose: bool,
) -> Exit:
    """Say what a change of a policy means: which flows have another fate.

    OLD and NEW are files, or REV:PATH for a file of a git revision. All flows are compared, by
    zones of the same name: flows that are newly allowed, newly denied, or treated otherwise, who
    decides, and how connections end that a load would leave. Both have the values that are given,
    or those of the configuration.
    """
    console.quiet, console.verbose = quiet, verbose
    try:
        config = configured(console, Path(new if Path(new).exists() else "."))
        reports = [
            (values, api.diff(before, after))
            for values, (before, after) in given.versions((old, new), settings, variables, config)
        ]
    except PolicyError as error:
        return given.refused(error, console)
    except BudgetExceeded as error:
        raise Problem(
            "the two policies are too large to be compared", "compare them in parts"
        ) from error
    console.result(import_module(f"tunnelgate.cli.changes.{format}").render(reports))
    differs = any(not report.is_empty for _, report in reports)
    if not differs:
        console.say("both mean the same")
    return Exit.FINDINGS if exit_code and differs else Exit.CLEAN
