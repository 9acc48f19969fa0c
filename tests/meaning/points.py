"""Packets at the borders of a policy's sets, as points of its first-match lists."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.fields import (
    ANY_SPI,
    AXES,
    DESTINATION,
    EGRESS,
    L4,
    SOURCE,
    SOURCE_PORT,
    Arrival,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.meaning import Decider, Outcome, Packet
from tunnelgate.policy import Zone
from tunnelgate.policy.model import MULTICAST

Point = tuple[int, ...]


def first(rows: list[Row], point: Point) -> Row:
    """The row that decides."""
    return next(
        row
        for row in rows
        if all(one is None or value in one for value, one in zip(point, row.sets, strict=True))
    )


def borders(rows: Iterable[Row], axis: int) -> list[int]:
    """Members of every set on an axis, and its neighbours."""
    found = set()
    for row in rows:
        for low, high in row.sets[axis] or ():
            found |= {low - 1, low, (low + high) // 2, high, high + 1}
    return sorted(found)


def points(rows: Iterable[Row], egresses: list[int], seed: str, count: int) -> Iterator[Point]:
    """So many packets of one family, each of its coordinates at the border of a set of a row."""
    choose = random.Random(seed)
    rows = list(rows)
    some = [borders(rows, axis) or [0] for axis in range(AXES)]
    some[EGRESS] = egresses or [0]
    some[SOURCE_PORT] += [40000]
    while count:
        point = tuple(choose.choice(one) for one in some)
        exists = (
            point[L4] in axes.ANY_L4
            and point[SOURCE_PORT] in ANY_SPI
            and point[DESTINATION] in axes.ANY_ADDRESS
            and point[SOURCE] in axes.ANY_ADDRESS
        )
        if exists:
            count -= 1
            if axes.family(point[SOURCE]) == axes.family(point[DESTINATION]):
                yield point


def decide(decider: Decider, arrival: Arrival, point: Point) -> Outcome | None:
    """What `decide` says; None for a packet that cannot arrive so."""
    policy = decider.policy
    choice, l4, port, destination, source = point
    ingress = zone_named(policy.zones, arrival.zone)
    if (source in policy.own_addresses) != ingress.is_gateway:
        return None
    holders = policy.zones_of(destination)
    if ingress.is_gateway and (not holders or holders[0].is_gateway or destination in MULTICAST):
        return None
    tunnels = [zone for zone in policy.zones if zone.over is ingress]
    if arrival.decrypted and any(source in zone.holds for zone in tunnels):
        return None  # it arrives in that zone
    packet = Packet(
        ingress, source, destination, l4, min(port, 0xFFFF), arrival.decrypted, spi=port
    )
    egress = policy.zones[choice]
    return decider.decide(packet, egress if egress in holders else None)


def zone_named(zones: Iterable[Zone], name: str) -> Zone:
    """The zone of a name."""
    return next(zone for zone in zones if zone.name == name)
