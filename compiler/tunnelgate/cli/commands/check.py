"""`tunnelgate check`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing

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
    if run.finds_nothing(findings):
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


#: Fewer policies are checked sooner than other processes are started.
_FEW = 8


def _check_each(policies: Sequence[SourceFile], run: Run, marks: Remembered) -> list[Diagnostic]:
    """The findings of policies, with each set of values that they are to be checked with."""
    jobs = run.jobs(policies, with_defaults=True)
    forgetful = bool(run.targets) or run.sieve.has_baseline
    is_clean = [not forgetful and marks.is_clean(*job) for job in jobs]
    unknown = [job for job, known in zip(jobs, is_clean, strict=True) if not known]
    reviews = _each(lambda job: _review(job, run, None if forgetful else marks), unknown)
    with closing(reviews):
        found = (
            (job, () if known else run.sieve.sift(job.name, *next(reviews)))
            for job, known in zip(jobs, is_clean, strict=True)
        )
        return merge(found)


#: The gateway's name, None where the policy could not be read whole; what is found, and silenced.
_Review = tuple[str | None, Sequence[Diagnostic], Sequence[Diagnostic]]


def _each(review: Callable[[Job], _Review], jobs: Sequence[Job]) -> Generator[_Review, None, None]:
    """The review of each policy; of many on all cores."""
    yield from map(review, jobs[:1])  # which loads all that a check needs
    if len(jobs) <= _FEW:
        yield from map(review, jobs[1:])
        return
    from tunnelgate.cli.pool import on_all_cores

    with on_all_cores(review, jobs[1:]) as results:
        yield from results


def _review(job: Job, run: Run, marks: Remembered | None) -> _Review:
    """What is to be said about a policy, which is marked if that is nothing at all.

    Without marks where targets are asked, since they may be anybody's. A policy with a finding that
    a comment silences gets none: the day may come on which it does so no longer.
    """
    from tunnelgate import api

    review = api.review(
        job.policy,
        run.targets,
        vars=job.variables,
        layout=run.layout,
        versions=run.config.versions,
        trust=run.trust,
    )
    if marks is not None and not review.findings and not review.silenced:
        marks.remember(*job)
    gateway = review.policy.name if review.policy is not None and review.is_whole else None
    return gateway, review.findings, review.silenced
