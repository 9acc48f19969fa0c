"""`tunnelgate check`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tunnelgate.cli import HELP, inputs
from tunnelgate.cli.exits import Exit
from tunnelgate.cli.flags import Flags, on_policies
from tunnelgate.cli.jobs import Job
from tunnelgate.cli.merging import merge
from tunnelgate.cli.remembered import Remembered
from tunnelgate.cli.run import Run
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.source import SourceFile


@click.command("check", context_settings=HELP)
@click.option("--fix", "fixes", is_flag=True, help="Apply fixes that only say it better.")
@click.option(
    "--unsafe-fixes",
    "unsafe",
    is_flag=True,
    help="With --fix: those that change what is meant, too.",
)
@click.option("--diff", is_flag=True, help="With --fix: write nothing, show what would change.")
@click.option(
    "writes_baseline",
    "--write-baseline",
    is_flag=True,
    help="Write the warnings and advice found into the baseline, and show none.",
)
@on_policies
def command(flags: Flags, fixes: bool, unsafe: bool, diff: bool, writes_baseline: bool) -> Exit:
    """Read policies and say what cannot work.

    PATH is a policy, a folder of policies, or - for standard input; the configuration's paths or
    the current folder by default. With a target, what that target cannot do is a finding too.
    Policies are checked with the defaults of their parameters, and with each file of variables.
    """
    if unsafe or diff or fixes:
        return _fix(flags, fixes, unsafe, diff)
    run = Run.begin(flags, writes_baseline=writes_baseline)
    marks = Remembered()
    findings = _check_each(run.policies, run, marks)
    if writes_baseline:
        return run.write_baseline(findings)
    code = run.report(findings)
    if not findings and not run.unreadable:
        count = len(run.policies)
        run.console.say(f"{count} {'policy' if count == 1 else 'policies'}: {run.nothing}")
    return code


def _fix(flags: Flags, fixes: bool, unsafe: bool, diff: bool) -> Exit:
    """Apply fixes, and report what is left."""
    from tunnelgate.cli.fixing import demand_fix, fix_policies

    demand_fix(fixes, unsafe_fixes=unsafe, diff=diff)
    flags.console.ruleset_on_stdout = diff or inputs.DASH in flags.paths
    run = Run.begin(flags)
    marks = Remembered()
    left, is_changed = fix_policies(
        run.console,
        run.policies,
        lambda policy: _check_each([policy], run, marks),
        unsafe=unsafe,
        writes=not diff,
    )
    code = run.report(left)
    return code or (Exit.FINDINGS if diff and is_changed else Exit.CLEAN)


def _check_each(policies: Sequence[SourceFile], run: Run, marks: Remembered) -> list[Diagnostic]:
    """The findings of policies, with each set of values that they are to be checked with."""
    jobs = run.jobs(policies, with_defaults=True)
    return merge((job, _check(job, run, marks)) for job in jobs)


def _check(job: Job, run: Run, marks: Remembered) -> list[Diagnostic]:
    """The findings of one policy that are shown.

    What targets refuse is not remembered: they may be anybody's. Nor is a policy with a finding
    that a comment silences: the day may come on which it does so no longer.
    """
    policy, variables = job
    may_remember = not run.targets and not run.sieve.has_baseline
    if may_remember and marks.is_clean(policy, variables):
        return []
    from tunnelgate import api

    review = api.review(
        policy,
        run.targets,
        vars=variables,
        layout=run.layout,
        versions=run.config.versions,
        trust=run.trust,
    )
    if may_remember and not review.findings and not review.silenced:
        marks.remember(policy, variables)
    return run.sieve.review(job.name, review)
