"""Expectations for a terminal, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from tunnelgate.check.unmet import said
from tunnelgate.cli.changes.lines import by_statements, place
from tunnelgate.cli.tested.results import Result


def render(results: Sequence[Result]) -> str:
    """Each with its place, what fails with the packet that shows it and who decides."""
    several = len({result.gateway for result in results}) > 1
    return "".join(f"{_line(result, several)}\n" for result in results)


def _line(result: Result, several: bool) -> str:
    gateway = f" [{result.gateway}]" if several else ""
    where = f"{place(result.expect)}:{gateway} {result.expect.text}"
    if result.failure is None:
        return f"ok    {where}"
    by = f", by {by_statements(result.statements)}" if result.statements else ""
    return f"FAIL  {where}: {said(result.failure)}{by}"
