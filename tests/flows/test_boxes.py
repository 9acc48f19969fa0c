"""Regions against the points they hold."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import Box, Intervals, Region
from tunnelgate.flows.boxes import joined, meet, subtract

TOP = 5
POINTS = list(product(range(TOP + 1), repeat=3))
_interval = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(
    lambda pair: (min(pair), max(pair))
)
_set = st.lists(_interval, min_size=1, max_size=2).map(Intervals.of)
_box = st.tuples(_set, _set, _set)
_region = st.lists(_box, max_size=3).map(Region.of)


def held(box: Box) -> set[tuple[int, ...]]:
    return {
        point
        for point in POINTS
        if all(value in axis for value, axis in zip(point, box, strict=True))
    }


def points(region: Region) -> set[tuple[int, ...]]:
    return {point for point in POINTS if point in region}


@given(_region, _region)
def test_operations_are_those_of_sets(one: Region, other: Region) -> None:
    assert points(one | other) == points(one) | points(other)
    assert points(one & other) == points(one) & points(other)
    assert points(one - other) == points(one) - points(other)
    assert bool(one - other) == bool(points(one) - points(other))


@given(_box, _box)
def test_a_difference_of_boxes_is_disjoint(one: Box, other: Box) -> None:
    pieces = list(subtract(one, other))
    assert sum(len(held(piece)) for piece in pieces) == len(held(one) - held(other))
    common = meet(one, other)
    assert (held(common) if common else set()) == held(one) & held(other)


@given(st.lists(_box, max_size=4))
def test_joined_boxes_hold_the_same_points(boxes: list[Box]) -> None:
    assert set().union(*map(held, joined(boxes))) == set().union(*map(held, boxes))


@given(_box, _box)
def test_boxes_cut_apart_are_joined(one: Box, cut: Box) -> None:
    middle = meet(one, cut)
    pieces = [*subtract(one, cut), *([middle] if middle else [])]
    assert joined(pieces) == [one]


@given(_region)
def test_an_axis_is_the_shadow_of_the_region(region: Region) -> None:
    for index in range(3):
        shadow = {point[index] for point in points(region)}
        assert {
            value for low, high in region.axis(index) for value in range(low, high + 1)
        } == shadow
