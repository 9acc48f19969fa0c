"""Findings as annotations of a pull request: workflow commands of GitHub Actions."""

from __future__ import annotations

from collections.abc import Sequence

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.diagnostics.rule import Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "notice"}


def render(diagnostics: Sequence[Diagnostic], _options: Options = DEFAULT) -> str:
    """A command for each finding, the worst first: GitHub shows ten a step. No option applies."""
    worst_first = sorted(diagnostics, key=lambda diagnostic: diagnostic.severity.rank)
    return "".join(f"{_command(diagnostic)}\n" for diagnostic in worst_first)


def _command(diagnostic: Diagnostic) -> str:
    properties = ",".join(
        f"{name}={_property(str(value))}" for name, value in _properties(diagnostic).items()
    )
    message = diagnostic.message
    if diagnostic.help:
        message += f"\nhelp: {diagnostic.help}"
    return f"::{_COMMANDS[diagnostic.severity]} {properties}::{_data(message)}"


def _properties(diagnostic: Diagnostic) -> dict[str, str | int]:
    span = within(diagnostic.primary.span)
    start, end = span.position, span.end_position
    place: dict[str, str | int] = {"file": span.file.path, "line": start.line}
    # An annotation has columns only where it is on one line (REST API, check runs).
    if start.line == end.line:
        place |= {"col": start.column, "endLine": end.line, "endColumn": end.column}
    else:
        place |= {"endLine": end.line}
    return place | {"title": f"{diagnostic.rule.code} {diagnostic.rule.name}"}


def _data(text: str) -> str:
    """As `escapeData` of @actions/core, the percent sign first; then whatever is invisible."""
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    """As `escapeProperty` of @actions/core."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
