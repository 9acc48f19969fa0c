"""Packets aimed at the statements of a policy: one that matches, and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from tunnelgate.flows import Intervals, axes
from tunnelgate.meaning import Packet
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import Forward, Rule

#: Addresses that a machine can have and that routing does not treat apart; unknown ones too.
_USABLE = (
    Intervals.of(
        (axes.address_of(low), axes.address_of(high))
        for low, high in (
            ("1.0.0.0", "126.255.255.255"),
            ("128.0.0.0", "223.255.255.255"),
            ("2001::", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        )
    )
    | axes.UNKNOWN
)
_SOURCE_PORTS = (500, 4500, 40000)


def aimed(policy: Policy, choose: Random, rounds: int) -> Iterator[Packet]:
    """For each statement as many packets as rounds, and near misses of each.

    Not to or from the first and last address of a network, which are nobody's, and not of protocol
    0, which no rule of pf can name.
    """
    ends = {end for zone in policy.zones for item in zone.networks for end in item}
    for packet in _all(policy, choose, rounds):
        if {packet.source, packet.destination}.isdisjoint(ends) and packet.l4 >> 16:
            yield packet


def _all(policy: Policy, choose: Random, rounds: int) -> Iterator[Packet]:
    for statement in (*policy.rules, *policy.forwards):
        for _ in range(rounds):
            hit = _forwarded(statement, choose) if isinstance(statement, Forward) else None
            if isinstance(statement, Rule):
                hit = _matched(policy, statement, choose)
            if hit is not None:
                yield from _with_neighbours(policy, hit, choose)


def _matched(policy: Policy, rule: Rule, choose: Random) -> Packet | None:
    sides = list(rule.source), list(rule.destination)
    if not all(sides):
        return None  # `except` has taken everything away
    (zone, sources), (goal, destinations) = map(choose.choice, sides)
    source = _member(sources & _holds(policy, zone), choose)
    if source is None:
        return None
    family = axes.family_axis(axes.family(source))
    destination = _member(destinations & _holds(policy, goal) & family, choose)
    return _packet(zone, source, destination, rule.l4, choose)


def _forwarded(forward: Forward, choose: Random) -> Packet | None:
    if not forward.entries:
        return None
    entry = choose.choice(list(forward.entries))
    destination = _member(entry.addresses, choose)
    if destination is None:
        return None
    family = axes.family_axis(axes.family(destination))
    source = _member(entry.sources & entry.zone.holds & family, choose)
    return None if source is None else _packet(entry.zone, source, destination, forward.l4, choose)


def _packet(
    zone: Zone, source: int, destination: int | None, l4: Intervals, choose: Random
) -> Packet | None:
    if destination is None or source == destination:
        return None
    channel = _channel(l4, axes.family(source), choose)
    if channel is None:
        return None
    packet = Packet(zone, source, destination, channel, choose.choice(_SOURCE_PORTS))
    return packet if zone.over is None else replace(packet, ingress=zone.over, decrypted=True)


def _holds(policy: Policy, zone: Zone) -> Intervals:
    return policy.own_addresses if zone.is_gateway else zone.holds


def _member(addresses: Intervals, choose: Random) -> int | None:
    """An address of a set, its ends as likely as all between."""
    items = (addresses & _USABLE).items
    if not items:
        return None
    low, high = choose.choice(items)
    return choose.choice((low, high, choose.randint(low, high)))


def _channel(l4: Intervals, family: int, choose: Random) -> int | None:
    other = axes.ICMPV6 if family == 4 else axes.ICMP
    fitting = [item for item in l4.items if not item[0] >> 16 == item[1] >> 16 == other]
    if not fitting:
        return None
    low, high = choose.choice(fitting)
    found = choose.choice((low, high, choose.randint(low, high)))
    return None if found >> 16 == other else found


def _with_neighbours(policy: Policy, packet: Packet, choose: Random) -> Iterator[Packet]:
    """The packet; then the channel beside it, another zone, another end, out of no tunnel."""
    yield packet
    zones = [zone for zone in policy.zones[1:] if zone.over is None]
    beside = packet.l4 + choose.choice((-1, 1))
    if beside >> 16 == packet.l4 >> 16:
        yield replace(packet, l4=beside)
    yield replace(packet, ingress=choose.choice(zones), decrypted=False)
    family = axes.family_axis(axes.family(packet.source))
    everywhere = Intervals.union_of(zone.networks for zone in policy.zones) & family
    other = _member(everywhere, choose)
    if other is not None and other != packet.source:
        yield replace(packet, destination=other)
