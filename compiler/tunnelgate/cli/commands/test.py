"""`tunnelgate test`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import click

from tunnelgate import api
from tunnelgate.api import PolicyError
from tunnelgate.cli import HELP, given
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit
from tunnelgate.cli.flags import Flags, with_each_values
from tunnelgate.cli.jobs import Job
from tunnelgate.cli.run import Run
from tunnelgate.cli.tested.results import Result
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.meaning.expect import Expectations

FORMATS = ("text", "json")


@click.command("test", context_settings=HELP)
@with_each_values
@click.option("--format", type=click.Choice(FORMATS), default="text", help="text by default.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say more.")
@click.pass_obj
def command(
    console: Console,
    paths: tuple[str, ...],
    settings: tuple[str, ...],
    variables: tuple[str, ...],
    variables_folder: str | None,
    format: str,
    quiet: bool,
    verbose: bool,
) -> Exit:
    """Say which expectations of policies hold, a line each.

    PATH is a policy, a folder of policies, or - for standard input; the configuration's paths or
    the current folder by default. Of one that does not hold, a packet is shown, and who decides.
    The status is 1 where one does not hold, or a policy has errors that keep it from being read.
    """
    console.quiet, console.verbose = quiet, verbose
    console.ruleset_on_stdout = format == "json"
    flags = Flags(
        console,
        paths,
        settings=settings,
        variables=variables,
        variables_folder=variables_folder,
    )
    run = Run.begin(flags)
    errors = list(run.unreadable)
    results = [
        result
        for job in run.jobs(run.policies, with_defaults=True)
        for result in _results(job, errors)
    ]
    console.result(import_module(f"tunnelgate.cli.tested.{format}").render(results))
    failed = sum(result.failure is not None for result in results)
    if errors:
        return given.refused(PolicyError(errors), console)
    console.say(_summary(len(results), failed))
    return Exit.FINDINGS if failed else Exit.CLEAN


def _results(job: Job, errors: list[Diagnostic]) -> Iterator[Result]:
    """The expectations of a policy; what keeps it from being read is added to the errors."""
    try:
        policy = api.load(job.policy, vars=job.variables)
    except PolicyError as error:
        errors += error.diagnostics
        return
    expectations = Expectations(policy)
    for expect in policy.expects:
        yield Result(policy.name, expect, expectations.unmet(expect))


def _summary(count: int, failed: int) -> str:
    if not count:
        return "no expectations"
    if failed:
        return f"{failed} of {count} do not hold"
    return "1 expectation holds" if count == 1 else f"all {count} expectations hold"
