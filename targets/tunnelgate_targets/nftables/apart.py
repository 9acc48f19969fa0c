"""ESP of hosts that a forward tells apart by SPI: a conntrack zone for each of them.

Connection tracking knows ESP by its two addresses alone: in one zone the first packet of a peer
binds all its ESP to one host. So before connection tracking what arrives with the SPIs of a host,
and what the host sends to these peers, is put into the zone of that host. There a translation by
SPI is right, masquerade and `ct state` work as ever, and the gateway's own ESP stays in zone 0.

ICMP errors about such ESP have to be looked up in the same zone, or they reach nobody. They quote
the packet (RFC 792): what a host gets is told by its addresses, what it has sent by the peer and
the SPI that the peer has drawn, which is learned from the packets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.plan import Apart, Channel, Dnat, Element, Kind, Link, Plan, Shape
from tunnelgate_targets.nftables.quote import comment
from tunnelgate_targets.nftables.sets import Entry, NamedSet, named_sets
from tunnelgate_targets.nftables.translate import Arrivals, Translator, arrivals
from tunnelgate_targets.nftables.verdicts import Chain, Dynamic, Parts, many
from tunnelgate_targets.nftables.words import join, numbers

_ZONE = "ct zone"
_ESP = "meta l4proto 50"
#: ICMP errors that quote ESP. Behind the 8 octets of ICMP stands an IPv4 header without options
#: (0x45): its protocol at bit 136, its addresses at 160 and 192, the SPI at 224.
_QUOTES_ESP = "icmp type { 3, 11, 12 } @th,64,8 0x45 @th,136,8 50"
_QUOTED_DESTINATION_SOURCE = "@th,192,32 . @th,160,32"
_QUOTED_DESTINATION_SPI = "@th,192,32 . @th,224,32"
#: The destination and the SPI of a packet, in the types of what is looked up by quoted ones.
_DESTINATION_SPI = "@nh,128,32 . @th,0,32"
_LEARNED, _HOSTS, _ERRORS = "apart-spis", "apart-hosts", "about-esp"


class HostZones:
    """Writes the chains that put ESP of hosts into zones of their own."""

    def __init__(self, plan: Plan, translator: Translator, parts: Parts) -> None:
        self.plan = plan
        self.translator = translator
        self.parts = parts
        self._hosts: dict[Link, list[Apart]] = defaultdict(list)
        for one in plan.apart:
            self._hosts[one.link].append(one)

    def arriving_lines(self) -> Iterator[str]:
        """The rules of the prerouting hook, before connection tracking."""
        yield from self.own_lines()
        yield from self._received()
        for link, hosts in self._hosts.items():
            yield from self._sent(link, hosts)

    def own_lines(self) -> Iterator[str]:
        """The same of the output hook: the gateway's own errors about what it does not pass on."""
        if self.plan.apart:
            yield f"{_QUOTES_ESP} goto {_ERRORS}"

    def learning_lines(self) -> Iterator[str]:
        """The rules of the prerouting hook behind connection tracking, where a zone can be read."""
        if self.plan.apart:
            self.parts.dynamic[_LEARNED] = Dynamic(f"{_DESTINATION_SPI} : {_ZONE}", "10m", "map")
        for link in self._hosts:
            for arrival in self.translator.arrives(link, 4):
                learn = f"add @{_LEARNED} {{ {_DESTINATION_SPI} : {_ZONE} }}"
                yield join(arrival, _ESP, "ct zone 1-4095", learn)

    def chains(self) -> Iterator[Chain]:
        """What others jump to."""
        if self.plan.apart:
            self.parts.sets.append(self._errors())
            yield Chain(
                _ERRORS,
                (
                    f"ct zone set {_QUOTED_DESTINATION_SOURCE} map @{_HOSTS}",
                    f"ct zone set {_QUOTED_DESTINATION_SPI} map @{_LEARNED}",
                ),
            )

    def _received(self) -> Iterator[str]:
        groups: dict[Arrivals, list[Dnat]] = defaultdict(list)
        for dnat in self.plan.dnats:
            if dnat.spis is not None:
                groups[arrivals(dnat)].append(dnat)
        for group, some in groups.items():
            zones = {dnat: str(dnat.number) for dnat in some}
            for arrival, made in self.translator.lookups("received", group, zones, _ZONE):
                yield join(arrival, _set(made))

    def _sent(self, link: Link, hosts: list[Apart]) -> Iterator[str]:
        shape = Shape(4, source=True, destination=True, kind=Kind.ANY, translated=False)
        anything = Channel(Kind.ANY, 0, 0, 0)
        entries = [
            Entry(Element(source, peers, anything), str(one.number), one.origin.text)
            for one in hosts
            for source, peers in _ends(one)
        ]
        others = "fib daddr type != local" if any(one.dynamic for one in hosts) else ""
        for made in named_sets(f"sent.{link.name}", shape, entries, _ZONE):
            self.parts.sets.append(made)
            for arrival in self.translator.arrives(link, 4):
                yield join(arrival, _ESP, others, _set(made))

    def _errors(self) -> NamedSet:
        """From the ends of what a host gets to the host's zone, as an error quotes them."""
        lines = [
            f"{numbers(*host)} . {numbers(*peers)} : {one.number}"
            for one in self.plan.apart
            for host, peers in _ends(one)
        ]
        ended = (*(f"{line}," for line in lines[:-1]), lines[-1])
        key = _QUOTED_DESTINATION_SOURCE
        holds = f"typeof {key} : {_ZONE}"
        return NamedSet("map", _HOSTS, holds, key, interval=True, lines=ended, texts=())


def _ends(one: Apart) -> Iterator[tuple[Interval, Interval]]:
    for host in one.match.source:
        for peers in one.match.destination - axes.UNKNOWN:
            yield host, peers


def _set(made: NamedSet) -> str:
    about = comment(many("apart", made.texts, "map"))
    return f"ct zone set {made.key} map @{made.name} {about}"
