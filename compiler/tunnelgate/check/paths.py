"""Translated paths: which sources, on the way to which destinations, become which address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tunnelgate.check.cutting import remove
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Nat, Policy, Zone

Pair = tuple[Zone, Zone]


class Translation(NamedTuple):
    """What becomes of a source on one path."""

    nat: Nat
    egress: Zone
    public: int


class Paths:
    """The translated paths of a policy, the most specific source winning (language reference)."""

    def __init__(self, policy: Policy, machines: Callable[[Zone], Intervals]) -> None:
        by_pair: dict[Pair, list[tuple[Box, Nat]]] = defaultdict(list)
        for nat in sorted(policy.nats, key=lambda one: one.rank):
            axis = axes.family_axis(nat.family)
            for ingress, sources in nat.source:
                for egress, destinations in nat.destination:
                    box = (
                        sources & machines(ingress) & axis,
                        destinations & machines(egress) & axis,
                    )
                    if all(box):
                        by_pair[ingress, egress].append((box, nat))
        self._pairs = {
            pair: BoxIndex(_effective(pair[1], found)) for pair, found in by_pair.items()
        }

    def __contains__(self, pair: Pair) -> bool:
        return pair in self._pairs

    def translated(
        self, pair: Pair, sources: Intervals, destinations: Intervals
    ) -> Iterator[tuple[Intervals, Intervals, Translation]]:
        """The parts of what goes from sources to destinations that are translated, disjoint."""
        for _, common, translation in self._pairs[pair].meeting((sources, destinations)):
            yield common[0], common[1], translation


def public_address(nat: Nat, egress: Zone) -> int:
    """What a source becomes; the unknown address where the zone has none of the family."""
    found = nat.public_address(egress)
    return axes.unknown_address(egress.carrier.index, nat.family) if found is None else found


def _effective(egress: Zone, found: list[tuple[Box, Nat]]) -> Iterator[tuple[Box, Translation]]:
    """Each translation where no more specific one, further ahead in the list, is."""
    index = BoxIndex((box, None) for box, _ in found)
    for number, (box, nat) in enumerate(found):
        ahead = [common for other, common, _ in index.meeting(box) if other < number]
        translation = Translation(nat, egress, public_address(nat, egress))
        for rest in remove(box, ahead):
            yield rest, translation
