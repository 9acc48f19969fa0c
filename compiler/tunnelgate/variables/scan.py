"""Where values stand in a file of JSON or TOML that is known to be right.

The parsers of the standard library say what a file means and not where; they have read it before.
So only the way between names and values has to be found here, and strings and brackets are all that
could lead astray.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_SKIPPED = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_STRING = r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'"
_QUOTED = re.compile(_STRING, re.DOTALL)
_TOKEN = re.compile(rf"{_STRING}|#[^\n]*|[][{{}}]", re.DOTALL)
_PLAIN = re.compile(r"[^],}#\r\n]+")
_KEY = re.compile(rf"(?:{_STRING}|[A-Za-z0-9_-]+)", re.DOTALL)
_HEADER = re.compile(r"\[\[?[ \t]*")

Place = tuple[int, int]


class Found(NamedTuple):
    """Where a name stands, its value, and the members of the value where it is a list."""

    name: Place
    value: Place
    items: tuple[Place, ...]


def json_places(text: str) -> Iterator[Found]:
    """The members of the one object of a JSON text, in their order."""
    at = text.index("{") + 1
    while text[at := _skip(text, at)] != "}":
        name = (at, _value_end(text, at))
        found = _found(text, name, text.index(":", name[1]) + 1)
        yield found
        at = found.value[1]


def toml_places(text: str) -> Iterator[Found]:
    """What stands under each name at the top of a TOML text; of a table, its header."""
    at = _skip(text, 0)
    is_top = True
    while at < len(text):
        if header := _HEADER.match(text, at):
            is_top = False
            name = _key(text, header.end())
            at = text.find("\n", name[1]) if "\n" in text[name[1] :] else len(text)
            yield Found(name, (header.start(), name[1]), ())
        else:
            name = _key(text, at)
            found = _found(text, name, text.index("=", _keys_end(text, name[1])) + 1)
            if is_top:
                yield found
            at = found.value[1]
        at = _skip(text, at)


def _found(text: str, name: Place, behind: int) -> Found:
    start = _skip(text, behind)
    end = _value_end(text, start)
    return Found(name, (start, end), tuple(_items(text, start)) if text[start] == "[" else ())


def _items(text: str, at: int) -> Iterator[Place]:
    at += 1
    while text[at := _skip(text, at)] != "]":
        end = _value_end(text, at)
        yield at, end
        at = end


def _value_end(text: str, at: int) -> int:
    """Where the value ends that begins there, however deep it is."""
    if quoted := _QUOTED.match(text, at):
        return quoted.end()
    if text[at] not in "[{":
        plain = _PLAIN.match(text, at)
        assert plain is not None, "a value has a character"
        return at + len(plain[0].rstrip())
    depth = 0
    for token in _TOKEN.finditer(text, at):
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if not depth:
            return token.end()
    raise AssertionError("what is open is closed")


def _key(text: str, at: int) -> Place:
    key = _KEY.match(text, at)
    assert key is not None, "an entry begins with its name"
    return key.span()


def _keys_end(text: str, at: int) -> int:
    """Where a dotted name ends, `a."b=c".d`."""
    while (dot := re.compile(r"[ \t]*\.[ \t]*").match(text, at)) is not None:
        at = _key(text, dot.end())[1]
    return at


def _skip(text: str, at: int) -> int:
    skipped = _SKIPPED.match(text, at)
    assert skipped is not None, "nothing is skipped, too"
    return skipped.end()
