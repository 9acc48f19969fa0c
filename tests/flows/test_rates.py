"""Rows with a limit, settled: the first row that matches says what all of them say."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import index
from tunnelgate.flows.fields import DROP, EVERYTHING, Delivered, Rate, Sets
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.rates import settled
from tunnelgate.flows.sets import common, sets

SIZE = 5
_some = st.none() | st.sets(st.integers(0, SIZE - 1), min_size=1).map(
    lambda some: Intervals.of((one, one) for one in some)
)
_boxes = st.builds(lambda l4, source: sets(l4=l4, source=source), _some, _some)
_limits = st.integers(1, 4).map(
    lambda n: Delivered("wan", rates=frozenset({Rate(n, "second", False)}))
)
_labels = st.just(DROP) | st.just(Delivered("wan")) | _limits
_lists = st.lists(st.tuples(_boxes, _labels), max_size=12)


def rows_of(some: list[tuple[Sets, str | Delivered]]) -> list[Row]:
    found = [Row(box, label, number) for number, (box, label) in enumerate(some)]
    return [*found, Row(EVERYTHING, DROP, len(found))]


def holds(box: Sets, l4: int, source: int) -> bool:
    point = sets(l4=Intervals.single(l4), source=Intervals.single(source))
    return common(box, point) is not None


def meant(rows: list[Row], l4: int, source: int) -> str | Delivered:
    """What happens to a packet: it passes by any row with credit, before one that needs none."""
    rates: frozenset[Rate] = frozenset()
    for row in rows:
        if not holds(row.sets, l4, source):
            continue
        if isinstance(row.label, Delivered) and row.label.rates:
            rates |= row.label.rates
        elif isinstance(row.label, Delivered) or not rates:
            return row.label
        else:
            return Delivered("wan", rates=rates)
    raise AssertionError("the last row holds everything")


@given(_lists)
def test_the_first_row_says_it_all(some: list[tuple[Sets, str | Delivered]]) -> None:
    rows = rows_of(some)
    found = settled(rows)
    for l4, source in product(range(SIZE), repeat=2):
        first = next(row for row in found if holds(row.sets, l4, source))
        assert first.label == meant(rows, l4, source), (l4, source)


@given(_lists)
def test_what_decides_is_a_statement_that_is_about_it(
    some: list[tuple[Sets, str | Delivered]],
) -> None:
    rows = rows_of(some)
    for row in settled(rows):
        assert isinstance(row.cause, int)
        assert common(row.sets, rows[row.cause].sets) == row.sets


def limited(box: Sets, number: int) -> Row:
    rates = frozenset({Rate(number % 7 + 1, "minute", per_source=True)})
    return Row(box, Delivered("wan", rates=rates), number)


def pairs(count: int) -> list[Row]:
    boxes = (
        sets(
            l4=Intervals.single(n % 50),
            source=Intervals.single(n),
            destination=Intervals.span(3 * n, 3 * n + 1),
        )
        for n in range(count)
    )
    return [*(limited(box, n) for n, box in enumerate(boxes)), Row(EVERYTHING, DROP, count)]


def test_a_limited_row_looks_at_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counting(one: Sets, other: Sets) -> Sets | None:
        nonlocal asked
        asked += 1
        return common(one, other)

    monkeypatch.setattr(index, "common", counting)
    count = 4000
    assert len(settled(pairs(count))) == count + 1
    assert asked < 4 * count


def test_limits_within_each_other_are_no_recursion() -> None:
    count = 1050
    rows = [limited(sets(l4=Intervals.span(0, n)), n) for n in range(count)]
    found = settled([*rows, Row(EVERYTHING, DROP, count)])
    assert [row.cause for row in found] == list(range(count + 1))
