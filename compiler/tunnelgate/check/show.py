"""How addresses, channels and numbers read in a message."""

from __future__ import annotations

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.policy.table import IP_PROTOCOL_TITLES

_TRANSPORTS = {
    axes.TCP: "tcp",
    axes.UDP: "udp",
    axes.SCTP: "sctp",
    axes.DCCP: "dccp",
    axes.UDPLITE: "udplite",
    axes.ICMP: "icmp",
    axes.ICMPV6: "icmpv6",
}


def show_place(value: int) -> str:
    """One address."""
    if axes.is_unknown(value):
        return "the gateway's dynamic address"
    return str(axes.to_address(value))


def show_addresses(addresses: Intervals) -> str:
    """A set of addresses, in a few words."""
    first = addresses.items[0]
    if len(addresses.items) == 1 and not axes.is_unknown(first[1]) and _family_of(first):
        networks = axes.to_networks(first)
        if len(networks) == 1:
            return str(networks[0])
    return f"{show_place(first[0])} and others"


def _family_of(interval: Interval) -> bool:
    """Whether an interval is of one family."""
    return axes.family(interval[0]) == axes.family(interval[1])


def show_protocol(protocol: int) -> str:
    """An IP protocol as its document writes it."""
    return IP_PROTOCOL_TITLES.get(protocol, f"ip/{protocol}")


def show_channel(channel: int) -> str:
    """A place on the axis of protocol and port, as a policy writes it."""
    protocol, port = channel >> 16, channel & 0xFFFF
    word = _TRANSPORTS.get(protocol)
    if word is None:
        return show_protocol(protocol)
    return f"{word}/{port if protocol in axes.WITH_PORTS else port >> 8}"
