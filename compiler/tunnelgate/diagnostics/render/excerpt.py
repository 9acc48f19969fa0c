"""The part of a source line that is printed, and where in it each character stands."""

from __future__ import annotations

from tunnelgate.diagnostics.render.visible import visible_char
from tunnelgate.diagnostics.width import text_width
from tunnelgate.records import record

#: Tabs go to the next multiple of this.
TAB = 4

#: Stands for what was cut off a long line.
CUT = "…"


@record
class Excerpt:
    """A window of a line as it is printed.

    Attributes:
        text: printable, tabs expanded, `…` where the line was cut.
        first: the index in the line of the first character shown.
        edges: for each character shown, the columns where it begins and ends.
        margin: the column behind the last character shown.
    """

    text: str
    first: int
    edges: tuple[tuple[int, int], ...]
    margin: int

    def columns(self, start: int, end: int) -> tuple[int, int]:
        """The columns `[from, to)` of characters `[start, end)` of the line: at least one."""
        begin = max(start - self.first, 0)
        stop = min(end - self.first, len(self.edges))
        left = self.edges[begin][0] if begin < len(self.edges) else self.margin
        right = self.edges[stop - 1][1] if stop > begin else left
        return left, max(right, left + 1)


def excerpt(line: str, start: int, end: int, room: int) -> Excerpt:
    """The window of a line around characters `[start, end)` that takes about `room` columns."""
    first, last = _window(line, min(start, len(line)), min(end, len(line)), room)
    text = CUT if first else ""
    column = len(text)
    edges: list[tuple[int, int]] = []
    for char in line[first:last]:
        shown = _shown(char, column)
        width = text_width(shown)
        # A combining mark stands where the character does that it is drawn over.
        edges.append(edges[-1] if edges and not width else (column, column + width))
        text += shown
        column += width
    return Excerpt(text + (CUT if last < len(line) else ""), first, tuple(edges), column)


def fits(line: str, start: int, end: int, room: int) -> bool:
    """Whether characters `[start, end)` of a line take no more than `room` columns."""
    return end - start <= _fitting(line[start:end][: room + 1], room)


def _window(line: str, start: int, end: int, room: int) -> tuple[int, int]:
    """Grow `[start, end)` to both sides while there is room; no more is read than is shown."""
    end = start + _fitting(line[start : min(end, start + room)], room)
    spare = room - _most(line[start:end])
    before = line[max(start - spare, 0) : start][::-1]
    behind = line[end : end + spare]
    left = _fitting(before, spare // 2)
    right = _fitting(behind, spare - _most(before[:left]))
    left = _fitting(before, spare - _most(behind[:right]))
    return start - left, end + right


def _fitting(text: str, room: int) -> int:
    """How many characters at the beginning of a text take no more than `room` columns."""
    if _is_plain(text):
        return min(len(text), room)
    for index, char in enumerate(text):
        room -= _most(char)
        if room < 0:
            return index
    return len(text)


def _most(text: str) -> int:
    """The most columns that a text can take, wherever its tabs stand."""
    if _is_plain(text):
        return len(text)
    return sum(TAB if char == "\t" else text_width(visible_char(char)) for char in text)


def _is_plain(text: str) -> bool:
    """Whether each character takes one column, as nearly always: these are the hot paths."""
    return text.isascii() and text.isprintable()


def _shown(char: str, column: int) -> str:
    return " " * (TAB - column % TAB) if char == "\t" else visible_char(char)
