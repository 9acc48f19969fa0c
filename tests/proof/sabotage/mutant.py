"""What a mutant is, and the ways to change a line that all targets share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Mutant(NamedTuple):
    """Changed files, what was done to them, and the line it was done to."""

    kind: str
    line: str
    files: Mapping[str, str]


class Change(NamedTuple):
    """What is done wherever a pattern is found; a function may know several ways to do it."""

    kind: str
    pattern: str
    new: str | Callable[[re.Match[str]], Iterable[str]]


def changed(changes: Sequence[Change], line: str) -> Iterator[tuple[str, str]]:
    """Each change of a line, at one place each, with its kind."""
    for kind, pattern, new in changes:
        for found in re.finditer(pattern, line):
            ways = (found.expand(new),) if isinstance(new, str) else new(found)
            for way in ways:
                made = line[: found.start()] + way + line[found.end() :]
                if made != line:
                    yield kind, made


def around(lowest: int, highest: int) -> Callable[[re.Match[str]], Iterator[str]]:
    """One more and one less than a number, within bounds."""

    def near(found: re.Match[str]) -> Iterator[str]:
        for number in (int(found[0]) - 1, int(found[0]) + 1):
            if lowest <= number <= highest:
                yield str(number)

    return near


def other_of(*words: str) -> Callable[[re.Match[str]], Iterator[str]]:
    """The other words in its place."""
    return lambda found: (word for word in words if word != found[0])


def with_lines(lines: Sequence[str], at: int, new: Sequence[str], count: int = 1) -> str:
    """A text with other lines in the place of some."""
    return "\n".join([*lines[:at], *new, *lines[at + count :]])
