"""The comparison of first-match lists, against every point of a small space."""

from __future__ import annotations

from itertools import product

import pytest
from evaluate import answer, holds
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.flows import Intervals, firstmatch
from tunnelgate.flows.firstmatch import BudgetExceeded, Row, cases, differences, meetings

SIZE = 6
AXES = 3
SPACE = (Intervals.span(0, SIZE - 1),) * AXES
DROP = "drop"

intervals = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).map(sorted),
    min_size=1,
    max_size=2,
).map(lambda some: Intervals.of((low, high) for low, high in some))
sets = st.tuples(*[st.none() | intervals] * AXES)


def stages(labels: str) -> st.SearchStrategy[list[Row]]:
    rows = st.lists(st.builds(Row, sets, st.sampled_from([*labels, DROP])), max_size=7)
    last = st.builds(Row, st.just((None,) * AXES), st.sampled_from([*labels, DROP]))
    return st.tuples(rows, last).map(lambda both: [*both[0], both[1]])


sides = st.tuples(stages("ab"), stages("xy"))


@settings(max_examples=150)
@given(sides, sides, st.tuples(*[intervals] * AXES), st.sampled_from([1, 64]))
def test_differences_are_the_points_that_differ(one, other, domain, large) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(firstmatch, "_LARGE", large)
        found = differences(one, other, domain, final=[DROP])
    for point in product(range(SIZE), repeat=AXES):
        mine, theirs = answer(one, point, [DROP]), answer(other, point, [DROP])
        differs = holds(domain, point) and [row.label for row in mine] != [
            row.label for row in theirs
        ]
        holding = [difference for difference in found if holds(difference.box, point)]
        assert len(holding) == differs, point
        for difference in holding:
            assert [row.label for row in difference.one] == [row.label for row in mine]
            assert [row.label for row in difference.other] == [row.label for row in theirs]
            if len(mine) == len(theirs) == 1:
                assert (difference.one, difference.other) == (tuple(mine), tuple(theirs))


@settings(max_examples=100)
@given(sides, st.tuples(*[intervals] * AXES))
def test_cases_are_every_point_once_with_its_own_rows(side, domain) -> None:
    found = cases(side, domain, final=[DROP])
    for point in product(range(SIZE), repeat=AXES):
        holding = [rows for box, rows in found if holds(box, point)]
        inside = holds(domain, point)
        assert holding == ([tuple(answer(side, point, [DROP]))] if inside else []), point


@settings(max_examples=100, deadline=None)
@given(sides, st.tuples(*[intervals] * AXES))
def test_meetings_are_the_rows_of_all_cases(side, domain) -> None:
    found = meetings(side, domain, final=[DROP])
    rows = {tuple(map(id, rows)) for _, rows in cases(side, domain, final=[DROP])}
    assert len(found) == len({tuple(map(id, rows)) for rows in found})
    assert {tuple(map(id, rows)) for rows in found} == rows


@given(sides)
def test_a_side_does_not_differ_from_itself(side) -> None:
    assert differences(side, side, SPACE, final=[DROP]) == []


def pairs(count: int, label: str = "a") -> list[Row]:
    rows = [Row((Intervals.single(i), Intervals.single(7 * i), None), label) for i in range(count)]
    return [*rows, Row((None, None, None), DROP)]


WIDE = (Intervals.span(0, 1 << 20),) * AXES


def test_meetings_are_counted_too() -> None:
    lists = [pairs(1000)]
    assert len(meetings(lists, WIDE)) == 1001
    with pytest.raises(BudgetExceeded):
        meetings(lists, WIDE, budget=1000)
    assert meetings(lists, (Intervals.EMPTY, *WIDE[1:])) == []


def test_one_pair_of_many_is_found() -> None:
    fewer = pairs(3000)
    del fewer[1234]
    (found,) = differences([pairs(3000)], [fewer], WIDE, final=[DROP])
    assert found.box == (Intervals.single(1234), Intervals.single(7 * 1234), WIDE[2])


def test_many_pairs_take_work_in_proportion() -> None:
    differences([pairs(2000)], [pairs(2000)], WIDE, budget=20_000)


def test_the_budget_is_kept() -> None:
    with pytest.raises(BudgetExceeded):
        differences([pairs(2000)], [pairs(2000, "b")], WIDE, budget=100)
