"""A span is where in which file something stands, in offsets of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tunnelgate.source.file import SourceFile


class Position(NamedTuple):
    """A place as people and editors name it: line and column, both from 1, in characters."""

    line: int
    column: int


class Span(NamedTuple):
    """The half-open range `[start, end)` of characters of one file.

    A NamedTuple and no dataclass: a parse of 10,000 statements makes some 80,000 of them.
    """

    file: SourceFile
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters that the span covers."""
        return self.file.text[self.start : self.end]

    @property
    def position(self) -> Position:
        """Where the span begins."""
        return self.file.position(self.start)

    @property
    def end_position(self) -> Position:
        """Where the span ends: the position just behind its last character."""
        return self.file.position(self.end)

    def to(self, other: Span) -> Span:
        """The span from the beginning of this one to the end of another of the same file."""
        return Span(self.file, self.start, other.end)
