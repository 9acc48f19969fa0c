"""What pfctl does to a text before its grammar sees it: comments, lines that go on, macros.

A backslash before a line end joins two lines, in a comment too: a comment that ends in one swallows
the line after it. `$name` is replaced by text, at the beginning of a word and never in quotes; what
stood in the macro is read anew, so that `$if:network` and `{ $a, $b }` mean what they seem to.
(pfctl's `lgetc` and `yylex`; pf.conf(5), Macros.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.words import KEYWORDS

_PIECE = re.compile(
    r"""(?P<space>[ \t]+)
      | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<comment>\#.*)
      | \$(?P<macro>[A-Za-z0-9_]+)
      | (?P<word>[A-Za-z0-9:_][^\s(){}<>!=/\#,"']*)
      | (?P<other>[(){}<>!=/,-])""",
    re.VERBOSE,
)
#: The same without macros and comments, at once.
_AS_IT_IS = re.compile(
    r"""(?:[ \t]++|"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'"""
    r"""|[A-Za-z0-9:_][^\s(){}<>!=/\#,"']*+|[(){}<>!=/,-])*+"""
)
_DEFINITION = re.compile(r"[ \t]*([A-Za-z0-9_]+)[ \t]*=(?!=)(.*)")


@dataclass(frozen=True, slots=True)
class Plain:
    """A text without comments and macros.

    Attributes:
        text: has as many lines as the original, so that a line is where it was.
        macros: their values, by name.
    """

    text: str
    macros: Mapping[str, str]


def plain(text: str) -> Plain:
    """Take comments, joined lines and macros out of a text. Raises Refused."""
    reader = _Reader()
    lines = [reader.line(joined, number) + "\n" * count for joined, number, count in _joined(text)]
    return Plain("".join(lines), reader.macros)


def _joined(text: str) -> Iterator[tuple[str, int, int]]:
    """Logical lines, with the number of the first physical one and how many there are."""
    if "\r" in text:
        raise Refused("a carriage return ends no line", text[: text.index("\r")].count("\n") + 1)
    lines = text.split("\n")
    number = 0
    while number < len(lines) - 1:
        first, joined = number, lines[number]
        while joined.endswith("\\") and number < len(lines) - 2:
            number += 1
            joined = joined[:-1] + lines[number]
        number += 1
        yield joined, first + 1, number - first
    if lines[-1].strip():
        raise Refused("the last line has no end", len(lines))


@dataclass(slots=True)
class _Reader:
    """Reads line after line: a macro is known from the line after its definition."""

    macros: dict[str, str] = field(default_factory=dict)

    def line(self, line: str, number: int) -> str:
        definition = _DEFINITION.fullmatch(line)
        if definition is None:
            return self._substituted(line, number)
        name, value = definition[1], self._substituted(definition[2], number)
        if name in KEYWORDS:
            raise Refused(f"`{name}` is a keyword, and no name of a macro", number)
        words = [text for kind, text in _pieces(value, number) if kind != "space"]
        for word in words:
            if word in "(){}<>!=/,-":
                raise Refused(f"a `{word}` in the value of a macro stands in quotes", number)
        if not words:
            raise Refused(f"the macro `{name}` has no value", number)
        self.macros[name] = " ".join(unquoted(word) for word in words)
        return ""

    def _substituted(self, text: str, line: int) -> str:
        if _AS_IT_IS.fullmatch(text):
            return text
        parts = []
        for kind, part in _pieces(text, line):
            if kind == "macro":
                if part not in self.macros:
                    raise Refused(f"the macro `{part}` is not defined", line)
                part = self.macros[part]
            parts.append(part)
        return "".join(parts)


def _pieces(text: str, line: int) -> Iterator[tuple[str, str]]:
    """The pieces of a line but for its comment, each with its kind; of a macro, the name."""
    place = 0
    while place < len(text):
        match = _PIECE.match(text, place)
        if match is None:
            raise Refused(f"`{text[place]}` begins no word", line)
        place = match.end()
        kind = str(match.lastgroup)
        if kind != "comment":
            yield kind, match[kind]


def unquoted(word: str) -> str:
    """A word without its quotes: only the quote itself and blanks are escaped in them."""
    if word[:1] not in {'"', "'"}:
        return word
    return re.sub(rf"\\([{word[0]} \t])", r"\1", word[1:-1])
