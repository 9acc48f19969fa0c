"""Tiers say the same as the order they come from: tried with every packet of a small space."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.plan import Match, tiers

_SPAN = 8


class Node(NamedTuple):
    """A match, and what is done with it."""

    match: Match
    effect: int


def some(choose: random.Random) -> Intervals:
    """One or two intervals of the small space, or everything."""
    if choose.random() < 0.2:
        return axes.ANY_ADDRESS
    ends = [sorted(choose.choices(range(_SPAN), k=2)) for _ in range(choose.randint(1, 2))]
    return Intervals.of((low, high) for low, high in ends)


def nodes(seed: int) -> list[Node]:
    choose = random.Random(seed)
    return [
        Node(Match(some(choose), some(choose)), choose.randrange(3))
        for _ in range(choose.randint(1, 12))
    ]


@pytest.mark.parametrize("seed", range(100))
def test_whoever_of_the_first_tier_holds_a_packet_does_what_the_first_node_does(seed: int) -> None:
    every = nodes(seed)
    made = tiers(every, lambda node: node.effect)
    assert sorted(map(id, every)) == sorted(id(node) for tier in made for node in tier)
    for source in range(_SPAN):
        for destination in range(_SPAN):

            def holds(node: Node, ends: tuple[int, int] = (source, destination)) -> bool:
                return ends[0] in node.match.source and ends[1] in node.match.destination

            first = next((node.effect for node in every if holds(node)), None)
            met = [{node.effect for node in tier if holds(node)} for tier in made]
            assert next(filter(None, met), {None}) == {first}


def test_what_does_not_meet_is_one_tier() -> None:
    hosts = [Node(Match(source=Intervals.single(number)), number) for number in range(100)]
    whole = Node(Match(source=Intervals.span(0, 99)), 100)
    assert tiers([*hosts, whole], lambda node: node.effect) == [hosts, [whole]]
    assert tiers([], lambda node: node.effect) == []


def test_what_all_does_one_thing_is_one_tier() -> None:
    same = [Node(Match(source=Intervals.span(0, number)), 1) for number in range(9)]
    assert tiers(same, lambda node: node.effect) == [same]
