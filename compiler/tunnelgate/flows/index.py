"""Which of many boxes meet a box or hold it, without looking at them all, while more boxes come."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import Sets
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.flows.sets import common

T = TypeVar("T")
B = TypeVar("B", Box, Sets)

#: So few boxes are looked at one after the other.
_FEW = 2
#: A set of more intervals is looked up as one, from its first member to its last, unless there are
#: more candidates than it has intervals.
_SOME = 32
#: A set of more intervals stands as one: a group of 100,000 addresses, in many statements.
_MANY = 256


class BoxIndex(Generic[T]):
    """Boxes with something to each, in the order in which they came; all have the same axes.

    The axis that leaves the fewest candidates is chosen for each question, so that 10,000
    statements about one zone are told apart by their peers, and about one peer by their ports.
    """

    def __init__(self, entries: Iterable[tuple[Sets, T]] = ()) -> None:
        self.entries = list(entries)
        self._axes: list[_Axis] = []  # none before the first question that needs them

    def add(self, box: Sets, thing: T) -> None:
        """One more."""
        number = len(self.entries)
        self.entries.append((box, thing))
        if self._axes:
            for axis, asked in zip(self._axes, box, strict=True):
                axis.add(asked, number)

    def meeting(self, box: Box) -> Iterator[tuple[int, Box, T]]:
        """Each entry that meets a box: its number, what they have in common, what is to it.

        In no order of the entries: the first is there without the others.
        """
        return self._met(box, self._candidates(box, _Axis.meeting))

    def in_order(self, box: Sets, first: int = 0) -> Iterator[tuple[int, Sets, T]]:
        """The same in the order in which they came, from a number on."""
        found = self._candidates(box, _Axis.meeting)
        return self._met(box, sorted(number for number in found if number >= first))

    def holding(self, box: Box) -> Iterator[T]:
        """What is to each entry that has all of a box, which is not empty."""
        for number in self._candidates(box, _Axis.holding):
            other, thing = self.entries[number]
            if all(held is None or wanted <= held for wanted, held in zip(box, other, strict=True)):
                yield thing

    def _met(self, box: B, numbers: Iterable[int]) -> Iterator[tuple[int, B, T]]:
        for number in numbers:
            other, thing = self.entries[number]
            both = common(box, other)
            if both is not None:
                yield number, both, thing

    def _candidates(
        self, box: Sets, looked_up: Callable[[_Axis, Intervals, int], list[_Span]]
    ) -> Iterable[int]:
        everything = range(len(self.entries))
        if len(everything) <= _FEW:
            return everything
        if not self._axes:
            boxes = (box for box, _ in self.entries)
            self._axes = [_Axis(sets) for sets in zip(*boxes, strict=True)]
        best: list[_Span] | None = None
        fewest = len(everything)
        asked = [
            (axis, wanted)
            for axis, wanted in zip(self._axes, box, strict=True)
            if wanted is not None
        ]
        for axis, wanted in sorted(asked, key=_is_long):
            spans = looked_up(axis, wanted, fewest)
            size = sum(end - start for _, start, end in spans)
            if best is None or size < fewest:
                best, fewest = spans, size
            if fewest <= 1:
                break
        return everything if best is None else _numbers(best)


_Item = tuple[int, int]
"""Where an interval begins, and the number of its box."""

_Span = tuple[list[_Item], int, int]
"""Some of a list, from one place to another."""


class _Class:
    """Intervals of about one size, by where they begin, and how far the longest reaches."""

    __slots__ = ("items", "reach")

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.reach = 0


class _Axis:
    """Intervals by size: none of a class reaches a place but those that begin shortly before it."""

    def __init__(self, sets: Iterable[Intervals | None]) -> None:
        self._free: list[_Item] = []  # those that ask nothing here
        self._classes: dict[int, _Class] = {}
        for number, asked in enumerate(sets):
            self._put(asked, number, list.append)
        for one in self._classes.values():
            one.items.sort()

    def add(self, asked: Intervals | None, number: int) -> None:
        """One more box."""
        self._put(asked, number, insort)

    def _put(
        self, asked: Intervals | None, number: int, place: Callable[[list[_Item], _Item], None]
    ) -> None:
        if asked is None:
            self._free.append((0, number))
            return
        for low, high in _at_most(_MANY, asked):
            bits = (high - low).bit_length()
            if bits not in self._classes:
                self._classes = dict(sorted({**self._classes, bits: _Class()}.items()))
            one = self._classes[bits]
            one.reach = max(one.reach, high - low)
            place(one.items, (low, number))

    def meeting(self, wanted: Intervals, candidates: int) -> list[_Span]:
        """Where in each class the intervals stand that may meet the wanted ones."""
        asked = _at_most(max(_SOME, candidates), wanted)
        return [one for low, high in asked for one in self._beginning(low, high)] + self._unasked()

    def holding(self, wanted: Intervals, _candidates: int) -> list[_Span]:
        """Where those stand that may hold all of the wanted ones: the first of them, at least."""
        low, high = wanted.items[0]
        return [*self._beginning(high, low), *self._unasked()]

    def _unasked(self) -> list[_Span]:
        return [(self._free, 0, len(self._free))] if self._free else []

    def _beginning(self, low: int, high: int) -> Iterator[_Span]:
        """Where in each class those stand that may reach one place and begin before the other."""
        for one in self._classes.values():
            start = bisect_left(one.items, (low - one.reach,))
            end = bisect_left(one.items, (high + 1,), lo=start)
            if start < end:
                yield one.items, start, end


def _at_most(count: int, some: Intervals) -> Iterable[Interval]:
    return some.items if len(some.items) <= count else (some.hull(),)


def _is_long(asked: tuple[_Axis, Intervals]) -> bool:
    return len(asked[1].items) > _SOME


def _numbers(spans: Iterable[_Span]) -> Iterator[int]:
    seen: set[int] = set()
    for items, start, end in spans:
        for at in range(start, end):
            number = items[at][1]
            if number not in seen:
                seen.add(number)
                yield number
