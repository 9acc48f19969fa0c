"""Findings about one policy with several sets of values, told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tunnelgate.cli.jobs import Job
from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.records import replace
from tunnelgate.source import SourceFile

#: So many files are shown that a finding is found with.
_SHOWN = 3

Found = tuple[Job, Sequence[Diagnostic]]


def merge(results: Iterable[Found]) -> list[Diagnostic]:
    """The findings of all jobs. What is found with every set of values of a policy is told once;
    what is found with some says with which. A comment is of no use only where it is with none.
    """
    by_policy: dict[SourceFile, list[Found]] = {}
    for job, findings in results:
        by_policy.setdefault(job.policy, []).append((job, findings))
    return [finding for found in by_policy.values() for finding in _merged(found)]


def _merged(results: Sequence[Found]) -> Iterator[Diagnostic]:
    if len(results) == 1:
        yield from results[0][1]
        return
    told: dict[tuple[object, ...], tuple[Diagnostic, list[Job]]] = {}
    for job, findings in results:
        for finding in findings:
            told.setdefault(_key(finding), (finding, []))[1].append(job)
    for finding, jobs in told.values():
        if len(jobs) >= len(results):
            yield finding
        elif finding.rule.name != "ignore-unused":
            yield _with_values(finding, jobs)


def _key(finding: Diagnostic) -> tuple[object, ...]:
    """What two findings have in common that say the same; files of two processes are never one."""
    labels = [
        (one.span.file.path, one.span.start, one.span.end, one.text)
        for one in (finding.primary, *finding.labels)
    ]
    return finding.rule.code, finding.message, finding.severity, *labels


def _with_values(finding: Diagnostic, jobs: Sequence[Job]) -> Diagnostic:
    """The finding with the files of variables that it is found with, where it shows none of it."""
    shown = {one.span.file.path for one in (finding.primary, *finding.labels)}
    files = [job.variables.files[0] for job in jobs if job.variables.files]
    if not files or files[0].path in shown:
        return finding
    text = "with these values"
    if len(files) < len(jobs):
        text += ", and with the defaults"
    labels = [Label(file.span(0, 0), text) for file in files[:_SHOWN]]
    if len(files) > _SHOWN:
        labels[-1] = replace(labels[-1], text=f"{text}, and {len(files) - _SHOWN} more such files")
    return replace(finding, labels=(*finding.labels, *labels))
