"""`tunnelgate fmt`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from tunnelgate.cli import HELP, inputs
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit
from tunnelgate.cli.flags import Flags
from tunnelgate.cli.rewrite import rewrite
from tunnelgate.cli.run import Run
from tunnelgate.cli.unified import unified
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.source import SourceFile
from tunnelgate.syntax.formatting import format_policy


@click.command("fmt", context_settings=HELP)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@click.option("--check", "checks", is_flag=True, help="Write nothing; fail if a policy would.")
@click.option("--diff", "shows_diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.pass_obj
def command(
    console: Console,
    paths: tuple[str, ...],
    checks: bool,
    shows_diff: bool,
    color: str,
    quiet: bool,
    verbose: bool,
) -> Exit:
    """Write policies in canonical form: columns aligned, comments kept.

    PATH is a policy, a folder of policies, or - for standard input, whose policy goes to standard
    output; the configuration's paths or the current folder by default. A policy with mistakes is
    not touched, and they are shown.
    """
    console.color, console.quiet, console.verbose = color, quiet, verbose
    console.ruleset_on_stdout = inputs.DASH in paths
    run = Run.begin(Flags(console, paths), with_parts=True)
    texts, mistakes = _format(run.policies)
    changed = [policy for policy in run.policies if texts.get(policy, policy.text) != policy.text]
    if checks or shows_diff:
        _tell(console, changed, texts, shows_diff)
    else:
        _write(console, changed, texts)
    code = run.report(mistakes)
    return code or (Exit.FINDINGS if changed and (checks or shows_diff) else Exit.CLEAN)


def _format(
    policies: Iterable[SourceFile],
) -> tuple[dict[SourceFile, str], list[Diagnostic]]:
    """The texts of those that have no mistakes, and the mistakes of the others."""
    texts: dict[SourceFile, str] = {}
    mistakes: list[Diagnostic] = []
    for policy in policies:
        formatted = format_policy(policy)
        mistakes += formatted.diagnostics
        if formatted.text is not None:
            texts[policy] = formatted.text
    return texts, mistakes


def _tell(
    console: Console, changed: list[SourceFile], texts: dict[SourceFile, str], shows_diff: bool
) -> None:
    """Say what would be written."""
    for policy in changed:
        if shows_diff:
            console.result(unified(policy.text, texts[policy], policy.path))
        else:
            console.result(f"would format {policy.path}\n")


def _write(console: Console, changed: list[SourceFile], texts: dict[SourceFile, str]) -> None:
    """Write what changed, and to standard output what came from standard input."""
    for policy, text in texts.items():
        if policy.path == inputs.STDIN:
            console.result(text)
    files = [policy for policy in changed if policy.path != inputs.STDIN]
    rewrite({policy.path: texts[policy] for policy in files})
    for policy in files:
        console.say(f"formatted {policy.path}")
