"""A fix as a diff of whole lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from tunnelgate.diagnostics.diagnostic import Edit, Fix
from tunnelgate.diagnostics.render.excerpt import excerpt
from tunnelgate.diagnostics.render.gutter import SKIPPED, Gutter
from tunnelgate.diagnostics.render.paint import Row, Style
from tunnelgate.diagnostics.render.place import within
from tunnelgate.records import record, replace
from tunnelgate.source import SourceFile

#: Of a longer run of lines, the first and the last few are shown.
_LONGEST_RUN = 8


@record
class Hunk:
    """Neighbouring lines that change.

    Attributes:
        old_line: the number of the first line that goes, in the file as it is.
        new_line: the number of the first line that comes, in the file as it will be.
    """

    file: SourceFile
    old_line: int
    old: tuple[str, ...]
    new_line: int
    new: tuple[str, ...]

    @property
    def highest(self) -> int:
        """The highest line number shown."""
        return max(self.old_line + len(self.old), self.new_line + len(self.new)) - 1


def hunks(fix: Fix) -> list[Hunk]:
    """What a fix changes, from the top of the file to its end; lines that stay are left out."""
    found: list[Hunk] = []
    shift = 0
    for edits in _on_shared_lines(fix.edits):
        whole = _rewritten(edits)
        hunk = _trimmed(replace(whole, new_line=whole.new_line + shift))
        shift += len(hunk.new) - len(hunk.old)
        if hunk.old or hunk.new:
            found.append(hunk)
    return found


def draw(hunk: Hunk, gutter: Gutter, room: int) -> Iterator[Row]:
    """The rows of a hunk, each line cut to `room` columns around its first difference."""
    for first, sign, lines, others, style in (
        (hunk.old_line, "-", hunk.old, hunk.new, Style.REMOVED),
        (hunk.new_line, "+", hunk.new, hunk.old, Style.ADDED),
    ):
        for index in _few(len(lines)):
            if index is None:
                yield SKIPPED
            else:
                text = _around_difference(lines[index], others[index : index + 1], room)
                yield gutter.change(first + index, sign, text, style)


def _on_shared_lines(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """The edits in groups of those that touch the same lines, in the order of the file."""
    group: list[Edit] = []
    last = 0
    inside = (Edit(within(edit.span), edit.text) for edit in edits)
    for edit in sorted(inside, key=lambda edit: (edit.span.start, edit.span.end)):
        if group and edit.span.position.line > last:
            yield group
            group = []
        group.append(edit)
        last = max(last, edit.span.end_position.line)
    if group:
        yield group


def _rewritten(edits: Sequence[Edit]) -> Hunk:
    """The lines that edits touch, before and after."""
    file = edits[0].span.file
    first = edits[0].span.position.line
    last = max(edit.span.end_position.line for edit in edits)
    at = begin = file.line_starts[first - 1]
    end = file.line_starts[last] - 1 if last < len(file.line_starts) else len(file.text)
    pieces: list[str] = []
    for edit in edits:
        pieces += (file.text[at : edit.span.start], edit.text)
        at = max(at, edit.span.end)
    new = "".join([*pieces, file.text[at:end]])
    return Hunk(file, first, _lines(file.text[begin:end]), first, _lines(new))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.removesuffix("\r") for line in text.split("\n"))


def _trimmed(hunk: Hunk) -> Hunk:
    """The hunk without the lines at its two ends that stay as they are."""
    head = _same(hunk.old, hunk.new)
    old, new = hunk.old[head:], hunk.new[head:]
    tail = _same(old[::-1], new[::-1])
    return Hunk(
        hunk.file,
        hunk.old_line + head,
        old[: len(old) - tail],
        hunk.new_line + head,
        new[: len(new) - tail],
    )


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two sequences have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _few(count: int) -> Iterator[int | None]:
    """The indexes of `count` lines; of many, the first and the last, and None between them."""
    half = _LONGEST_RUN // 2
    if count <= _LONGEST_RUN:
        yield from range(count)
    else:
        yield from (*range(half), None, *range(count - half, count))


def _around_difference(line: str, others: Sequence[str], room: int) -> str:
    """A line, cut where it begins to differ from the first of `others`, if there is one."""
    at = _difference(line, others[0]) if others else 0
    return excerpt(line, at, at, room).text


def _difference(one: str, other: str) -> int:
    """Where two lines begin to differ; by halves, since comparing slices is fast in long lines."""
    shorter = range(min(len(one), len(other)))
    return bisect_left(shorter, True, key=lambda index: one[: index + 1] != other[: index + 1])
