"""Rows of styled text. Layout never sees a colour; colour is added here, at the very end."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from tunnelgate.diagnostics.rule import Severity


class Style(Enum):
    """What a piece of text is; the value is its ANSI "select graphic rendition" parameter."""

    PLAIN = ""
    STRONG = "1"
    ERROR = "1;31"
    WARNING = "1;33"
    ADVICE = "1;36"
    FRAME = "1;34"
    """Gutter, arrows, and the marks of secondary labels."""
    REMOVED = "31"
    ADDED = "32"

    @staticmethod
    def of(severity: Severity) -> Style:
        """The style of a severity: red, yellow, cyan."""
        return Style[severity.name]


class Segment(NamedTuple):
    """A piece of a row in one style; `link` is the address that a terminal opens, if any."""

    style: Style
    text: str
    link: str = ""


#: One printed line, without its end.
Row = tuple[Segment, ...]


def paint(row: Row, color: bool) -> str:
    """The row as text; without the colours, links go too."""
    return "".join(_painted(segment) if color else segment.text for segment in row)


def _painted(segment: Segment) -> str:
    style, text, link = segment
    if link:  # OSC 8, which terminals that know no links leave out
        text = f"\x1b]8;;{link}\x1b\\{text}\x1b]8;;\x1b\\"
    return f"\x1b[{style.value}m{text}\x1b[0m" if style.value and text else text
