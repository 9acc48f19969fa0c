"""Which of many boxes meet a box, without looking at them all, while more boxes come."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from tunnelgate.flows.fields import AXES, Sets
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.sets import common

#: So few are looked at one after the other.
_FEW = 8
#: A set of more intervals than this stands, and is looked up, as one from its first to its last.
_MANY = 32


class Among:
    """Boxes in the order in which they came; each has the number of those before it."""

    def __init__(self, boxes: Iterable[Sets] = ()) -> None:
        self.boxes: list[Sets] = []
        self._axes = [_Axis() for _ in range(AXES)]
        for box in boxes:
            self.add(box)

    def add(self, box: Sets) -> None:
        """One more box."""
        number = len(self.boxes)
        self.boxes.append(box)
        for axis, asked in zip(self._axes, box, strict=True):
            axis.add(asked, number)

    def meeting(self, box: Sets) -> Iterator[tuple[int, Sets]]:
        """The numbers of those that meet a box, in order, with what each has in common with it."""
        for number in self._candidates(box):
            both = common(box, self.boxes[number])
            if both is not None:
                yield number, both

    def _candidates(self, box: Sets) -> Iterable[int]:
        count = len(self.boxes)
        if count <= _FEW:
            return range(count)
        found = [
            axis.spans(asked)
            for axis, asked in zip(self._axes, box, strict=True)
            if asked is not None
        ]
        spans = min(found, key=_size, default=None)
        if spans is None or _size(spans) >= count:
            return range(count)
        return sorted({item[1] for items, start, end in spans for item in items[start:end]})


_Items = list[tuple[int, int]]
#: Some of a list, from one place to another.
_Span = tuple[_Items, int, int]


def _size(spans: list[_Span]) -> int:
    return sum(end - start for _, start, end in spans)


class _Axis:
    """Intervals by size: in a class up to `s`, none that begins `s` before a place holds it."""

    def __init__(self) -> None:
        self._free: _Items = []  # those that ask nothing here
        self._classes: dict[int, _Items] = {}

    def add(self, asked: Intervals | None, number: int) -> None:
        if asked is None:
            self._free.append((0, number))
            return
        for low, high in _few(asked):
            insort(self._classes.setdefault((high - low).bit_length(), []), (low, number))

    def spans(self, wanted: Intervals) -> list[_Span]:
        """Where in each class the intervals stand that may meet the wanted ones."""
        found: list[_Span] = [(self._free, 0, len(self._free))]
        for low, high in _few(wanted):
            for bits, items in self._classes.items():
                start = bisect_left(items, (low - (1 << bits) + 1,))
                end = bisect_left(items, (high + 1,), lo=start)
                if start < end:
                    found.append((items, start, end))
        return found


def _few(some: Intervals) -> Iterable[tuple[int, int]]:
    if len(some.items) <= _MANY or not some.items:
        return some.items
    return (some.hull(),)
