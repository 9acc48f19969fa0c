"""The rules that a piece may meet, found without asking all of them.

A ruleset has thousands of rules that ask for a tag or for one destination. Most pieces have
another one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from tunnelgate.flows.crossings import Piece
from tunnelgate.flows.fields import DESTINATION
from tunnelgate_targets.pf.read.machine import Asked

R = TypeVar("R")


class _OfTag(NamedTuple):
    """The numbers of rules: all, those for one destination each, and those for others."""

    every: list[int]
    single: dict[int, list[int]]
    wide: list[int]


class Index(Generic[R]):
    """Rules in their order, each with what it asks."""

    def __init__(self, rules: Sequence[tuple[R, Asked]]) -> None:
        self._rules = rules
        self._tagged: dict[str, list[int]] = defaultdict(list)
        self._others: list[int] = []
        for number, (_, asked) in enumerate(rules):
            if asked.tagged is None or asked.tagged.negated:
                self._others.append(number)
            else:
                self._tagged[asked.tagged.name].append(number)
        self._tags: dict[str | None, _OfTag] = {}

    def from_(self, at: int, piece: Piece) -> Iterator[tuple[int, R, Asked]]:
        """The rules from a number on that the tag and the destination of a piece allow."""
        found = self._of_tag(piece.tag)
        goal = _goal(piece)
        numbers = found.every
        if goal is not None and found.single:
            numbers = sorted([*found.single.get(goal, ()), *found.wide])
        for place in range(bisect_left(numbers, at), len(numbers)):
            number = numbers[place]
            yield number, *self._rules[number]

    def _of_tag(self, tag: str | None) -> _OfTag:
        if tag not in self._tags:
            self._tags[tag] = self._made(tag)
        return self._tags[tag]

    def _made(self, tag: str | None) -> _OfTag:
        numbers = list(self._tagged.get(tag, ())) if tag is not None else []
        for number in self._others:
            asked = self._rules[number][1].tagged
            if asked is None or asked.name != tag:
                numbers.append(number)
        found = _OfTag(sorted(numbers), defaultdict(list), [])
        for number in found.every:
            goals = self._rules[number][1].destination
            if goals is not None and goals.is_single():
                found.single[goals.first()].append(number)
            else:
                found.wide.append(number)
        return found


def _goal(piece: Piece) -> int | None:
    """The one destination of a piece."""
    if piece.destination is not None:
        return piece.destination
    goals = piece.sets[DESTINATION]
    return goals.first() if goals is not None and goals.is_single() else None
