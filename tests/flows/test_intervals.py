"""The algebra of intervals against sets of integers, which say the same with less cleverness."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import Intervals
from tunnelgate.flows.intervals import parted

TOP = 40
_interval = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(
    lambda pair: (min(pair), max(pair))
)
_intervals = st.lists(_interval, max_size=6).map(Intervals.of)


def members(intervals: Intervals) -> set[int]:
    return {value for low, high in intervals for value in range(low, high + 1)}


def assert_canonical(intervals: Intervals) -> None:
    for low, high in intervals:
        assert low <= high
    for (_, high), (low, _) in zip(intervals.items, intervals.items[1:], strict=False):
        assert high + 1 < low


@given(_intervals, _intervals)
def test_operations_are_those_of_sets(one: Intervals, other: Intervals) -> None:
    for made, expected in (
        (one | other, members(one) | members(other)),
        (one & other, members(one) & members(other)),
        (one - other, members(one) - members(other)),
    ):
        assert members(made) == expected
        assert_canonical(made)


@given(_intervals, _intervals)
def test_questions_are_those_of_sets(one: Intervals, other: Intervals) -> None:
    assert (one <= other) == (members(one) <= members(other))
    assert one.overlaps(other) == bool(members(one) & members(other))
    assert bool(one) == bool(members(one))
    assert one.size() == len(members(one))
    assert one.is_single() == (len(members(one)) == 1)
    if one:
        assert one.first() == min(members(one))


@given(_intervals, st.integers(-2, TOP + 2))
def test_membership(one: Intervals, value: int) -> None:
    assert (value in one) == (value in members(one))


@given(_intervals, _intervals)
def test_equal_sets_are_equal_values(one: Intervals, other: Intervals) -> None:
    assert (one == other) == (members(one) == members(other))


@given(st.lists(_intervals, max_size=5))
def test_union_of_many(many: list[Intervals]) -> None:
    assert members(Intervals.union_of(many)) == set().union(*map(members, many))


@given(_intervals, st.lists(_intervals, max_size=4))
def test_parts_are_held_wholly_or_not_at_all(space: Intervals, sets: list[Intervals]) -> None:
    parts = parted(space, sets)
    assert len({held for held, _ in parts}) == len(parts)
    assert [part.first() for _, part in parts] == sorted(part.first() for _, part in parts)
    assert sum(part.size() for _, part in parts) == space.size()
    for held, part in parts:
        assert_canonical(part)
        for value in members(part):
            assert value in space
            assert {number for number, one in enumerate(sets) if value in one} == held
