"""Hosts whose ESP has a conntrack zone of its own: what a policy means, in a ruleset's numbers."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows.fields import L4, SOURCE
from tunnelgate.flows.firstmatch import Row
from tunnelgate.meaning import apart
from tunnelgate.meaning.decide import ICMP_ERRORS
from tunnelgate.proof.linux import Linux
from tunnelgate.proof.world import Way


class Hosts:
    """The hosts of a policy, and the zone that a ruleset has for each.

    A policy does not say which number a zone has. Whichever the ruleset gives to errors about what
    a host gets has to be that of all its packets, and of no other host's.
    """

    def __init__(self, linux: Linux) -> None:
        self.policy = linux.world.policy
        self._numbers: dict[object, object] = {}
        taken: set[object] = set()
        way = Way(self.policy.gateway, None, decrypted=False)
        for row in linux.host_zones(way, quoted=True):
            host = row.sets[SOURCE]
            if host is not None and host.first() not in self._numbers and row.label not in taken:
                self._numbers[host.first()] = row.label
                taken.add(row.label)

    def meant(self, way: Way, *, quoted: bool) -> list[Row]:
        """Whose connections packets belong to (meaning/apart.py): labels are numbers of zones."""
        rows = list(self._quoted() if quoted else self._arriving(way))
        return [*(row._replace(label=self._number(row)) for row in rows), apart.SHARED]

    def _number(self, row: Row) -> object:
        return self._numbers.get(row.label, f"a zone for {row.cause}")

    def _arriving(self, way: Way) -> Iterator[Row]:
        over = [zone for zone in self.policy.zones if zone.over is way.zone]
        if not (way.decrypted and over):  # what is decrypted is in one of these, or in none
            yield from apart.arriving(self.policy, way.zone)

    def _quoted(self) -> Iterator[Row]:
        for zone in self.policy.zones[1:]:
            for row in apart.sent(self.policy, zone):
                yield row._replace(sets=(*row.sets[:L4], ICMP_ERRORS, *row.sets[L4 + 1 :]))
