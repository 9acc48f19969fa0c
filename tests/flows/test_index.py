"""Boxes looked up, against looking at all of them."""

from __future__ import annotations

from operator import itemgetter
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import Intervals, index
from tunnelgate.flows.fields import Sets
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.sets import common

_places = st.integers(0, 11)
_ends = st.tuples(_places, _places).map(lambda ends: (min(ends), max(ends)))
_intervals = st.lists(_ends, min_size=1, max_size=6).map(Intervals.of)
_wanted = st.tuples(_intervals, _intervals)
_boxes = st.tuples(_intervals | st.none(), _intervals | st.none())
_some = st.lists(_boxes, max_size=20)
_numbers = st.integers(0, 20)
#: From how many intervals on a set is long: as it is, and so that sets of these few places are.
_limits = st.sampled_from([{"_SOME": 32, "_MANY": 256}, {"_SOME": 1, "_MANY": 2}])


def index_of(boxes: list[Sets], asked_before: int) -> BoxIndex[int]:
    """An index of boxes with their numbers; it is asked something before the last of them come."""
    found = BoxIndex((box, number) for number, box in enumerate(boxes[:asked_before]))
    list(found.holding((Intervals.single(0), Intervals.single(0))))
    for number, box in enumerate(boxes[asked_before:], start=len(found.entries)):
        found.add(box, number)
    return found


def met(boxes: list[Sets], box: Sets) -> list[tuple[int, Sets, int]]:
    found = ((number, common(box, one)) for number, one in enumerate(boxes))
    return [(number, both, number) for number, both in found if both is not None]


@given(_some, _numbers, _wanted, _limits)
def test_what_meets_a_box(boxes: list[Sets], before: int, box: Sets, limits: dict) -> None:
    with patch.multiple(index, **limits):
        found = list(index_of(boxes, before).meeting(box))
    assert sorted(found, key=itemgetter(0)) == met(boxes, box)


@given(_some, _numbers, _boxes, _numbers, _limits)
def test_what_meets_a_box_in_order(
    boxes: list[Sets], before: int, box: Sets, first: int, limits: dict
) -> None:
    with patch.multiple(index, **limits):
        found = list(index_of(boxes, before).in_order(box, first))
    assert found == [one for one in met(boxes, box) if one[0] >= first]


@given(_some, _numbers, _wanted, _limits)
def test_what_holds_a_box(boxes: list[Sets], before: int, box: Sets, limits: dict) -> None:
    with patch.multiple(index, **limits):
        found = sorted(index_of(boxes, before).holding(box))
    assert found == [number for number, both, _ in met(boxes, box) if both == box]


def test_few_candidates_are_left_of_boxes_in_small_steps() -> None:
    """Boxes of one length that is no power of two: each overlaps a thousand others."""
    boxes = [(Intervals.span(at, at + 1030), Intervals.span(0, 9)) for at in range(4000)]
    found = BoxIndex((box, None) for box in boxes)
    asked = 0

    class Counted(Intervals):
        def __le__(self, other: Intervals) -> bool:
            nonlocal asked
            asked += 1
            return super().__le__(other)

    for place, rest in boxes:
        assert len(list(found.holding((Counted(place.items), rest)))) == 1
    assert asked == len(boxes)
