"""Channels and addresses as words of iptables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.plan import Channel, Kind, channels

#: Names that iptables itself knows, whatever /etc/protocols says (`xtables_chain_protos`).
_NAMES = {
    axes.ICMP: "icmp",
    axes.TCP: "tcp",
    axes.UDP: "udp",
    axes.ESP: "esp",
    axes.AH: "ah",
    axes.ICMPV6: "ipv6-icmp",
    axes.SCTP: "sctp",
    axes.UDPLITE: "udplite",
}
_SINGLE_PORT = frozenset({axes.TCP, axes.UDP})
#: iptables-extensions(8), multiport: up to 15 ports, a range counts as two.
_MULTIPORT = 15
#: `-p 0` is any protocol, `--icmp-type 255` any type: the byte itself is compared instead.
_HOPOPT_IPV4 = '-m u32 --u32 "6&0xFF=0"'
_ICMP_TYPE_255 = '-p icmp -m u32 --u32 "0>>22&0x3C@0>>24=255"'
#: More rules than this for one statement, and what it leaves out is matched instead.
_MAX_DIRECT = 16

AH = Intervals.of([axes.l4(axes.AH)])
#: Only these two match AH under both flavours (targets page, AH and NAT).
AH_MATCH = {4: "-p ah", 6: "-m ah"}


class Way(NamedTuple):
    """One way to match: what has to be true, and what must not be (each alternative a match)."""

    match: str
    holes: tuple[str, ...] = ()


def join(*parts: str) -> str:
    """Parts of a rule, the empty ones left out."""
    return " ".join(part for part in parts if part)


def protocol(number: int) -> str:
    """`-p udp`; by number where only /etc/protocols knows a name, which may be wrong there."""
    return f"-p {_NAMES.get(number, number)}"


@lru_cache(maxsize=4096)
def ways(l4: Intervals, family: int) -> tuple[Way, ...]:
    """How to match a set of channels.

    With IPv6, AH is left out: it has rules of its own, because `-p` and ports of ip6tables-legacy
    look through it at what it protects (targets page, AH and NAT).
    """
    everything = axes.ANY_L4
    if family == 6:
        l4, everything = l4 - AH, everything - AH
    if l4 == everything:
        return (Way(""),)
    direct = _direct(l4, family)
    if len(direct) <= _MAX_DIRECT:
        return tuple(Way(match) for match in direct)
    holes = _direct(everything - l4, family)
    if len(holes) <= _MAX_DIRECT:
        return (Way("", tuple(holes)),)
    for number in (axes.ICMP, axes.ICMPV6):
        whole = Intervals.of([axes.l4(number)])
        some = l4 & whole
        if some and some != whole:
            rest = tuple(_direct(whole - some, family))
            return (Way(protocol(number), rest), *ways(l4 - whole, family))
    return (Way("", tuple(holes)),) if len(holes) < len(direct) else tuple(map(Way, direct))


def _direct(l4: Intervals, family: int) -> list[str]:
    """One match for each part of a set of channels, ports of one protocol together."""
    ports: dict[int, list[Channel]] = {}
    found: list[str] = []
    for channel in channels(l4):
        if channel.kind is Kind.PORT:
            ports.setdefault(channel.protocol, []).append(channel)
        else:
            found.extend(_portless(channel, family))
    with_ports = [match for number, some in ports.items() for match in _ports(number, some, "d")]
    return with_ports + found


def _portless(channel: Channel, family: int) -> Iterator[str]:
    numbers = range(channel.low, channel.high + 1)
    if channel.kind is Kind.PROTOCOL:
        for number in numbers:
            if family == 6 and number in axes.EXTENSIONS:
                continue  # ip6tables looks behind it (`ip6t_ext_hdr`)
            yield protocol(number) if number else _HOPOPT_IPV4
    elif channel.kind is Kind.ICMP and family == 4:
        for number in numbers:
            yield _ICMP_TYPE_255 if number == 0xFF else f"-p icmp --icmp-type {number}"
    elif channel.kind is Kind.ICMPV6 and family == 6:
        for number in numbers:
            yield f"-p ipv6-icmp --icmpv6-type {number}"


def _ports(number: int, some: list[Channel], side: str) -> Iterator[str]:
    """Ports of one protocol, in as few rules as multiport allows."""
    if len(some) == 1 and number in _SINGLE_PORT:
        yield f"{protocol(number)} --{side}port {_range(some[0])}"
        return
    batch: list[str] = []
    room = _MULTIPORT
    for channel in some:
        cost = 1 if channel.low == channel.high else 2
        if cost > room:
            yield f"{protocol(number)} -m multiport --{side}ports {','.join(batch)}"
            batch, room = [], _MULTIPORT
        batch.append(_range(channel))
        room -= cost
    yield f"{protocol(number)} -m multiport --{side}ports {','.join(batch)}"


def _range(channel: Channel) -> str:
    return str(channel.low) if channel.low == channel.high else f"{channel.low}:{channel.high}"


def source_ports(number: int, ports: Intervals) -> Iterator[str]:
    """The match of source ports of one protocol."""
    yield from _ports(number, [Channel(Kind.PORT, number, *interval) for interval in ports], "s")


# -- addresses


def known(family: int) -> Intervals:
    """All addresses of a family that have a notation."""
    return axes.family_axis(family) - axes.UNKNOWN


@lru_cache(maxsize=65536)
def prefixes(interval: Interval) -> tuple[str, ...]:
    """An interval of one family as addresses and prefixes."""
    if interval[0] == interval[1]:
        return (str(axes.to_address(interval[0])),)
    return tuple(_prefix(str(network)) for network in axes.to_networks(interval))


def _prefix(text: str) -> str:
    """A prefix; that of a single address without its length."""
    address, _, length = text.partition("/")
    return address if length == ("128" if ":" in address else "32") else text


def all_prefixes(addresses: Iterable[Interval]) -> list[str]:
    """A set of addresses of one family as addresses and prefixes."""
    return [text for interval in addresses for text in prefixes(interval)]
