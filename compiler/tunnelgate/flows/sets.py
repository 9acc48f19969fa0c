"""What rows ask of each axis of flows: boxes with free axes, made, cut and merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import ANY_SPI, DESTINATION, L4, SOURCE, SOURCE_PORT, Sets
from tunnelgate.flows.intervals import Intervals

_SPACES = {
    L4: axes.ANY_L4,
    SOURCE_PORT: ANY_SPI,
    DESTINATION: axes.ANY_ADDRESS,
    SOURCE: axes.ANY_ADDRESS,
}


@overload
def common(one: Box, other: Sets) -> Box | None: ...
@overload
def common(one: Sets, other: Sets) -> Sets | None: ...
def common(one: Sets, other: Sets) -> Sets | None:
    """What both ask; None where no flow is asked for by both."""
    found = []
    for left, right in zip(one, other, strict=True):
        if left is None or right is None:
            found.append(right if left is None else left)
            continue
        both = left if left is right else left & right
        if not both:
            return None
        found.append(both)
    return tuple(found)


def without(boxes: Sequence[Sets], cuts: Sequence[Sets]) -> list[Sets]:
    """Boxes that make up some boxes less others; disjoint where the former are."""
    pieces = list(boxes)
    for cut in cuts:
        pieces = [rest for piece in pieces for rest in _less(piece, cut)]
    return pieces


def _less(box: Sets, cut: Sets) -> Iterator[Sets]:
    both = common(box, cut)
    if both is None:
        yield box
        return
    rest = list(box)
    for axis, space in _SPACES.items():
        taken = cut[axis]
        if taken is None:
            continue
        here = rest[axis]
        outside = (space if here is None else here) - taken
        if outside:
            yield (*rest[:axis], outside, *rest[axis + 1 :])
        rest[axis] = both[axis]


def sets(
    *,
    l4: Intervals | None = None,
    source_port: Intervals | None = None,
    destination: Intervals | None = None,
    source: Intervals | None = None,
) -> Sets:
    """A box, by the axes that are asked for."""
    return (None, l4, source_port, destination, source)


def of_family(family: int) -> Sets:
    """All packets of a family."""
    axis = axes.family_axis(family)
    return sets(destination=axis, source=axis)


def merged(boxes: Iterable[Sets]) -> tuple[Sets, ...]:
    """The same flows in fewer boxes: those that differ on one axis alone become one.

    A set of 100,000 hosts is one box then, and so are the channels of a pair of hosts.
    """
    for axis in (SOURCE, DESTINATION, L4):
        groups: dict[Sets, list[Sets]] = {}
        anything: dict[Sets, None] = {}
        for box in boxes:
            if box[axis] is not None:
                groups.setdefault((*box[:axis], None, *box[axis + 1 :]), []).append(box)
            else:
                anything[box] = None
        joined = (
            some[0] if len(some) == 1 else (*rest[:axis], _union(some, axis), *rest[axis + 1 :])
            for rest, some in groups.items()
            if rest not in anything
        )
        boxes = [*anything, *joined]
    return tuple(boxes)


def _union(boxes: Sequence[Sets], axis: int) -> Intervals:
    return Intervals.union_of(asked for box in boxes if (asked := box[axis]) is not None)
