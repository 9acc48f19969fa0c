"""Packets that start a connection, leaning towards what a policy speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.meaning import Packet
from tunnelgate.meaning.decide import NEIGHBOUR_DISCOVERY
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import ESP
from tunnelgate.records import replace

_ELSEWHERE = ("8.8.8.8", "2001:db8:99::8", "172.31.0.9")
_SOURCE_PORTS = (500, 4500, 40000)


def packets(
    policy: Policy,
    choose: Random,
    count: int,
    *,
    own: bool = False,
    actual: Callable[[int], int] = lambda value: value,
) -> Iterator[Packet]:
    """Packets of its addresses and their neighbours, its channels and those beside them.

    Most sources live where they come from, some are spoofed. Often the next packet differs in one
    respect only: the same peer and another host, another channel, the other zone.

    own: with some that the gateway itself sends.
    actual: what stands for an address that the policy does not know.
    """
    places = sorted(_places(policy, actual))
    channels = sorted(_channels(policy))
    spis = sorted(_spis(policy))
    zones = [zone for zone in policy.zones[1:] if zone.over is None]
    gateway = policy.gateway
    last: Packet | None = None
    for _ in range(count):
        zone = gateway if own and choose.random() < 0.15 else choose.choice(zones)
        source = _source(policy, zone, places, choose)
        destination = _destination(source, places, last, choose)
        family = axes.family(source)
        l4 = choose.choice([one for one in channels if _fits(one, family)])
        if last is not None and choose.random() < 0.25 and _fits(last.l4, family):
            l4 = last.l4
        if _is_silent(policy, zone, source, destination, actual):
            continue
        if l4 in NEIGHBOUR_DISCOVERY and destination not in policy.own_addresses:
            continue  # the machine speaks it all the time: nobody can tell whose it is on a wire
        last = Packet(zone, source, destination, l4, choose.choice(_SOURCE_PORTS))
        if l4 in ESP and spis:
            last = replace(last, spi=choose.choice(spis))
        yield last


def _source(policy: Policy, zone: Zone, places: list[int], choose: Random) -> int:
    if zone is policy.gateway:
        own = [value for one in policy.zones for value in one.addresses]
        return choose.choice(own or places)
    homes = [place for place in places if place in zone.holds]
    return choose.choice(homes if homes and choose.random() < 0.8 else places)


def _destination(source: int, places: list[int], last: Packet | None, choose: Random) -> int:
    family = axes.family(source)
    if last is not None and axes.family(last.destination) == family and choose.random() < 0.25:
        return last.destination
    return choose.choice([place for place in places if axes.family(place) == family])


def _is_silent(
    policy: Policy, zone: Zone, source: int, destination: int, actual: Callable[[int], int]
) -> bool:
    """What the stack itself never forwards, whatever the rules: to itself, or from itself but not
    by itself.
    """
    own = {actual(value) for one in policy.zones for value in one.addresses}
    if zone is policy.gateway:
        return actual(source) not in own or actual(destination) in own
    return actual(source) in own or source == destination


def _places(policy: Policy, actual: Callable[[int], int]) -> set[int]:
    found: set[int] = set()
    for zone in policy.zones[1:]:
        found |= set(zone.addresses)
        found |= _edges(zone.networks)
    for place in (*policy.hosts, *policy.groups):
        found |= _edges(place.addresses)
    for rule in policy.rules:
        for side in (rule.source, rule.destination):
            for _, addresses in side:
                if addresses != axes.ANY_ADDRESS:
                    found |= _edges(addresses - axes.UNKNOWN)
    found |= {axes.address_of(text) for text in _ELSEWHERE}
    # an own address that the policy does not know is meant by its place on the axis alone
    unknown = [value for zone in policy.zones for value in zone.addresses if axes.is_unknown(value)]
    found -= {actual(value) for value in unknown if actual(value) != value}
    networks = [network for zone in policy.zones for network in zone.networks]
    return {place for place in found if _is_usable(place) and not _is_boundary(place, networks)}


def _channels(policy: Policy) -> set[int]:
    found = {axes.TCP << 16 | 22} | {axes.UDP << 16 | port for port in (9, 500, 4500)}
    found |= {protocol << 16 for protocol in (axes.ESP, axes.AH, axes.GRE, 4, 97, 108)}
    found |= {axes.ICMP << 16 | kind << 8 for kind in (0, 3, 8, 13, 40)}
    found |= {axes.ICMPV6 << 16 | kind << 8 for kind in (1, 2, 128, 129, 135, 140)}
    for statement in (*policy.rules, *policy.forwards):
        for low, high in statement.protocols.l4:
            # the laboratory speaks no SCTP or DCCP that connection tracking takes for valid
            if low >> 16 == high >> 16 and low >> 16 in {axes.TCP, axes.UDP}:
                found |= {low, high}
    return found


def _spis(policy: Policy) -> set[int]:
    """Both ends of each range, and what is beside it."""
    told = [one.options.spi for one in policy.forwards if one.options.spi is not None]
    found = {spi for low, high in told for spi in (low - 1, low, high, high + 1)}
    return {spi for spi in found if spi < 1 << 32}


def _edges(addresses: Intervals) -> set[int]:
    found = set()
    for low, high in addresses.items[:8]:
        found |= {low, low + 1, (low + high) // 2, high} if low < high else {low}
    return found


def _is_usable(place: int) -> bool:
    """Whether a machine can have an address, and routing does not treat it apart."""
    if axes.is_unknown(place):
        return True
    address = axes.to_address(place)
    special = (
        address.is_multicast
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )
    high = int(address) in {0xFFFFFFFF, (1 << 128) - 1} or place < 1 << 24
    return not (special or high or (address.version == 4 and int(address) >= 0xE0000000))


def _is_boundary(place: int, networks: list[Interval]) -> bool:
    """The first and last address of a network are broadcast or router anycast addresses there."""
    return any(low < high and place in {low, high} for low, high in networks)


def _fits(l4: int, family: int) -> bool:
    return l4 >> 16 != (axes.ICMPV6 if family == 4 else axes.ICMP)
