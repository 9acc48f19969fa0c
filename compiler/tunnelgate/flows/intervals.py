"""Sets of integers as sorted, disjoint, non-touching closed intervals.

One canonical form for each set, so that equality of sets is equality of tuples.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import ClassVar

from tunnelgate.records import record

Interval = tuple[int, int]
"""First and last member."""

#: A space is split by so many sets one after the other.
_FEW = 2


@record
class Intervals:
    """A set of integers. Build it with `of`, `single` or `span`; `items` must be canonical."""

    items: tuple[Interval, ...] = ()

    EMPTY: ClassVar[Intervals]

    @classmethod
    def of(cls, intervals: Iterable[Interval]) -> Intervals:
        """The union of any intervals, in any order; O(n log n)."""
        merged: list[Interval] = []
        for interval in sorted(intervals):
            if merged and interval[0] <= merged[-1][1] + 1:
                if interval[1] > merged[-1][1]:
                    merged[-1] = (merged[-1][0], interval[1])
            else:
                merged.append(interval)
        return cls(tuple(merged))

    @classmethod
    def single(cls, value: int) -> Intervals:
        """The set of one integer."""
        return cls(((value, value),))

    @classmethod
    def span(cls, low: int, high: int) -> Intervals:
        """The set of the integers from `low` to `high`, both included."""
        return cls(((low, high),))

    @classmethod
    def union_of(cls, sets: Iterable[Intervals]) -> Intervals:
        """The union of many sets at once; of one, itself."""
        sets = list(sets)
        if len(sets) == 1:
            return sets[0]
        return cls.of(interval for one in sets for interval in one.items)

    def __hash__(self) -> int:
        return hash(self.items)  # a record's own makes a tuple of its fields first

    def __bool__(self) -> bool:
        return bool(self.items)

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.items)

    def __contains__(self, value: int) -> bool:
        at = bisect_right(self.items, value, key=_first) - 1
        return at >= 0 and value <= self.items[at][1]

    def __or__(self, other: Intervals) -> Intervals:
        if not other.items or self is other:
            return self
        return Intervals.of(self.items + other.items) if self.items else other

    def __and__(self, other: Intervals) -> Intervals:
        if len(self.items) == len(other.items) == 1:
            return self._within(other)
        few, many = (self, other) if len(self.items) <= len(other.items) else (other, self)
        if len(few.items) == 1:  # nearly all sets of a policy: an address, a prefix, everything
            (low, high), (first, last) = few.items[0], many.hull()
            if low <= first and last <= high:
                return many
            if last < low or high < first:
                return Intervals.EMPTY
        met: list[Interval] = []
        for low, high in few.items:
            for other_low, other_high in many._touching(low, high):
                met.append((max(low, other_low), min(high, other_high)))
        return _shared(tuple(met), few, many)

    def __sub__(self, other: Intervals) -> Intervals:
        kept: list[Interval] = []
        for low, high in self.items:
            for cut_low, cut_high in other._touching(low, high):
                if cut_low > low:
                    kept.append((low, cut_low - 1))
                low = cut_high + 1
            if low <= high:
                kept.append((low, high))
        return _shared(tuple(kept), self)

    def __le__(self, other: Intervals) -> bool:
        """Whether every member is a member of the other."""
        for low, high in self.items:
            at = bisect_right(other.items, low, key=_first) - 1
            if at < 0 or high > other.items[at][1]:
                return False
        return True

    def overlaps(self, other: Intervals) -> bool:
        """Whether the two sets have a member in common."""
        few, many = (self, other) if len(self.items) <= len(other.items) else (other, self)
        items = many.items
        for low, high in few.items:
            at = bisect_left(items, low, key=_last)
            if at < len(items) and items[at][0] <= high:
                return True
        return False

    def first(self) -> int:
        """The smallest member. Raises IndexError when the set is empty."""
        return self.items[0][0]

    def hull(self) -> Interval:
        """From the smallest member to the largest. Raises IndexError when the set is empty."""
        return self.items[0][0], self.items[-1][1]

    def size(self) -> int:
        """How many members."""
        return sum(high - low + 1 for low, high in self.items)

    def is_single(self) -> bool:
        """Whether the set has exactly one member."""
        return len(self.items) == 1 and self.items[0][0] == self.items[0][1]

    def _within(self, other: Intervals) -> Intervals:
        """The intersection of two that are one interval each, as most are."""
        ((low, high),), ((other_low, other_high),) = self.items, other.items
        if other_low <= low and high <= other_high:
            return self
        if low <= other_low and other_high <= high:
            return other
        low, high = max(low, other_low), min(high, other_high)
        return Intervals(((low, high),)) if low <= high else Intervals.EMPTY

    def _touching(self, low: int, high: int) -> tuple[Interval, ...]:
        """The intervals that have a member in `[low, high]`, in order."""
        items = self.items
        if len(items) == 1:
            return items if items[0][0] <= high and low <= items[0][1] else ()
        return items[bisect_left(items, low, key=_last) : bisect_right(items, high, key=_first)]


def parted(space: Intervals, sets: Sequence[Intervals]) -> list[tuple[frozenset[int], Intervals]]:
    """A space in parts that each set holds wholly or not at all, with the numbers of those that do.

    No two parts are held by the same sets. O(n log n) for n intervals that do not overlap. The
    parts are in the order of their first members.
    """
    if len(sets) <= _FEW:
        return _parted_by_few(space, sets)
    borders: dict[int, list[int]] = {}
    for number, one in enumerate(sets):
        for low, high in one & space:
            borders.setdefault(low, []).append(number)
            borders.setdefault(high + 1, []).append(number)
    for low, high in space:
        borders.setdefault(low, [])
        borders.setdefault(high + 1, [])
    order = sorted(borders)
    found: dict[frozenset[int], list[Interval]] = {}
    held: set[int] = set()
    for low, end in pairwise(order):
        held.symmetric_difference_update(borders[low])
        if low in space:
            found.setdefault(frozenset(held), []).append((low, end - 1))
    return [
        (held_by, _shared(_whole(part), *(sets[number] for number in held_by)))
        for held_by, part in found.items()
    ]


def _parted_by_few(
    space: Intervals, sets: Sequence[Intervals]
) -> list[tuple[frozenset[int], Intervals]]:
    """The same by one set after the other, in half the time: thousands are split by one or two."""
    found: list[tuple[frozenset[int], Intervals]] = [(frozenset(), space)] if space else []
    for number, one in enumerate(sets):
        parts, found = found, []
        for held, part in parts:
            both = part & one
            if both:
                found.append((held | {number}, both))
            if both is not part and (rest := part - one):
                found.append((held, rest))
    return sorted(found, key=_first_of)


def _first_of(part: tuple[frozenset[int], Intervals]) -> int:
    return part[1].first()


def _whole(part: list[Interval]) -> tuple[Interval, ...]:
    """The intervals of a part in their order, those that touch as one."""
    return tuple(part) if len(part) == 1 else Intervals.of(part).items


def _shared(items: tuple[Interval, ...], *known: Intervals) -> Intervals:
    """A set as one that there is already, if it is equal: a proof has thousands of such."""
    for one in known:
        if one.items == items:
            return one
    return Intervals(items)


def _first(interval: Interval) -> int:
    return interval[0]


def _last(interval: Interval) -> int:
    return interval[1]


Intervals.EMPTY = Intervals()
