"""A set on the axis of protocol and port, taken apart into what a packet filter can match."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals


class Kind(Enum):
    """What a channel is told by."""

    ANY = "any"
    PROTOCOL = "protocol"
    PORT = "port"
    ICMP = "icmp"
    ICMPV6 = "icmpv6"
    SPI = "spi"


class Channel(NamedTuple):
    """Protocols `[low, high]`, or ports, ICMP types or SPIs `[low, high]` of one protocol."""

    kind: Kind
    protocol: int
    low: int
    high: int


_TYPE_KINDS = {axes.ICMP: Kind.ICMP, axes.ICMPV6: Kind.ICMPV6}


@lru_cache(maxsize=4096)
def channels(l4: Intervals) -> tuple[Channel, ...]:
    """The fewest channels that make up a set.

    ICMP is told by its type alone; the table of protocols has no entry that asks for a code.

    Raises:
        ValueError: the set splits a protocol that has neither ports nor types.
    """
    if l4 == axes.ANY_L4:
        return (Channel(Kind.ANY, 0, 0, 0),)
    found: list[Channel] = []
    for interval in l4:
        found.extend(_channels(interval))
    return tuple(found)


def _channels(interval: Interval) -> list[Channel]:
    (first, low), (last, high) = divmod(interval[0], axes.PORTS), divmod(interval[1], axes.PORTS)
    top = axes.PORTS - 1
    if first == last and (low, high) != (0, top):
        return [_partial(first, low, high)]
    found = []
    if low != 0:
        found.append(_partial(first, low, top))
        first += 1
    if high != top:
        last -= 1
    if first <= last:
        found.append(Channel(Kind.PROTOCOL, 0, first, last))
    if high != top:
        found.append(_partial(last + 1, 0, high))
    return found


def _partial(protocol: int, low: int, high: int) -> Channel:
    if protocol in axes.WITH_PORTS:
        return Channel(Kind.PORT, protocol, low, high)
    kind = _TYPE_KINDS.get(protocol)
    if kind is None or low & 0xFF or high & 0xFF != 0xFF:
        raise ValueError(f"protocol {protocol} cannot be split at {low}-{high}")
    return Channel(kind, protocol, low >> 8, high >> 8)
