"""Words of iptables and ipset as sets on the axes of flows."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.fields import ANY_PORT
from tunnelgate.flows.intervals import Interval
from tunnelgate.flows.netfilter import Unmodelled

#: `xtables_chain_protos`: the names that iptables knows by itself.
_PROTOCOLS = {
    "icmp": axes.ICMP,
    "tcp": axes.TCP,
    "udp": axes.UDP,
    "esp": axes.ESP,
    "ah": axes.AH,
    "ipv6-icmp": axes.ICMPV6,
    "sctp": axes.SCTP,
    "udplite": axes.UDPLITE,
}
_MOST = 0xFFFF


@lru_cache(maxsize=1 << 16)
def address(word: str) -> Interval:
    """An address or a prefix, as places on the axis of addresses."""
    try:
        return axes.network(ip_network(word))
    except ValueError as error:
        raise Unmodelled(f"address `{word}`") from error


def protocol(word: str, family: int) -> int:
    """A protocol by its name or its number; `-p 0` would be any."""
    number = _PROTOCOLS.get(word)
    if number is None:
        if not word.isdecimal() or not 0 < int(word) < 256:
            raise Unmodelled(f"protocol `{word}`")
        number = int(word)
    if family == 6 and number in axes.EXTENSIONS:
        raise Unmodelled(f"protocol `{word}`, which ip6tables never finds")
    return number


@lru_cache(maxsize=4096)
def ports(word: str, mark: str = ":") -> Interval:
    """A port, or a range `80:90`; with another mark of ipset, `80-90`."""
    low, colon, high = word.partition(mark)
    if not low.isdecimal() or (colon and not high.isdecimal()):
        raise Unmodelled(f"port `{word}`")
    found = int(low), int(high or low)
    if not found[0] <= found[1] <= _MOST:
        raise Unmodelled(f"ports `{word}`")
    return found


def all_ports(words: str) -> Intervals:
    """Ports and ranges of them, as multiport takes them (up to 15, a range counting as two)."""
    found = words.split(",")
    if len(found) + words.count(":") > 15:
        raise Unmodelled(f"more than 15 ports in `{words}`")
    return Intervals.of(map(ports, found)) & ANY_PORT


@lru_cache(maxsize=1 << 16)
def channel(word: str) -> Intervals:
    """What ipset knows a packet by beside its addresses: `tcp:80-90`, `47:0` (ipset(8)).

    What has no ports has the port 0 there.
    """
    name, _, rest = word.partition(":")
    number = protocol(name, 4)
    low, high = ports(rest, "-")
    if number in {axes.TCP, axes.UDP, axes.SCTP, axes.UDPLITE}:
        return Intervals.of([axes.l4(number, low, high)])
    if number in axes.WITH_TYPES or (low, high) != (0, 0):
        raise Unmodelled(f"element `{word}`")
    return Intervals.of([axes.l4(number)])
