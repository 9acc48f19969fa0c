"""Sets of addresses and channels in the words of a policy: its names where they fit exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.meaning.members import members
from tunnelgate.policy.model import MULTICAST, Policy, Zone
from tunnelgate.policy.table import BY_NAME, IP_PROTOCOL_TITLES

#: More items than this are counted, not listed.
MOST_ITEMS = 6

_TRANSPORTS = {
    axes.TCP: "tcp",
    axes.UDP: "udp",
    axes.SCTP: "sctp",
    axes.DCCP: "dccp",
    axes.UDPLITE: "udplite",
}
_TYPES = {axes.ICMP: "icmp", axes.ICMPV6: "icmpv6"}
#: Names that say the same to everybody, the widest first; others are used where a statement does.
_PLAIN = ("ipsec", "ipsec-nat-t", "icmp", "ike", "nat-t", "esp", "ah", "gre", "ssh")


class Places:
    """Addresses by the names of the zones, groups and hosts of some policies.

    `zones` are the names of zones by their number, for the addresses that are not known.
    """

    def __init__(self, policies: Sequence[Policy], zones: Sequence[str]) -> None:
        self.policies = policies
        self.zones = zones

    def words(self, zone: str, family: int, addresses: Intervals) -> list[str]:
        """What addresses of a zone are called, a word for each part.

        Args:
            zone: its name.
            family: 4 or 6, of all of them.
            addresses: places on the axis of addresses (axes.py).
        """
        if zone == "gateway":
            return self._own(family, addresses)
        for policy in self.policies:
            found = _within(policy, zone, family, addresses)
            if found is not None:
                return found
        return list(_literals(addresses))

    def _own(self, family: int, addresses: Intervals) -> list[str]:
        axis = axes.family_axis(family)
        known = [policy.own_addresses & axis - axes.UNKNOWN for policy in self.policies]
        dynamic = addresses & axes.UNKNOWN
        if dynamic.size() == self._unknown(family) and any(own <= addresses for own in known):
            return ["gateway"]
        words = [f"the address of {self.zone_of(low)}" for low, _ in _points(dynamic)]
        several = MULTICAST & axis
        if several <= addresses:
            addresses -= several
            words.append("multicast")
        return [*_literals(addresses - dynamic), *words]

    def _unknown(self, family: int) -> int:
        """How many addresses of the gateway are not known."""
        axis = axes.family_axis(family) & axes.UNKNOWN
        return max((policy.own_addresses & axis).size() for policy in self.policies)

    def zone_of(self, place: int) -> str:
        """The name of the zone whose unknown address has this place."""
        return self.zones[axes.unknown_index(place)]

    def address(self, place: int) -> str:
        """What one address is called."""
        if axes.is_unknown(place):
            return f"the address of {self.zone_of(place)}"
        return str(axes.to_address(place))


def _within(policy: Policy, name: str, family: int, addresses: Intervals) -> list[str] | None:
    """The words for a part of a zone; None where the policy has no such zone."""
    zone = next((zone for zone in policy.zones if zone.name == name), None)
    if zone is None:
        return None
    whole = _machines(policy, zone) & axes.family_axis(family)
    if whole <= addresses:
        return [zone.name]
    named = [(group.name, group.addresses & whole) for group in policy.groups]
    named += [(host.name, host.addresses & whole) for host in policy.hosts]
    named = [(word, held) for word, held in named if held]
    missing, rest = _covered(whole - addresses, named)
    if missing and not rest:
        return [f"{zone.name} except {', '.join(missing)}"]
    found, rest = _covered(addresses, named)
    return [*found, *_literals(rest)]


def _covered(
    addresses: Intervals, named: Sequence[tuple[str, Intervals]]
) -> tuple[list[str], Intervals]:
    """The names that fit wholly into a set, and what they leave of it."""
    words = []
    for word, held in named:
        if held <= addresses:
            words.append(word)
            addresses -= held
    return words, addresses


def _points(addresses: Intervals) -> Iterator[Interval]:
    for low, high in addresses:
        yield from ((place, place) for place in range(low, high + 1))


@lru_cache(maxsize=256)
def _machines(policy: Policy, zone: Zone) -> Intervals:
    return members(policy, zone, zone.holds) - MULTICAST


def _literals(addresses: Intervals) -> Iterator[str]:
    """Addresses as they are written: an address, a prefix or a range for each part."""
    for interval in addresses:
        yield _literal(interval)


def _literal(interval: Interval) -> str:
    if interval[0] == interval[1]:
        return str(axes.to_address(interval[0]))
    if axes.is_network(interval):
        return str(*axes.to_networks(interval))
    return f"{axes.to_address(interval[0])}-{axes.to_address(interval[1])}"


def channel_words(
    l4: Intervals, family: int, names: Iterable[str] = (), without: Intervals = Intervals.EMPTY
) -> Sequence[str]:
    """What a set on the axis of protocol and port is called.

    Args:
        l4: the set; ICMP of the other family is left out of account.
        family: 4 or 6.
        names: protocols that are used as words where they fit, besides those that always are.
        without: what is left out of account, too; the set holds nothing of it.
    """
    return _channel_words(l4, family, tuple(names), without)


@lru_cache(maxsize=256)
def _channel_words(
    l4: Intervals, family: int, names: tuple[str, ...], without: Intervals
) -> Sequence[str]:
    other_icmp = Intervals.of([axes.l4(axes.ICMPV6 if family == 4 else axes.ICMP)])
    possible = axes.ANY_L4 - other_icmp - without
    lacking = possible - l4
    if not lacking:
        return ["any"]
    if len(lacking.items) < len(l4.items) or lacking.size() < l4.size() // 2:
        words = _channels(lacking, possible, names)
        return [f"any except {', '.join(words)}"]
    return _channels(l4, possible, names)


def _channels(l4: Intervals, possible: Intervals, names: Iterable[str]) -> list[str]:
    found, rest = [], l4
    for name in (*names, *_PLAIN):
        row = BY_NAME.get(name)
        held = row.l4 & possible if row is not None else Intervals.EMPTY
        if held and held <= rest:
            found.append(name)
            rest -= held
    return [*found, *(word for interval in rest for word in _channel(interval))]


def _channel(interval: Interval) -> Iterator[str]:
    """An interval as literals, one for each protocol that it holds in part."""
    low, high = interval
    while low <= high:
        protocol = low >> 16
        last = min(high, axes.l4(protocol)[1])
        yield _literal_channel(protocol, low & 0xFFFF, last & 0xFFFF)
        low = last + 1


def _literal_channel(protocol: int, low: int, high: int) -> str:
    if (low, high) == (0, axes.PORTS - 1):
        title = IP_PROTOCOL_TITLES.get(protocol, "").lower()
        return title if title in BY_NAME else _TRANSPORTS.get(protocol, f"ip/{protocol}")
    if protocol in _TYPES:
        low, high = low >> 8, high >> 8
    word = _TRANSPORTS.get(protocol) or _TYPES.get(protocol) or f"ip/{protocol}"
    return f"{word}/{low}" if low == high else f"{word}/{low}-{high}"


def joined(words: Sequence[str]) -> str:
    """Words in a row, the many counted: `a, b and 7 others`."""
    if len(words) <= MOST_ITEMS:
        return ", ".join(words)
    shown = MOST_ITEMS - 1
    return f"{', '.join(words[:shown])} and {len(words) - shown} others"
