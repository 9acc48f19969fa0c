"""The rules that a piece may meet, found without asking all of them.

A ruleset has thousands of rules that ask for a tag or for one destination. Most pieces have
another one. And a line with lists is hundreds of rules, which are asked as one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Generic, TypeVar

from tunnelgate.flows.crossings import Piece
from tunnelgate.flows.fields import DESTINATION
from tunnelgate.flows.intervals import Intervals
from tunnelgate_targets.pf.read.machine import Asked
from tunnelgate_targets.pf.read.ruleset import Rule, Translation

R = TypeVar("R", bound=Rule | Translation)


class Index(Generic[R]):
    """Rules in their order, each with what it asks."""

    def __init__(self, rules: Iterable[tuple[R, Asked]]) -> None:
        self._rules: list[tuple[R, Asked]] = list(_by_line(rules))
        self._tagged: dict[str, list[int]] = defaultdict(list)
        self._others: list[int] = []
        for number, (_, asked) in enumerate(self._rules):
            if asked.tagged is None or asked.tagged.negated:
                self._others.append(number)
            else:
                self._tagged[asked.tagged.name].append(number)
        self._every: dict[str | None, list[int]] = {}
        self._goals: dict[str | None, tuple[dict[int, list[int]], list[int]]] = {}

    def from_(self, at: int, piece: Piece) -> Iterator[tuple[int, R, Asked]]:
        """The rules from a number on that the tag and the destination of a piece allow."""
        numbers = self._of_tag(piece.tag)
        goal = _goal(piece)
        if goal is not None:
            single, wide = self._of_goals(piece.tag)
            numbers = sorted([*single.get(goal, ()), *wide])
        for place in range(bisect_left(numbers, at), len(numbers)):
            number = numbers[place]
            yield number, *self._rules[number]

    def _of_tag(self, tag: str | None) -> list[int]:
        """The numbers of the rules that hold for a tag."""
        if tag not in self._every:
            numbers = list(self._tagged.get(tag, ())) if tag is not None else []
            for number in self._others:
                asked = self._rules[number][1].tagged
                if asked is None or asked.name != tag:
                    numbers.append(number)
            self._every[tag] = sorted(numbers)
        return self._every[tag]

    def _of_goals(self, tag: str | None) -> tuple[dict[int, list[int]], list[int]]:
        """Of these, those for one destination each, by it, and those for others."""
        if tag not in self._goals:
            single: dict[int, list[int]] = defaultdict(list)
            wide: list[int] = []
            for number in self._of_tag(tag):
                goals = self._rules[number][1].destination
                if goals is not None and goals.is_single():
                    single[goals.first()].append(number)
                else:
                    wide.append(number)
            self._goals[tag] = single, wide
        return self._goals[tag]


def _goal(piece: Piece) -> int | None:
    """The one destination of a piece."""
    if piece.destination is not None:
        return piece.destination
    goals = piece.sets[DESTINATION]
    return goals.first() if goals is not None and goals.is_single() else None


def _by_line(rules: Iterable[tuple[R, Asked]]) -> Iterator[tuple[R, Asked]]:
    """The same rules, those of a line in as few as can be, by the first of them."""
    for _, alike in groupby(rules, _what_it_does):
        (rule, asked), *others = alike
        for one in _joined([asked, *(asked for _, asked in others)]):
            yield rule, one


def _what_it_does(one: tuple[Rule | Translation, Asked]) -> tuple[object, ...]:
    """What is the same where two rules of a line differ only in which packets they ask for.

    A `match` that translates stays alone: what it has translated, the next one may translate again.
    """
    rule, asked = one
    if isinstance(rule, Translation):
        return rule.line, rule.criteria.protocol, asked.tagged, rule.tag, rule.pool
    translates = rule.nat is not None or rule.rdr is not None
    return rule.line, id(rule) if translates else 0, asked.tagged, rule.tag, rule.state


#: The axes of `Asked`, from which field to which: both of the channels are one.
_AXES = ((0, 2), (3, 4), (4, 5))


def _joined(asked: list[Asked]) -> list[Asked]:
    """What several ask for together, in fewer: those that differ on one axis alone are one."""
    for begin, end in _AXES:
        if len(asked) == 1:
            break
        groups: dict[tuple[object, ...], list[tuple[Any, ...]]] = {}
        for one in asked:
            groups.setdefault(one[:begin] + one[end:], []).append(one[begin:end])
        asked = [
            Asked._make((*rest[:begin], *map(_union, zip(*some, strict=True)), *rest[begin:]))
            for rest, some in groups.items()
        ]
    return asked


def _union(sets: tuple[Intervals | None, ...]) -> Intervals | None:
    """The union of what is asked; None asks nothing."""
    found = [one for one in sets if one is not None]
    return Intervals.union_of(found) if len(found) == len(sets) else None
