"""The lines of source that a finding shows, with the marks below them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.diagnostics.diagnostic import Diagnostic, Label
from tunnelgate.diagnostics.render.excerpt import excerpt, fits
from tunnelgate.diagnostics.render.gutter import SKIPPED, Gutter
from tunnelgate.diagnostics.render.paint import Row, Style
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.underline import Mark, underline
from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.records import record
from tunnelgate.source import Position, SourceFile, Span


@record
class Snippet:
    """What is shown of one file.

    Attributes:
        place: where in it the first label begins.
        lines: the marks, in characters, of each line shown; in the order of the labels.
    """

    file: SourceFile
    place: Position
    lines: dict[int, list[Mark]]


def snippets(diagnostic: Diagnostic) -> list[Snippet]:
    """One snippet for each file, that of the primary place first."""
    found: dict[SourceFile, Snippet] = {}
    _add(found, diagnostic.primary, "^", Style.of(diagnostic.severity))
    for label in diagnostic.labels:
        _add(found, label, "-", Style.FRAME)
    return list(found.values())


def draw(snippet: Snippet, gutter: Gutter, room: int) -> Iterator[Row]:
    """The rows of a snippet, each line cut to `room` columns around its marks."""
    previous = 0
    for line, marks in snippet.lines.items():
        text = snippet.file.line_text(line)
        for group in _groups(text, marks, room):
            if previous and line != previous + 1:
                yield SKIPPED if line > previous else gutter.under()
            yield from _draw_line(text, line, group, gutter, room)
            previous = line


def _add(found: dict[SourceFile, Snippet], label: Label, sign: str, style: Style) -> None:
    span = within(label.span)
    snippet = found.setdefault(span.file, Snippet(span.file, span.position, {}))
    for line, mark in _marks(span, visible(label.text), sign, style):
        snippet.lines.setdefault(line, []).append(mark)


def _marks(span: Span, text: str, sign: str, style: Style) -> Iterator[tuple[int, Mark]]:
    """A span as marks on lines, in characters: of several lines, the first and the last."""
    first, last = span.position, _end(span)
    if first.line == last.line:
        yield first.line, Mark(first.column - 1, last.column - 1, text, sign, style)
        return
    length = len(span.file.line_text(first.line))
    yield first.line, Mark(first.column - 1, length, "", sign, style)
    tail = span.file.line_text(last.line)
    indent = min(len(tail) - len(tail.lstrip()), last.column - 1)
    yield last.line, Mark(indent, last.column - 1, text, sign, style)


def _end(span: Span) -> Position:
    """The end of a span; one that takes a line's end along does not reach into the next line."""
    end = span.end_position
    if end.column > 1 or end.line == span.position.line:
        return end
    return Position(end.line - 1, len(span.file.line_text(end.line - 1)) + 1)


def _groups(text: str, marks: Iterable[Mark], room: int) -> Iterator[list[Mark]]:
    """Marks that fit into one window of a line; marks far apart show the line once more."""
    group: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: mark.start):
        if group and not fits(text, group[0].start, max(m.end for m in [*group, mark]), room):
            yield group
            group = []
        group.append(mark)
    yield group


def _draw_line(text: str, line: int, marks: list[Mark], gutter: Gutter, room: int) -> Iterator[Row]:
    window = excerpt(text, marks[0].start, max(mark.end for mark in marks), room)
    yield gutter.source(line, window.text.rstrip())
    placed = [
        Mark(*window.columns(mark.start, mark.end), mark.text, mark.sign, mark.style)
        for mark in marks
    ]
    for row in underline(placed):
        yield gutter.under(*row)
