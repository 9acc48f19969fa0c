"""Hosts whose ESP has a conntrack zone of its own: what a policy means, in a ruleset's numbers."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows.fields import L4
from tunnelgate.flows.firstmatch import Row
from tunnelgate.meaning import apart
from tunnelgate.meaning.decide import ICMP_ERRORS
from tunnelgate.proof.linux import Linux, Way


class Hosts:
    """The hosts of a policy, and the zone that a ruleset has for each.

    A policy does not say which number a zone has. Whichever the ruleset gives to one packet of a
    host has to be that of all its packets, and of no other host's.
    """

    def __init__(self, linux: Linux) -> None:
        self.linux = linux
        self.policy = linux.world.policy
        self._numbers: dict[object, object] = {}
        for way in self._ways():
            said = linux.host_zones(way, quoted=False)
            for row in self._arriving(way):
                number = _at(said, row)
                if number is not None and number not in self._numbers.values():
                    self._numbers.setdefault(row.label, number)

    def meant(self, way: Way, *, quoted: bool) -> list[Row]:
        """Whose connections packets belong to (meaning/apart.py): labels are numbers of zones."""
        rows = list(self._quoted() if quoted else self._arriving(way))
        return [*(row._replace(label=self._number(row)) for row in rows), apart.SHARED]

    def _number(self, row: Row) -> object:
        return self._numbers.get(row.label, f"a zone for {row.cause}")

    def _ways(self) -> Iterator[Way]:
        for zone in self.policy.zones[1:]:
            for name in self.linux.world.interfaces(zone):
                yield Way(zone, name, decrypted=zone.over is not None)

    def _arriving(self, way: Way) -> Iterator[Row]:
        over = [zone for zone in self.policy.zones if zone.over is way.zone]
        if not (way.decrypted and over):  # what is decrypted is in one of these, or in none
            yield from apart.arriving(self.policy, way.zone)

    def _quoted(self) -> Iterator[Row]:
        for zone in self.policy.zones[1:]:
            for row in apart.sent(self.policy, zone):
                yield row._replace(sets=(*row.sets[:L4], ICMP_ERRORS, *row.sets[L4 + 1 :]))


def _at(said: list[Row], row: Row) -> object:
    """What a list says of the first packet that a row is about."""
    point = [0 if asked is None else asked.first() for asked in row.sets]
    return next(
        one.label
        for one in said
        if all(asked is None or at in asked for at, asked in zip(point, one.sets, strict=True))
    )
