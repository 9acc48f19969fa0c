"""One line a finding, for grep and for editors that know no other format."""

from __future__ import annotations

from collections.abc import Sequence

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.paint import Row, Segment, Style, paint
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.visible import visible


def render(diagnostics: Sequence[Diagnostic], options: Options = DEFAULT) -> str:
    """`path:line:column: error[TG201] message` for each finding."""
    return "".join(f"{paint(_row(diagnostic), options.color)}\n" for diagnostic in diagnostics)


def _row(diagnostic: Diagnostic) -> Row:
    span = within(diagnostic.primary.span)
    line, column = span.position
    return (
        Segment(Style.STRONG, f"{visible(span.file.path)}:{line}:{column}:"),
        Segment(Style.PLAIN, " "),
        Segment(
            Style.of(diagnostic.severity),
            f"{diagnostic.severity.value}[{diagnostic.rule.code}]",
        ),
        Segment(Style.PLAIN, f" {visible(diagnostic.message)}"),
    )
