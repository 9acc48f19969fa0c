"""`tunnelgate check`."""

from __future__ import annotations

import click

from tunnelgate.cli import HELP
from tunnelgate.cli.exits import Exit
from tunnelgate.cli.flags import Flags, on_policies
from tunnelgate.cli.remembered import Remembered
from tunnelgate.cli.run import Run
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.source import SourceFile


@click.command("check", context_settings=HELP)
@on_policies
def command(flags: Flags) -> Exit:
    """Read policies and say what cannot work.

    PATH is a policy, a folder of policies, or - for standard input; the configuration's paths or
    the current folder by default. With a target, what that target cannot do is a finding too.
    """
    run = Run.begin(flags)
    marks = Remembered()
    findings = [one for policy in run.policies for one in _check(policy, run, marks)]
    code = run.report(findings)
    if not findings and not run.unreadable:
        count = len(run.policies)
        run.console.say(f"{count} {'policy' if count == 1 else 'policies'}: no findings")
    return code


def _check(policy: SourceFile, run: Run, marks: Remembered) -> list[Diagnostic]:
    """The findings of one policy. What targets refuse is not remembered: they may be anybody's."""
    if not run.targets and marks.is_clean(policy):
        return []
    from tunnelgate import api

    findings = api.check(policy, run.targets, layout=run.layout, versions=run.config.versions)
    if not run.targets and not findings:
        marks.remember(policy)
    return findings
