"""Boxes: products of sets, one for each axis; and regions: unions of boxes.

The meaning of the axes is the caller's affair; all boxes of one region have the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.flows.intervals import Intervals
from tunnelgate.records import record

Box = tuple[Intervals, ...]
"""The points whose coordinate on each axis is a member of the set there."""


def meet(one: Box, other: Box) -> Box | None:
    """The points of both boxes, None where there are none."""
    sets = []
    for left, right in zip(one, other, strict=True):
        common = left & right
        if not common:
            return None
        sets.append(common)
    return tuple(sets)


def subtract(one: Box, other: Box) -> Iterator[Box]:
    """Disjoint boxes that make up the points of `one` that are not in `other`."""
    common = meet(one, other)
    if common is None:
        yield one
        return
    rest = list(one)
    for axis, shared in enumerate(common):
        outside = rest[axis] - shared
        if outside:
            yield (*rest[:axis], outside, *rest[axis + 1 :])
        rest[axis] = shared


def joined(boxes: Iterable[Box]) -> list[Box]:
    """The same points in fewer boxes: those that differ on one axis alone become one."""
    found = list(boxes)
    count = 1  # one box is as few as can be
    while count != len(found) > 0:
        count = len(found)
        for axis in range(len(found[0])):
            alike: dict[Box, list[Intervals]] = {}
            for box in found:
                alike.setdefault((*box[:axis], *box[axis + 1 :]), []).append(box[axis])
            found = [
                (*rest[:axis], Intervals.union_of(parts), *rest[axis:])
                for rest, parts in alike.items()
            ]
    return found


@record
class Region:
    """A union of boxes; they may overlap. Not canonical: compare by the differences."""

    boxes: tuple[Box, ...] = ()

    @classmethod
    def of(cls, boxes: Iterable[Box]) -> Region:
        """The union of these boxes, the empty ones left out."""
        return cls(tuple(box for box in boxes if all(box)))

    def __bool__(self) -> bool:
        return bool(self.boxes)

    def __or__(self, other: Region) -> Region:
        return Region(self.boxes + other.boxes)

    def __and__(self, other: Region) -> Region:
        found = (meet(one, two) for one in self.boxes for two in other.boxes)
        return Region(tuple(box for box in found if box is not None))

    def __sub__(self, other: Region) -> Region:
        rest: list[Box] = list(self.boxes)
        for cut in other.boxes:
            rest = [piece for box in rest for piece in subtract(box, cut)]
        return Region(tuple(rest))

    def __contains__(self, point: tuple[int, ...]) -> bool:
        return any(
            all(value in axis for value, axis in zip(point, box, strict=True)) for box in self.boxes
        )

    def axis(self, index: int) -> Intervals:
        """The coordinates that points of the region have on one axis."""
        return Intervals.union_of(box[index] for box in self.boxes)
