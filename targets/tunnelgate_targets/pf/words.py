"""Channels, rules and their parts as words of pf, for both dialects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Channel, Kind, channels

AH = Intervals.of([axes.l4(axes.AH)])
#: The protocols of which pf compares ports (pf.conf(5), port).
WITH_PORTS = (axes.TCP, axes.UDP)
INET = {0: "", 4: "inet", 6: "inet6"}


class Way(NamedTuple):
    """One rule's worth of channels: protocols, and ports or types of them. Empty: anything."""

    protocols: tuple[int, ...] = ()
    ports: tuple[str, ...] = ()
    types: tuple[int, ...] = ()

    @property
    def family(self) -> int:
        """The family that types belong to, 0 where it may be either."""
        if not self.types:
            return 0
        return 4 if self.protocols == (axes.ICMP,) else 6

    def within(self, family: int) -> Way | None:
        """What of it a family has: pfctl refuses to hear of the ICMP of the other one."""
        foreign = {4: axes.ICMPV6, 6: axes.ICMP}.get(family)
        if foreign not in self.protocols:
            return self
        protocols = tuple(number for number in self.protocols if number != foreign)
        return self._replace(protocols=protocols) if protocols else None


ANY = Way()
#: The ICMP that a family does not have.
_FOREIGN = {
    4: Intervals.of([axes.l4(axes.ICMPV6)]),
    6: Intervals.of([axes.l4(axes.ICMP)]),
}


class Unmatchable(ValueError):
    """Channels that pf cannot tell from others."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.channel = channel


@lru_cache(maxsize=4096)
def ways(l4: Intervals, family: int = 0) -> tuple[Way, ...]:
    """How to match a set of channels, in the fewest rules; 0 for both families.

    AH is in no set and out of none: pf looks through it (targets page, pf). Protocol 0 is
    left out of ranges: pf reads it as any, and no packet of IP has it.

    Raises:
        Unmatchable: ports of a protocol of which pf sees none, or protocol 0 alone.
    """
    if (l4 | AH | _FOREIGN.get(family, Intervals.EMPTY)) == axes.ANY_L4:
        return (ANY,)
    whole: list[int] = []
    ports: dict[int, list[str]] = defaultdict(list)
    types: dict[int, list[int]] = defaultdict(list)
    for channel in channels(l4 - AH):
        if channel.kind is Kind.PROTOCOL:
            numbers = range(max(channel.low, 1), channel.high + 1)
            if not numbers:
                raise Unmatchable(channel)
            whole.extend(numbers)
        elif channel.kind is Kind.PORT:
            if channel.protocol not in WITH_PORTS:
                raise Unmatchable(channel)
            ports[channel.protocol].append(numbers_text(channel.low, channel.high))
        else:
            types[channel.protocol].extend(range(channel.low, channel.high + 1))
    found = [Way(tuple(whole))] if whole else []
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for protocol, some in ports.items():
        same[tuple(some)].append(protocol)
    found += [Way(tuple(protocols), some) for some, protocols in same.items()]
    found += [Way((protocol,), types=tuple(some)) for protocol, some in types.items()]
    return tuple(part for way in found if (part := way.within(family)) is not None)


def numbers_text(low: int, high: int) -> str:
    """`500` or `500:600`."""
    return str(low) if low == high else f"{low}:{high}"


def one_of(words: tuple[str, ...]) -> str:
    """A word, or a list of several."""
    return words[0] if len(words) == 1 else f"{{ {' '.join(words)} }}"


def join(*parts: str) -> str:
    """Parts of a line with one blank between them, the empty ones left out."""
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Where:
    """What a rule of any kind asks of a packet.

    Attributes:
        on: interfaces, as words of pf; "" for all.
        family: 4, 6, or 0 for both.
        way: protocols and ports.
        source, destination: hosts, as words of pf.
        source_ports: words of pf.
        tagged: the tag it must have; "" for whatever.
        untagged: it must not have this tag.
    """

    on: str = ""
    family: int = 0
    way: Way = ANY
    source: str = "any"
    destination: str = "any"
    source_ports: tuple[str, ...] = ()
    tagged: str = ""
    untagged: bool = False

    def head(self) -> str:
        """From `on` to the end of `to`."""
        family = self.family or self.way.family
        protocols = tuple(str(number) for number in self.way.protocols)
        return join(
            f"on {self.on}" if self.on else "",
            INET[family],
            f"proto {one_of(protocols)}" if protocols else "",
            _side("from", self.source, self.source_ports),
            _side("to", self.destination, self.way.ports),
        )

    def types(self) -> str:
        """The clause about ICMP types."""
        if not self.way.types:
            return ""
        word = "icmp-type" if self.way.protocols == (axes.ICMP,) else "icmp6-type"
        return f"{word} {one_of(tuple(str(number) for number in self.way.types))}"

    def tag(self) -> str:
        """The clause about the tag it has."""
        if not self.tagged:
            return ""
        return f"{'! ' if self.untagged else ''}tagged {self.tagged}"

    def but(self, **changed: object) -> Where:
        """The same with some parts changed."""
        return replace(self, **changed)  # type: ignore[arg-type]


def _side(word: str, host: str, ports: tuple[str, ...]) -> str:
    if not ports:
        return "" if host == "any" else f"{word} {host}"
    return f"{word} {host} port {one_of(ports)}"


def rule(action: str, where: Where, *options: str) -> str:
    """A filter rule; `action` is what stands before `on`."""
    return (
        join(action, where.head(), where.types(), where.tag(), *options)
        if where.head()
        else (join(action, "all", where.types(), where.tag(), *options))
    )
