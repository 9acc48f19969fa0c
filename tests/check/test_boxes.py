"""Cutting boxes and looking them up, against the plain way."""

from __future__ import annotations

from operator import itemgetter

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.check.common import common, meet
from tunnelgate.check.cutting import remove, slabs
from tunnelgate.check.index import BoxIndex
from tunnelgate.flows import Intervals
from tunnelgate.flows import boxes as plain

SPACE = range(12)
place = st.integers(0, 11)
sets = st.lists(
    st.tuples(place, place).map(lambda ends: (min(ends), max(ends))), min_size=1, max_size=3
)
intervals = sets.map(Intervals.of)
planes = st.tuples(intervals, intervals)
many = st.lists(planes, max_size=6)


def points(box: plain.Box) -> set[tuple[int, ...]]:
    """Every point of a plane."""
    return {(x, y) for x in SPACE for y in SPACE if x in box[0] and y in box[1]}


@given(intervals, intervals)
def test_common_is_the_intersection(one: Intervals, other: Intervals) -> None:
    assert common(one, other) == one & other


@given(planes, planes)
def test_meet_is_the_plain_one(one: plain.Box, other: plain.Box) -> None:
    assert meet(one, other) == plain.meet(one, other)


@given(planes, many)
def test_removing_leaves_what_no_cut_has(box: plain.Box, cuts: list[plain.Box]) -> None:
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


@given(planes, many)
def test_an_index_finds_what_meets(box: plain.Box, entries: list[plain.Box]) -> None:
    index = BoxIndex((entry, number) for number, entry in enumerate(entries))
    found = sorted(
        ((number, shared) for number, shared, _ in index.meeting(box)), key=itemgetter(0)
    )
    wanted = [
        (number, shared)
        for number, entry in enumerate(entries)
        if (shared := plain.meet(box, entry)) is not None
    ]
    assert [number for number, _ in found] == [number for number, _ in wanted]
    assert [shared for _, shared in found] == [shared for _, shared in wanted]


@given(planes, many)
def test_an_index_finds_what_holds_all(box: plain.Box, entries: list[plain.Box]) -> None:
    index = BoxIndex((entry, number) for number, entry in enumerate(entries))
    wanted = [number for number, entry in enumerate(entries) if points(box) <= points(entry)]
    assert sorted(index.holding(box)) == wanted
