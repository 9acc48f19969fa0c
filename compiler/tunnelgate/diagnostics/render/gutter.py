"""The left edge of a report: line numbers, and the frame that holds the rest in place."""

from __future__ import annotations

from tunnelgate.diagnostics.render.paint import Row, Segment, Style
from tunnelgate.records import record


@record
class Gutter:
    """Draws rows that share a column for numbers of `digits` digits."""

    digits: int

    def source(self, number: int, text: str) -> Row:
        """` 6 | text`"""
        return self._row(f"{number:>{self.digits}} |", Segment(Style.PLAIN, text))

    def under(self, *segments: Segment) -> Row:
        """`   | segments`; without any, the empty row between two blocks."""
        return self._row(f"{'':{self.digits}} |", *segments)

    def arrow(self, sign: str, place: str) -> Row:
        """`  --> place`"""
        return self._row(f"{'':{self.digits}}{sign}", Segment(Style.PLAIN, place))

    def change(self, number: int, sign: str, text: str, style: Style) -> Row:
        """`21 + text`, all in one style but the number"""
        return self._row(f"{number:>{self.digits}}", Segment(style, f"{sign} {text}".rstrip()))

    def note(self, title: str, lines: list[str]) -> list[Row]:
        """`   = title: lines`, the second and later lines indented below the title"""
        first, *rest = lines
        indent = " " * (self.digits + len(" = "))
        return [
            self._row(
                f"{'':{self.digits}} =",
                Segment(Style.STRONG, f"{title}:"),
                Segment(Style.PLAIN, f" {first}"),
            ),
            *((Segment(Style.PLAIN, indent + line),) for line in rest),
        ]

    @staticmethod
    def _row(edge: str, *segments: Segment) -> Row:
        frame = Segment(Style.FRAME, edge)
        if not any(segment.text for segment in segments):
            return (frame,)
        return (frame, Segment(Style.PLAIN, " "), *segments)


#: Stands for lines that are not shown.
SKIPPED: Row = (Segment(Style.FRAME, "..."),)
