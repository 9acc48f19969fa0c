"""The axes on which flows are told apart, each a range of integers.

Addresses of both families share one axis, so that a set of addresses is one `Intervals`:
IPv4 first, IPv6 behind it, and behind both a place for each address that exists but that the
policy does not know ("the address DHCP gave to eth0").

Protocol and port share one axis too: `protocol << 16 | port`. `esp` is the interval of all its
65,536 places, `udp/500` a single one, "everything but ssh" a difference. The lower half is the
destination port for TCP, UDP, SCTP, DCCP and UDP-Lite, `type << 8 | code` for ICMP and ICMPv6, and
never tells two packets of another protocol apart.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    summarize_address_range,
)

from tunnelgate.flows.intervals import Interval, Intervals

_V6 = 1 << 32
_UNKNOWN4 = _V6 + (1 << 128)
_UNKNOWN6 = _UNKNOWN4 + (1 << 16)
_END = _UNKNOWN6 + (1 << 16)

IPV4 = Intervals.of([(0, _V6 - 1), (_UNKNOWN4, _UNKNOWN6 - 1)])
IPV6 = Intervals.of([(_V6, _UNKNOWN4 - 1), (_UNKNOWN6, _END - 1)])
UNKNOWN = Intervals.span(_UNKNOWN4, _END - 1)
ANY_ADDRESS = Intervals.span(0, _END - 1)

PORTS = 1 << 16
ANY_L4 = Intervals.span(0, (256 << 16) - 1)

ICMP, TCP, UDP, DCCP, GRE, ESP, AH, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 47, 50, 51, 58, 132, 136
WITH_PORTS = frozenset({TCP, UDP, DCCP, SCTP, UDPLITE})
"""Protocols whose destination port the lower half of the axis is."""
WITH_TYPES = frozenset({ICMP, ICMPV6})
"""Protocols whose type and code the lower half of the axis is."""
EXTENSIONS = frozenset({0, 43, 44, 60})
"""Extension headers of IPv6, which no packet has for its protocol (RFC 8200 section 4)."""


def address(value: IPv4Address | IPv6Address) -> int:
    """The place of an address on the axis."""
    return int(value) if value.version == 4 else _V6 + int(value)


def address_of(text: str) -> int:
    """The place of an address in its usual notation. Raises ValueError."""
    return address(ip_address(text))


def endpoint_of(text: str) -> tuple[int, str]:
    """The place of the address of an endpoint, and its ports as written, "" where it has none.

    Endpoints are `192.0.2.1`, `192.0.2.1:80` and `[2001:db8::1]:80` (nft(8), NAT statements;
    iptables-extensions(8), DNAT). Raises ValueError.
    """
    if text.startswith("["):
        inner, _, rest = text[1:].partition("]")
        before, colon, ports = rest.partition(":")
    elif text.count(":") == 1:
        before = ""
        inner, colon, ports = text.partition(":")
    else:
        return address_of(text), ""
    if before or bool(colon) != bool(ports):
        raise ValueError(f"no address and port: {text}")
    return address_of(inner), ports


def network(value: IPv4Network | IPv6Network) -> Interval:
    """The places of a prefix on the axis."""
    return address(value.network_address), address(value.broadcast_address)


def unknown_address(index: int, family: int) -> int:
    """The place of the address that nobody knows of the zone with this index (below 65,536)."""
    return (_UNKNOWN4 if family == 4 else _UNKNOWN6) + index


def unknown_index(value: int) -> int:
    """The index of the zone whose unknown address has this place."""
    return value - (_UNKNOWN4 if value < _UNKNOWN6 else _UNKNOWN6)


def is_unknown(value: int) -> bool:
    """Whether this place stands for an address that the policy does not know."""
    return value >= _UNKNOWN4


def family(value: int) -> int:
    """4 or 6."""
    if value >= _UNKNOWN4:
        return 4 if value < _UNKNOWN6 else 6
    return 4 if value < _V6 else 6


def family_axis(version: int) -> Intervals:
    """All addresses of a family, the unknown ones too."""
    return IPV4 if version == 4 else IPV6


def to_address(value: int) -> IPv4Address | IPv6Address:
    """The address at a place. Raises ValueError for the place of an unknown one."""
    if value >= _UNKNOWN4:
        raise ValueError("an unknown address has no notation")
    return IPv4Address(value) if value < _V6 else IPv6Address(value - _V6)


def to_networks(interval: Interval) -> list[IPv4Network | IPv6Network]:
    """The fewest prefixes that make up an interval of one family."""
    first, last = to_address(interval[0]), to_address(interval[1])
    return list(summarize_address_range(first, last))


def is_network(interval: Interval) -> bool:
    """Whether an interval of one family is one prefix."""
    low, high = interval
    first, size = low if low < _V6 else low - _V6, high - low + 1
    return size & (size - 1) == 0 and first % size == 0


def l4(protocol: int, low: int = 0, high: int = PORTS - 1) -> Interval:
    """The places of a protocol, or of a range of its ports or types, on the axis."""
    return protocol << 16 | low, protocol << 16 | high
