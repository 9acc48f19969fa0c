"""Rulesets of many gateways: compiled on all cores, in the order in which they were asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from tunnelgate import api
from tunnelgate.api import PolicyError
from tunnelgate.cli.jobs import Job
from tunnelgate.cli.pool import on_all_cores
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.records import record, replace
from tunnelgate.target import Layout, Requirements

if TYPE_CHECKING:
    from tunnelgate.silencing import Trust

#: Fewer are compiled sooner than other processes are started.
_FEW = 4

#: After so many seconds people want to see that something goes on.
_PATIENCE = 1.0


@record
class Asked:
    """What rulesets are to be made of each policy; see `api.compile_each`."""

    targets: tuple[str, ...]
    layout: Layout
    versions: Mapping[str, str]
    trust: Trust | None = None
    prove: bool = True


@record
class Ruleset:
    """A compiled policy for one target, as one process may hand it to another.

    Attributes:
        gateway: the name of its gateway.
        target: the name of the target.
        policy: how the policy is called.
        variables: how its set of values is called, "" without one.
        files: the text of each file to load on the gateway, by name.
        folder: the same, and the manifest.
        requirements: what loading them takes.
    """

    gateway: str
    target: str
    policy: str
    variables: str
    files: Mapping[str, str]
    folder: Mapping[str, str]
    requirements: Requirements

    @property
    def origin(self) -> str:
        """What it was made of, as people know it."""
        return f"`{self.policy}`" + (f" with `{self.variables}`" if self.variables else "")


@record
class Result:
    """The rulesets of one job, none where it has an error, and its findings."""

    job: Job
    rulesets: Sequence[Ruleset]
    findings: Sequence[Diagnostic]
    silenced: Sequence[Diagnostic] = ()


def compile_all(jobs: Sequence[Job], asked: Asked, *, shows_progress: bool) -> list[Result]:
    """The result of each job, in their order."""
    with ExitStack() as stack:
        results = _here(jobs, asked)
        if len(jobs) >= _FEW:
            made = stack.enter_context(on_all_cores(lambda job: _compile(job, asked), jobs))
            # the same object for the same file as it was here
            results = (replace(one, job=job) for job, one in zip(jobs, made, strict=True))
        if shows_progress:
            results = _with_progress(results, len(jobs), stack)
        return list(results)


def _here(jobs: Sequence[Job], asked: Asked) -> Iterator[Result]:
    return (_compile(job, asked) for job in jobs)


def _compile(job: Job, asked: Asked) -> Result:
    policy, variables = job
    try:
        made = api.compile_each(
            policy,
            asked.targets,
            vars=variables,
            layout=asked.layout,
            versions=asked.versions,
            trust=asked.trust,
            prove=asked.prove,
        )
    except PolicyError as error:
        return Result(job, (), error.diagnostics)
    rulesets = [
        Ruleset(
            one.policy.name,
            one.target.name,
            policy.path,
            variables.name,
            dict(one.files),
            dict(one.folder),
            one.requirements,
        )
        for one in made
    ]
    return Result(job, rulesets, made[0].diagnostics, made[0].silenced)


def _with_progress(results: Iterator[Result], count: int, stack: ExitStack) -> Iterator[Result]:
    """The results, with a bar on standard error once they take long; it goes with the stack."""
    began = time.monotonic()
    bar = None
    for done, result in enumerate(results, 1):
        if bar is None and time.monotonic() - began > _PATIENCE:
            bar = stack.enter_context(
                click.progressbar(length=count, label="compiling", file=sys.stderr)
            )
            bar.update(done)
        elif bar is not None:
            bar.update(1)
        yield result
