"""From rows to lines: columns, long statements in several lines, comments in one column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from tunnelgate.diagnostics.width import text_width
from tunnelgate.syntax import ast
from tunnelgate.syntax.formatting.gaps import Gap, gap
from tunnelgate.syntax.formatting.rows import Kind, Row, Rows, Unit

#: A longer line goes on with the next one behind a `,` or `+`.
WIDTH = 100

#: How far the items of a zone are indented, and how much further a line that goes on.
_INDENT = "  "
_GOES_ON = "    "

#: A cell that is wider does not push the column of others aside.
_WIDEST_CELL = 40

#: Where comments behind statements stand, in columns from 0; a longer line of the block moves
#: them to the right, but not for one that is longer than `_LONG`.
_COMMENTS = 33
_LONG = 72

#: A zone of one item may stand on one line, if that is no longer.
_ONE_LINE_ZONE = 80

Widths = dict[Kind, dict[int, int]]


class Line(NamedTuple):
    """A line: what it says, and the comment behind it; both may be empty."""

    code: str
    comment: str = ""


class Layout:
    """The lines of one text, whose tree is given."""

    def __init__(self, text: str, policy: ast.Policy) -> None:
        self._text = text
        self._rows = Rows(text)
        self._lines: list[Line] = []
        # A comment on the first line stands on a line of its own.
        begin = gap("\n" + text[: policy.statements[0].span.start])
        self._body(policy.statements, begin, len(text), "")

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in _with_comments(self._lines))

    def _body(self, nodes: Sequence[ast.Node], begin: Gap, end: int, indent: str) -> None:
        """Statements, or the items of a zone, up to the offset `end`."""
        ends = [*(node.span.start for node in nodes[1:]), end]
        behind = zip(nodes, ends, strict=False)
        gaps = [begin, *(gap(self._text[node.span.end : end]) for node, end in behind)]
        self._between(begin.trimmed(first=True, last=not nodes), indent)
        for block in self._blocks(nodes, gaps):
            widths = _widths(row for _, row in block if row is not None)
            for index, row in block:
                if row is None:
                    self._zone(nodes[index])  # type: ignore[arg-type]  # no other has no row
                else:
                    self._lines += _lines(row, widths[row.kind], indent)
                is_last = index == len(nodes) - 1
                self._between(gaps[index + 1].trimmed(first=False, last=is_last), indent)

    def _blocks(
        self, nodes: Sequence[ast.Node], gaps: Sequence[Gap]
    ) -> Iterator[list[tuple[int, Row | None]]]:
        """The nodes by index, a zone of several lines without a row, in blocks set apart."""
        block: list[tuple[int, Row | None]] = []
        for index, node in enumerate(nodes):
            row = None if self._is_zone_of_lines(node) else self._rows.row(node)
            if block and (gaps[index].has_blank_line or row is None or block[-1][1] is None):
                yield block
                block = []
            block.append((index, row))
        if block:
            yield block

    def _is_zone_of_lines(self, node: ast.Node) -> bool:
        if not isinstance(node, ast.Zone):
            return False
        (*_, last) = self._rows.row(node).cells
        return "\n" in node.span.text or last.width > _ONE_LINE_ZONE

    def _zone(self, zone: ast.Zone) -> None:
        self._lines.append(Line(f"zone {zone.name.text} {{"))
        brace = self._text.index("{", zone.name.span.end) + 1
        end = zone.span.end - 1
        inside = self._text[brace : zone.members[0].span.start if zone.members else end]
        self._body(zone.members, gap(inside), end, _INDENT)
        self._lines.append(Line("}"))

    def _between(self, gap: Gap, indent: str) -> None:
        """What stands behind the line before, and on lines of its own."""
        if gap.comment:
            self._lines[-1] = self._lines[-1]._replace(comment=gap.comment)
        self._lines += [Line(f"{indent}{line}" if line else "") for line in gap.lines]


def _widths(rows: Iterable[Row]) -> Widths:
    """How wide the columns of a block are, by kind of row and index of cell."""
    widths: Widths = defaultdict(lambda: defaultdict(int))
    for row in rows:
        for index, cell in enumerate(row.cells[:-1]):
            if cell.width <= _WIDEST_CELL and not cell.must_break:
                widths[row.kind][index] = max(widths[row.kind][index], cell.width)
    return widths


def _lines(row: Row, widths: dict[int, int], indent: str) -> Iterator[Line]:
    """The lines of one row."""
    units = _padded(row, widths)
    line = indent
    for unit, following in pairwise(units):
        assert unit.gap is not None, "a line may end behind each unit but the last"
        line += unit.text
        width = text_width(line) + 1 + text_width(following.text)
        if unit.gap.must_break or row.is_one_a_line or width > WIDTH:
            yield Line(line, unit.gap.comment)
            line = indent + _GOES_ON
            yield from (Line(line + between if between else "") for between in unit.gap.lines)
        else:
            line += " "
    yield Line(line + units[-1].text)


def _padded(row: Row, widths: dict[int, int]) -> list[Unit]:
    """The units of a row, with blanks where columns begin."""
    units: list[Unit] = []
    for index, cell in enumerate(row.cells):
        first, *rest = cell.units
        if units:
            missing = max(widths[index - 1] - row.cells[index - 1].width, 0)
            before = units.pop().text + " " * (missing + cell.before)
            first = Unit(before + first.text, first.gap)
        units += [first, *rest]
    return units


def _with_comments(lines: Iterable[Line]) -> Iterator[str]:
    """The lines as text; those of a block have their comments in one column."""
    for is_blank, block in groupby(lines, key=lambda line: line == Line("")):
        if is_blank:
            yield from (line.code for line in block)
            continue
        some = list(block)
        widths = [text_width(line.code) for line in some if line.comment]
        column = max([_COMMENTS, *(width + 2 for width in widths if width <= _LONG)])
        for line in some:
            blanks = max(column - text_width(line.code), 2) if line.comment else 0
            yield line.code + " " * blanks + line.comment
