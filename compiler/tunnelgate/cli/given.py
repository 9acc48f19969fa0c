"""Policies that a question is about: files or files of revisions, each with the values given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunnelgate import api
from tunnelgate.api import PolicyError
from tunnelgate.cli import inputs
from tunnelgate.cli.console import Console
from tunnelgate.cli.exits import Exit
from tunnelgate.cli.jobs import Job, demand_parameters, jobs, parameters
from tunnelgate.cli.revisions import read
from tunnelgate.config import Config
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.reading import UNREADABLE
from tunnelgate.policy import Policy
from tunnelgate.records import replace
from tunnelgate.source import SourceFile
from tunnelgate.variables import NONE, Variables, from_settings, read_variables


def versions(
    names: Sequence[str], settings: Sequence[str], variables: str | None, config: Config
) -> Iterator[tuple[str, tuple[Policy, ...]]]:
    """The policies of some names, all with the same values, and what these are called.

    Where no values are given, those of the configuration are, as `check` takes them: the defaults
    if there is one for each parameter, and each file of variables.

    Args:
        names: paths, or `REV:path`.
        settings: `NAME=VALUE`, which come before those of the file.
        variables: a file of variables.
        config: where files of variables are named besides.

    Raises:
        Problem: one cannot be read, or values are given and none has parameters.
        PolicyError: one has errors, or the values have; with the findings of all.
    """
    sources = [read(name) for name in names]
    params = [defaulted for one in sources for defaulted in parameters(one).values()]
    files = []
    if settings or variables is not None:
        demand_parameters(sources)
        files = [] if variables is None else [read_variables(Path(variables))]
    elif params:
        files = inputs.variables(config.vars, config.vars_dir)
        if files and all(params):
            yield "", _policies(sources, [], NONE)
    for sets in [[one] for one in files] or [[]]:
        name = sets[0].name if sets else ""
        yield name, _policies(sources, sets, from_settings(settings))


def _policies(
    sources: Sequence[SourceFile], files: Sequence[Variables], settings: Variables
) -> tuple[Policy, ...]:
    """A value is left out of a policy that has no such parameter where another of them has it."""
    asked = jobs(sources, files, settings, with_defaults=False)
    known = set[str]().union(*(parameters(one) for one in sources))
    found: list[Policy] = []
    errors: list[Diagnostic] = []
    for job in asked:
        try:
            found.append(api.load(job.policy, vars=_own(job, known).variables))
        except PolicyError as error:
            errors += error.diagnostics
    if errors:
        raise PolicyError({one.sort_key: one for one in errors}.values())
    return tuple(found)


def refused(error: PolicyError, console: Console) -> Exit:
    """Show what is wrong, and say how the run ends."""
    console.findings(error.diagnostics, ["full"])
    is_unread = any(one.rule.code == UNREADABLE.code for one in error.diagnostics)
    return Exit.USAGE if is_unread else Exit.FINDINGS


def _own(job: Job, known: set[str]) -> Job:
    """The job without the values of parameters that other policies have."""
    others = known - set(parameters(job.policy))
    values = {name: one for name, one in job.variables.values.items() if name not in others}
    return job._replace(variables=replace(job.variables, values=values))
