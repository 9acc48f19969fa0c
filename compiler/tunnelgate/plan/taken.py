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
class Taken:
    """Source ports that have to go, towards all of these peers but from the hosts that keep them.

    Attributes:
        ports: of UDP.
        peers: the destinations towards which they have to go.
        keepers: hosts, and the peers towards which the ports of a host stay. Peers of several hosts
            are none of anybody's.
        origins: the forwards that take them.
    """

    ports: Intervals
    peers: Intervals
    keepers: tuple[tuple[int, Intervals], ...]
    origins: tuple[Origin, ...]


def taken(moved: Sequence[Moved]) -> tuple[Taken, ...]:
    """What some forwards take, ports that fare alike together."""
    alike: dict[tuple[Moved, ...], list[int]] = defaultdict(list)
    ports = {port for one in moved for low, high in one.ports for port in range(low, high + 1)}
    for port in sorted(ports):
        alike[tuple(one for one in moved if port in one.ports)].append(port)
    return tuple(
        _of(Intervals.of((port, port) for port in own), some) for some, own in alike.items()
    )


def _of(ports: Intervals, moved: Sequence[Moved]) -> Taken:
    peers_of: dict[int, list[Intervals]] = defaultdict(list)
    for one in moved:
        peers_of[one.host].append(one.peers)
    hosts = {host: Intervals.union_of(peers) for host, peers in peers_of.items()}
    peers, shared = _covered(list(hosts.values()))
    keepers = ((host, own - shared) for host, own in sorted(hosts.items()))
    return Taken(
        ports,
        peers,
        tuple((host, own) for host, own in keepers if own),
        tuple(dict.fromkeys(one.origin for one in moved)),
    )


def _covered(sets: Sequence[Intervals]) -> tuple[Intervals, Intervals]:
    """What at least one set holds, and what at least two do."""
    if len(sets) == 1:
        return sets[0], Intervals.EMPTY
    half = len(sets) // 2
    one, two = _covered(sets[:half])
    other, two_others = _covered(sets[half:])
    return one | other, two | two_others | (one & other)
