"""Which of many boxes meet a box, without looking at them all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Generic, TypeVar

from tunnelgate.check.common import meet
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.intervals import Interval, Intervals

T = TypeVar("T")

#: A set of more intervals than this is looked up as one, from its first member to its last.
_MANY = 32


_Range = tuple[list[tuple[int, int]], int, int]
"""A part of a class: from which of its items to which."""


class _Axis:
    """Intervals by size: in a class up to `s`, none that begins `s` before a place holds it."""

    def __init__(self, sets: Iterable[Intervals]) -> None:
        classes: dict[int, list[tuple[int, int]]] = {}
        for number, one in enumerate(sets):
            for low, high in one:
                classes.setdefault((high - low).bit_length(), []).append((low, number))
        self._classes = [(1 << bits, sorted(items)) for bits, items in sorted(classes.items())]

    def ranges(self, wanted: Intervals) -> list[_Range]:
        """Where in each class the intervals stand that may meet the wanted ones."""
        queries: Sequence[Interval] = wanted.items
        if len(queries) > _MANY:
            queries = ((queries[0][0], queries[-1][1]),)
        return [one for low, high in queries for one in self._beginning(low, high)]

    def holders(self, wanted: Intervals) -> list[_Range]:
        """Where those stand that may hold all of the wanted ones: the first of them, at least."""
        low, high = wanted.items[0]
        return list(self._beginning(high, low))

    def _beginning(self, low: int, high: int) -> Iterator[_Range]:
        """Where in each class those stand that may reach one place and begin before the other."""
        for size, items in self._classes:
            start = bisect_left(items, (low - size + 1,))
            end = bisect_left(items, (high + 1,), lo=start)
            if start < end:
                yield items, start, end


class BoxIndex(Generic[T]):
    """Boxes with something to each; all have the same axes.

    The axis that leaves the fewest candidates is chosen for each question, so that 10,000
    statements about one zone are told apart by their peers, and about one peer by their ports.
    """

    def __init__(self, entries: Iterable[tuple[Box, T]]) -> None:
        self.entries = list(entries)

    @cached_property
    def _axes(self) -> list[_Axis]:
        boxes = [box for box, _ in self.entries]
        return [_Axis(sets) for sets in zip(*boxes, strict=True)]

    def meeting(self, box: Box) -> Iterator[tuple[int, Box, T]]:
        """Each entry that meets a box: its number, what they have in common, what is to it."""
        for number in self._candidates(box):
            other, thing = self.entries[number]
            common = meet(box, other)
            if common is not None:
                yield number, common, thing

    def holding(self, box: Box) -> Iterator[T]:
        """What is to each entry that has all of a box, which is not empty."""
        for number in self._candidates(box, _Axis.holders):
            other, thing = self.entries[number]
            if all(wanted <= held for wanted, held in zip(box, other, strict=True)):
                yield thing

    def _candidates(
        self, box: Box, looked_up: Callable[[_Axis, Intervals], list[_Range]] = _Axis.ranges
    ) -> Iterable[int]:
        if len(self.entries) <= 2:
            return range(len(self.entries))
        found = (looked_up(axis, wanted) for axis, wanted in zip(self._axes, box, strict=True))
        return _numbers(min(found, key=lambda ranges: sum(end - start for _, start, end in ranges)))


def _numbers(ranges: Iterable[_Range]) -> Iterator[int]:
    seen: set[int] = set()
    for items, start, end in ranges:
        for at in range(start, end):
            number = items[at][1]
            if number not in seen:
                seen.add(number)
                yield number
