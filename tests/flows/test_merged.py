"""Fewer boxes hold the same flows, whatever they ask and do not ask."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import Intervals
from tunnelgate.flows.fields import Sets
from tunnelgate.flows.sets import merged, sets

_asked = st.one_of(
    st.none(),
    st.sets(st.integers(0, 3), min_size=1).map(lambda some: Intervals.of((n, n) for n in some)),
)
_boxes = st.lists(
    st.builds(
        lambda l4, goal, source: sets(l4=l4, destination=goal, source=source),
        _asked,
        _asked,
        _asked,
    ),
    max_size=6,
)


def held(boxes: list[Sets] | tuple[Sets, ...]) -> set[tuple[int, ...]]:
    return {
        point
        for point in product(range(4), repeat=3)
        if any(
            all(
                one is None or value in one
                for one, value in zip((box[1], *box[3:]), point, strict=True)
            )
            for box in boxes
        )
    }


@given(_boxes)
def test_merged_boxes_hold_the_same(boxes: list[Sets]) -> None:
    found = merged(boxes)
    assert held(found) == held(boxes)
    assert len(found) <= len(boxes)


def test_a_list_of_hosts_is_one_box() -> None:
    hosts = [sets(source=Intervals.single(n), l4=Intervals.single(5)) for n in range(100)]
    assert merged(hosts) == (sets(source=Intervals.span(0, 99), l4=Intervals.single(5)),)
