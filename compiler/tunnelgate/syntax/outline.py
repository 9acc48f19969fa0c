"""Where statements begin and end, told from the text alone.

Two ways to cut. `statement_end` follows the grammar: right for every valid text, and as fast as a
regular expression. `line_end`, and `find_zone` in `zones.py`, are for text that did not parse:
they look at the first words of lines too, so that one mistake does not swallow the statements
behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunnelgate.syntax.words import JOINTS, MEMBERS, STATEMENTS

_BLANK_LINES = r"(?:[ \t]*+(?:\#[^\n]*+)?\n)*+"
_STRING = r'"[^"\n]*+"?'
_GOING_ON = rf"[,+](?:{_BLANK_LINES}(?=[ \t]*+[^\s\#]))?+"
_PIECE = rf'[^"\#\n,+{{}}]++|{_STRING}|{_GOING_ON}'
_BEGINNING = rf"\}}|(?:{'|'.join((*STATEMENTS, *MEMBERS))})(?![A-Za-z0-9_-])"

_GAP = re.compile(rf"{_BLANK_LINES}[ \t]*+(?:\#[^\n]*+)?")
_STATEMENT = re.compile(
    rf"""(?:{_PIECE})*+
    (?:\{{ (?:[^"\#{{}}]++|{_STRING}|\#[^\n]*+)*+ \}}?+)?+
    (?:{_PIECE}|[{{}}])*+ (?:\#[^\n]*+)?\n?""",
    re.VERBOSE,
)
_LINE = re.compile(rf"(?:{_PIECE}|[{{}}])*+", re.VERBOSE)
_CUT = re.compile(rf"[,+][ \t]*+(?:\#[^\n]*+)?\n{_BLANK_LINES}[ \t]*+(?={_BEGINNING})", re.VERBOSE)
_CODE = re.compile(rf'(?:[^"\#\n]++|{_STRING})*+')
_BRACE = re.compile(rf'(?:[^"\#{{}}\n]++|{_STRING})*+([{{}}])')
_WORD = re.compile(r"""\#[^\n]*|"[^"\n]*"?|'[^'\n]*'?|[,{}=+;]|[^\s,{}=+;"'\#]+""")
_FIRST = re.compile(r"[A-Za-z0-9_-]*")


class Word(NamedTuple):
    """A word as people see it: up to the next blank or punctuation; a string is one."""

    text: str
    start: int
    end: int


def next_word(text: str, at: int, end: int) -> int:
    """Where the next word begins, over blanks, comments and line ends."""
    match = _GAP.match(text, at, end)
    return match.end() if match else at


def statement_end(text: str, at: int) -> int:
    """Where the statement ends that begins there, a zone at its `}`, the line end included."""
    match = _STATEMENT.match(text, at)
    return match.end() if match else at


def first_word(text: str, at: int) -> str:
    """The word of letters, digits, `_` and `-` that stands there; may be empty."""
    match = _FIRST.match(text, at)
    return match[0] if match else ""


def code_end(text: str, at: int, end: int) -> int:
    """Where the line ends that begins there, without its comment and the blanks before that."""
    match = _CODE.match(text, at, end)
    return at + len(match[0].rstrip(" \t")) if match else at


def find_brace(text: str, at: int, end: int) -> int | None:
    """Where the first brace of the line stands, outside of strings and comments."""
    match = _BRACE.match(text, at, end)
    return match.start(1) if match else None


def line_end(text: str, at: int, end: int) -> int:
    """Where the line ends that begins there, with those it goes on with, the line end excluded.

    A line that begins with the first word of a statement or of a zone's item is not gone on with:
    there the `,` before it is the mistake.
    """
    match = _LINE.match(text, at, end)
    stop = at + len(match[0].rstrip(" \t")) if match else at
    cut = _CUT.search(text, at, stop)
    return cut.start() + 1 if cut else stop


def torn_end(text: str, at: int, end: int) -> int:
    """Where a line that could not be read ends, with those that only go on with a statement."""
    while (behind := next_word(text, at, end)) < end and first_word(text, behind) in JOINTS:
        at = line_end(text, behind, end)
    return at


def words(text: str, at: int, end: int) -> Iterator[Word]:
    """The words from there on, without comments."""
    for match in _WORD.finditer(text, at, end):
        if not match[0].startswith("#"):
            yield Word(match[0], match.start(), match.end())
