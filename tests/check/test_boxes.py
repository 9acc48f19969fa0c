"""Cutting boxes, against the plain way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.check.cutting import remove, slabs
from tunnelgate.flows import Intervals
from tunnelgate.flows.boxes import Box

SPACE = range(12)
place = st.integers(0, 11)
sets = st.lists(
    st.tuples(place, place).map(lambda ends: (min(ends), max(ends))), min_size=1, max_size=3
)
intervals = sets.map(Intervals.of)
planes = st.tuples(intervals, intervals)
many = st.lists(planes, max_size=6)


def points(box: Box) -> set[tuple[int, ...]]:
    """Every point of a plane."""
    return {(x, y) for x in SPACE for y in SPACE if x in box[0] and y in box[1]}


@given(planes, many)
def test_removing_leaves_what_no_cut_has(box: Box, cuts: list[Box]) -> None:
    left = list(remove(box, cuts))
    found = [point for piece in left for point in points(piece)]
    assert len(found) == len(set(found)), "pieces overlap"
    assert set(found) == points(box) - {point for cut in cuts for point in points(cut)}


@given(intervals, st.lists(intervals, max_size=5))
def test_slabs_are_held_wholly_or_not_at_all(space: Intervals, some: list[Intervals]) -> None:
    found = slabs(space, some)
    assert Intervals.union_of(slab for slab, _ in found) == space
    for slab, alive in found:
        for number, one in enumerate(some):
            assert (slab <= one) if number in alive else not slab.overlaps(one)
