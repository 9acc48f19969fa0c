"""Many forwards of IKE as few rules: which source ports have to go, and who keeps them.

A forward takes a port of a peer's packets for one host; what other hosts send from that port to
that peer has to leave from another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tunnelgate.flows.intervals import Intervals
from tunnelgate.plan.model import Moved, Origin
from tunnelgate.records import record


@record
class Keeper:
    """A host that keeps its source ports towards some peers, for it is the one that these reach."""

    host: int
    peers: Intervals
    origins: tuple[Origin, ...]


@record
class Taken:
    """Source ports of UDP that have to go, but from the hosts that keep them.

    Attributes:
        ports: of UDP.
        keepers: no peer is of two of them.
    """

    ports: Intervals
    keepers: tuple[Keeper, ...]

    @property
    def peers(self) -> Intervals:
        """The destinations towards which the ports have to go."""
        return Intervals.union_of(one.peers for one in self.keepers)


def taken(moved: Sequence[Moved]) -> tuple[Taken, ...]:
    """What some forwards take, ports that fare alike together."""
    alike: dict[tuple[Moved, ...], list[int]] = defaultdict(list)
    ports = {port for one in moved for low, high in one.ports for port in range(low, high + 1)}
    for port in sorted(ports):
        alike[tuple(one for one in moved if port in one.ports)].append(port)
    return tuple(
        Taken(Intervals.of((port, port) for port in own), tuple(_keepers(some)))
        for some, own in alike.items()
    )


def _keepers(moved: Sequence[Moved]) -> list[Keeper]:
    by_host: dict[int, list[Moved]] = defaultdict(list)
    for one in moved:
        by_host[one.host].append(one)
    return [
        Keeper(
            host,
            Intervals.union_of(one.peers for one in some),
            tuple(dict.fromkeys(one.origin for one in some)),
        )
        for host, some in by_host.items()
    ]
