"""Marks under a line: carets and dashes, and their texts beside or below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from tunnelgate.diagnostics.render.paint import Row, Segment, Style
from tunnelgate.records import record


@record
class Mark:
    """Columns `[start, end)` to be underlined, with a text that may be empty."""

    start: int
    end: int
    text: str
    sign: str
    style: Style


def underline(marks: Sequence[Mark]) -> list[Row]:
    """The rows below a line.

    The rightmost text stands beside its mark; the others hang below, the rightmost first, each
    on a line of `|` down from its mark, so that none ever crosses another:

        ^^^      --- beside
        |
        below
    """
    ordered = sorted(marks, key=lambda mark: (mark.start, mark.sign == "^"))
    texts = [mark for mark in ordered if mark.text]
    beside = texts.pop() if texts and _is_last(texts[-1], ordered) else None
    rows = [_marks_row(ordered, beside)]
    if texts:
        rows.append(_row(_stems(texts)))
    while texts:
        mark = texts.pop()
        stems = [other for other in texts if other.start < mark.start]
        rows.append(_row([*_stems(stems), (mark.start, Segment(mark.style, mark.text))]))
    return rows


def _is_last(mark: Mark, marks: Iterable[Mark]) -> bool:
    return mark.end >= max(other.end for other in marks)


def _marks_row(marks: Iterable[Mark], beside: Mark | None) -> Row:
    cells: dict[int, Segment] = {}
    # Carets last: where a caret and a dash meet, the caret is seen.
    for mark in sorted(marks, key=lambda mark: mark.sign == "^"):
        for column in range(mark.start, mark.end):
            cells[column] = Segment(mark.style, mark.sign)
    row = _row(sorted(cells.items()))
    return (*row, Segment(beside.style, f" {beside.text}")) if beside else row


def _stems(marks: Iterable[Mark]) -> list[tuple[int, Segment]]:
    return sorted({mark.start: Segment(mark.style, "|") for mark in marks}.items())


def _row(cells: Iterable[tuple[int, Segment]]) -> Row:
    """One row of segments at columns, in rising order; neighbours of one style are joined."""
    pieces: list[Segment] = []
    column = 0
    for start, segment in cells:
        if start > column:
            pieces.append(Segment(Style.PLAIN, " " * (start - column)))
        pieces.append(segment)
        column = start + len(segment.text)
    joined = groupby(pieces, key=lambda piece: piece.style)
    return tuple(Segment(style, "".join(piece.text for piece in run)) for style, run in joined)
