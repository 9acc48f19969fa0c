"""Which lines of a text are one statement: what a comment speaks of, and what a baseline knows.

Told from the text alone, so that it can be told of text that does not parse. A line that ends
with `,` or `+` goes on with the next one; a zone's head and each of its lines count by themselves.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from tunnelgate.records import record
from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax.comments import COMMENT

_GOES_ON = (",", "+")
_ZONE = re.compile(r"zone[ \t]+([A-Za-z0-9_-]+)[ \t]*\{[^}]*$")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


@record
class Statement:
    """Lines that are one statement.

    Attributes:
        first, last: the numbers of its lines, from 1.
        zone: the zone that it stands in; empty outside of zones.
        text: its words, the same however it is laid out.
    """

    first: int
    last: int
    zone: str
    text: str


class Statements:
    """The statements of one file."""

    def __init__(self, file: SourceFile) -> None:
        self._found = list(_statements(file.text))
        self._firsts = [one.first for one in self._found]

    def at(self, span: Span) -> Statement | None:
        """The statement on whose lines a span begins."""
        return self.on(span.position.line)

    def on(self, line: int) -> Statement | None:
        """The statement that a line is one of."""
        index = bisect_right(self._firsts, line) - 1
        return self._found[index] if index >= 0 and line <= self._found[index].last else None

    def beginning_on(self, line: int) -> Statement | None:
        """The statement whose first line it is."""
        found = self.on(line)
        return found if found is not None and found.first == line else None


def _statements(text: str) -> Iterator[Statement]:
    zone, first, lines = "", 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        code = COMMENT.sub(lambda match: "" if match[1] else match[0], line).strip()
        if not code:
            continue
        first = first if lines else number
        lines.append(code)
        if code.endswith(_GOES_ON):
            continue
        words = " ".join(" ".join(lines).split())
        yield Statement(first, number, zone, _COMMA.sub(", ", words))
        lines.clear()
        if head := _ZONE.match(words):
            zone = head[1]
        elif words == "}":
            zone = ""
