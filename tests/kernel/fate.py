"""What should become of a packet, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from lab import Arrival, Lab, Observation, Probe

#: Seconds; two jiffies of the slowest kernel (CONFIG_HZ=100): counts look no more often whether the
#: connections that they have counted are still there (nf_conncount).
JIFFIES = 0.02


@dataclass(frozen=True)
class Fate:
    """What should become of a probe; by default it is dropped.

    wires: those by any of which it may leave.  is_local: the gateway itself receives it.
    source, destination, sport, dport: as it leaves; no ports where a protocol has none.
    is_moved: its source port is another, above those of IKE.
    """

    wires: tuple[str, ...] = ()
    is_local: bool = False
    source: str = ""
    destination: str = ""
    sport: int | None = None
    dport: int | None = None
    is_moved: bool = False

    def agrees(self, seen: Observation, *, any_port: bool = False) -> bool:
        """Whether this is what was seen.

        any_port: its source port may be another, since somebody else has that one.
        """
        if self.is_local:
            return bool(seen.local)
        if not self.wires:
            return seen.dropped
        if len(seen.arrivals) != 1 or seen.arrival.wire not in self.wires:
            return False
        found = seen.arrival
        if not _is_whole(found) or (ip_address(found.source), ip_address(found.destination)) != (
            ip_address(self.source),
            ip_address(self.destination),
        ):
            return False
        if self.sport is None:
            return True
        if self.is_moved:
            return found.dport == self.dport and (found.sport or 0) > 4500
        return found.dport == self.dport and (any_port or found.sport == self.sport)


def _is_whole(found: Arrival) -> bool:
    """Whether it arrived as somebody can use it: AH verifies, all fragments are there."""
    return found.complete and found.icv_ok is not False and found.checksum_ok is not False


def unexpected(lab: Lab, probe: Probe, fate: Fate, *, is_answered: bool) -> Observation | None:
    """Send a packet: what was seen that should not be.

    is_answered: if it gets through to another machine, the answer has to find who asked.
    """
    seen = lab.send(probe)
    if not fate.agrees(seen):
        return seen
    if not (seen.arrivals and is_answered):
        return None
    answer = lab.reply(seen)
    there = [(one.wire, one.source, one.destination) for one in (*answer.arrivals, *answer.local)]
    return None if there == [(probe.wire, probe.destination, probe.source)] else answer
