"""Nodes of which the first that matches counts, as few tiers in a row.

Of two nodes of one tier no packet meets both, or both do the same with it: a target may look them
up in any order. Translations are nested mostly, hosts in their network, so that there are as many
tiers as it takes to get from the narrowest to the widest.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol, TypeVar

from tunnelgate.plan.model import Match


class _Matching(Protocol):
    @property
    def match(self) -> Match: ...


Node = TypeVar("Node", bound=_Matching)


def tiers(nodes: Sequence[Node], effect: Callable[[Node], Hashable]) -> list[list[Node]]:
    """The tiers of some nodes; those of one keep their order."""
    effects = [effect(node) for node in nodes]
    earlier: list[set[int]] = [set() for _ in nodes]
    if len(set(effects)) > 1:
        for one, other in _meeting([node.match for node in nodes]):
            if effects[one] != effects[other]:
                earlier[max(one, other)].add(min(one, other))
    places: list[int] = []
    for some in earlier:
        places.append(max((places[one] + 1 for one in some), default=0))
    found: list[list[Node]] = [[] for _ in range(max(places, default=-1) + 1)]
    for place, node in zip(places, nodes, strict=True):
        found[place].append(node)
    return found


def _meeting(matches: Sequence[Match]) -> Iterator[tuple[int, int]]:
    """The pairs of matches that one packet meets, by a sweep along what tells most apart."""
    sides = (
        [one.source for one in matches],
        [one.destination for one in matches],
        [one.l4 for one in matches],
    )
    along = max(sides, key=lambda side: len(set(side)))
    spans = sorted((*span, number) for number, some in enumerate(along) for span in some)
    active: list[tuple[int, int]] = []
    for low, high, number in spans:
        active = [one for one in active if one[0] >= low]
        for _, other in active:
            if number != other and _meet(matches[number], matches[other]):
                yield number, other
        active.append((high, number))


def _meet(one: Match, other: Match) -> bool:
    return (
        one.source.overlaps(other.source)
        and one.destination.overlaps(other.destination)
        and one.l4.overlaps(other.l4)
    )
