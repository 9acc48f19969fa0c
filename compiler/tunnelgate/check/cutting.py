"""Boxes less other boxes, for very many of them.

`Region.__sub__` meets every piece with every cut. Here one axis is swept at a time: where it is
untouched by the cuts it stays in one piece, so that a zone less 10,000 pairs of addresses is made
of some 10,000 pieces, and the first of them is there without the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.intervals import Interval, Intervals


def remove(box: Box, cuts: Sequence[Box]) -> Iterator[Box]:
    """Disjoint boxes that make up the points of a box that no cut has."""
    if not cuts:
        yield box
    if not cuts or not box:
        return
    first, rest = box[0], box[1:]
    # A cut across the whole axis would be alive in every slab of it: it is taken out before.
    whole = [cut[1:] for cut in cuts if first <= cut[0]]
    if whole:
        partial = [cut for cut in cuts if not first <= cut[0]]
        for left in remove(rest, whole):
            yield from remove((first, *left), partial)
        return
    for slab, alive in slabs(first, [cut[0] for cut in cuts]):
        for left in remove(rest, [cuts[number][1:] for number in alive]):
            yield (slab, *left)


def slabs(space: Intervals, sets: Iterable[Intervals]) -> list[tuple[Intervals, tuple[int, ...]]]:
    """The space in parts that each set holds wholly or not at all, and which sets hold each."""
    events: dict[int, set[int]] = {}
    for number, one in enumerate(sets):
        for low, high in one & space:
            events.setdefault(low, set()).symmetric_difference_update((number,))
            events.setdefault(high + 1, set()).symmetric_difference_update((number,))
    parts: dict[frozenset[int], list[Interval]] = {}
    alive: frozenset[int] = frozenset()
    borders = iter(sorted(events))
    border = next(borders, None)
    for start, last in space:
        low = start
        while border is not None and border <= last:
            if border > low:
                parts.setdefault(alive, []).append((low, border - 1))
            alive ^= events[border]
            low, border = max(low, border), next(borders, None)
        parts.setdefault(alive, []).append((low, last))
        if border == last + 1:
            alive ^= events[border]
            border = next(borders, None)
    return [(Intervals.of(part), tuple(sorted(numbers))) for numbers, part in parts.items()]
