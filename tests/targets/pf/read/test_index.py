"""A line with lists is asked as few rules, which hold for what its many rules hold for."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import axes
from tunnelgate.flows.crossings import Crossing, Fate, Piece
from tunnelgate.flows.intervals import Intervals
from tunnelgate_targets.pf.read import Dialect, read
from tunnelgate_targets.pf.read.index import Index
from tunnelgate_targets.pf.read.machine import Asked
from tunnelgate_targets.pf.read.ruleset import Action, Criteria, Rule
from tunnelgate_targets.pf.read.walk import Walk

SPACE = range(3)
ARRIVING = Crossing(inward=True, interface="em0", received="em0")

some = st.none() | st.sets(st.sampled_from(SPACE)).map(
    lambda members: Intervals.of((one, one) for one in members)
)
asking = st.builds(Asked, some, some, some, some, some, st.none())


def holds(asked: Asked, point: tuple[int, ...]) -> bool:
    return all(
        wanted is None or value in wanted for wanted, value in zip(asked, point, strict=False)
    )


@given(st.lists(asking, max_size=5))
def test_together_they_ask_for_what_they_asked_for(many: list[Asked]) -> None:
    rule = Rule(1, Action.PASS, Criteria(), quick=True)
    joined = [asked for *_, asked in Index((rule, one) for one in many).from_(0, Piece())]
    assert len(joined) <= len(many)
    # of the two sets of channels one is asked, by what packet it is: both hold for the same rule
    for channel, *rest in product(SPACE, repeat=4):
        for opens in (True, False):
            point = (channel, *rest)
            before, after = (
                any(holds(_one_sort(one, opens=opens), point) for one in asked)
                for asked in (many, joined)
            )
            assert before == after


def _one_sort(asked: Asked, *, opens: bool) -> Asked:
    l4, l4_opened, *rest = asked
    return Asked(l4 if opens else l4_opened, *rest, None)  # type: ignore[arg-type]


def fates(text: str) -> list[tuple[Piece, Fate]]:
    gate = Walk(read(text, Dialect.MODERN), 4, "pf.conf", alone=True).on({})
    return list(gate.crossed(Piece(), ARRIVING))


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ("pass in quick proto udp to port { 500 4500 } tag of-$dstport\n", 2),
        ("pass in quick proto udp to port 500\npass in quick proto udp to port 4500\n", 2),
        ("pass in quick proto udp to port { 500 4500 } tag same\n", 1),
        ("pass in quick proto { 47 50 } from { 10.0.0.1 10.0.0.3 } to 10.0.0.9\n", 1),
    ],
)
def test_a_line_with_lists_is_one_rule_where_they_do_the_same(text: str, passing: int) -> None:
    kept = [piece for piece, fate in fates(text) if fate is Fate.KEPT]
    assert len(kept) == passing


def test_what_is_translated_meets_the_next_rule_of_its_line() -> None:
    text = "match in inet proto udp to { 10.0.0.1 10.0.0.2 } rdr-to 10.0.0.2\npass in quick\n"
    assert {piece.destination for piece, _ in fates(text)} == {None, axes.address_of("10.0.0.2")}
