"""Destination translation, and what tells the packets of links at either hook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import (
    Channel,
    Dnat,
    Element,
    Kind,
    Link,
    Match,
    Plan,
    Shape,
    Snat,
    asked,
    channels,
)
from tunnelgate_targets.nftables.quote import comment
from tunnelgate_targets.nftables.ranked import FEW
from tunnelgate_targets.nftables.sets import VERDICT, Entry, NamedSet, named_sets
from tunnelgate_targets.nftables.verdicts import Parts, many
from tunnelgate_targets.nftables.words import (
    FAMILY_WORD,
    Interfaces,
    address_match,
    channel_matches,
    digest,
    join,
    matches,
    where,
)

_ANY = Match()


class Arrivals(NamedTuple):
    """What arrives by a link, of one family; `local` asks whether it is for the machine itself."""

    link: Link
    family: int
    local: str


class Translator:
    """Writes the chain of destination translation, and what tells the packets of links."""

    def __init__(self, plan: Plan, interfaces: Interfaces, parts: Parts) -> None:
        self.plan = plan
        self.interfaces = interfaces
        self.parts = parts

    def arrives(self, link: Link, family: int) -> list[str]:
        """Matches for what arrives by a link: for IPsec, decrypted and from its network; none where
        it has no network of the family.
        """
        words = self.interfaces.matches("iifname", link)
        if link.over is not None:
            return [
                join(one, "meta ipsec exists", held)
                for one in words
                for held in self._held("saddr", link, family)
            ]
        if self.plan.carried(link):
            return [join(one, "meta ipsec missing") for one in words]
        return words

    def arrived(self, link: Link, family: int) -> list[str]:
        """The same behind routing, where nft no longer knows what was decrypted.

        Addresses say it there: a source of a protected network that was not decrypted, and a
        decrypted one of no such network, were dropped on the way in.
        """
        words = self.interfaces.matches("iifname", link)
        if link.over is not None:
            return [join(one, held) for one in words for held in self._held("saddr", link, family)]
        rest = axes.family_axis(family) - self._protected(link)
        return [join(one, address_match(family, "saddr", rest)) for one in words]

    def leaves(self, link: Link, family: int) -> list[str]:
        """Matches for what leaves by a link, and not to an ipsec link over it."""
        words = self.interfaces.matches("oifname", link)
        if link.over is not None:
            return [join(one, held) for one in words for held in self._held("daddr", link, family)]
        rest = axes.family_axis(family) - self._protected(link)
        return [join(one, address_match(family, "daddr", rest)) for one in words]

    def _held(self, side: str, link: Link, family: int) -> list[str]:
        """The match of what an ipsec link protects, none where that is nothing of a family."""
        is_met = link.network.overlaps(axes.family_axis(family))
        return [address_match(family, side, link.network)] if is_met else []

    def _protected(self, link: Link) -> Intervals:
        return Intervals.union_of(one.network for one in self.plan.carried(link))

    # -- destination

    def destination_lines(self) -> list[str]:
        """The rules of the prerouting hook: maps from source, address and channel to the host."""
        lines: list[str] = []
        alike: dict[Arrivals, list[Dnat]] = defaultdict(list)
        ported: dict[Arrivals, list[Dnat]] = defaultdict(list)
        for dnat in self.plan.dnats:
            if dnat.port is not None:
                ported[arrivals(dnat)].append(dnat)
        for dnat in self.plan.dnats:
            if dnat.port is None and (dnat.dynamic is None or dnat.match != _ANY):
                alike[arrivals(dnat)].append(dnat)
            elif len(ported.get(arrivals(dnat), ())) <= FEW or dnat.port is None:
                lines += self._single(dnat)
        mapped: list[str] = []
        for group, some in ported.items():
            if len(some) > FEW:
                mapped += self._ported(group, some)
        for group, some in alike.items():
            if group.local:
                few = [dnat for dnat in some if dnat.spis is None]
                if len(few) <= FEW:
                    lines += (line for dnat in few for line in self._single(dnat))
                    some = [dnat for dnat in some if dnat.spis is not None]
            mapped += self._mapped(group, some)
        return lines + mapped

    def _mapped(self, group: Arrivals, some: Iterable[Dnat]) -> Iterator[str]:
        targets = {dnat: str(axes.to_address(dnat.target)) for dnat in some}
        for arrival, made in self.lookups("forward", group, targets):
            to = f"dnat {FAMILY_WORD[group.family]} to {made.key} map @{made.name}"
            yield join(arrival, to, comment(many("forward", made.texts, "map")))

    def _ported(self, group: Arrivals, some: Iterable[Dnat]) -> Iterator[str]:
        """Forwards that change the port have a chain each: no map of nft 0.9.7 gives both."""
        verdicts = {dnat: f"goto {self._chain(dnat)}" for dnat in some}
        for arrival, made in self.lookups("forward-port", group, verdicts, VERDICT):
            about = comment(many("forward", made.texts, "map"))
            yield join(arrival, f"{made.key} vmap @{made.name}", about)

    def _chain(self, dnat: Dnat) -> str:
        """The chain of a forward that changes the port."""
        # nft wants to be told of a protocol with ports in each rule that translates them
        protocol = f"meta l4proto {dnat.match.l4.first() >> 16}"
        name = self.parts.name(f"forward-port.{dnat.link.name}", dnat.origin.text)
        return self.parts.chain(name, join(protocol, _translation(dnat)))

    def _single(self, dnat: Dnat) -> Iterator[str]:
        local = arrivals(dnat).local
        for arrival in self.arrives(dnat.link, dnat.family):
            for words in matches(dnat.match, dnat.family):
                yield join(arrival, words, local, _translation(dnat))

    def lookups(
        self, word: str, group: Arrivals, values: Mapping[Dnat, str], typeof: str = ""
    ) -> Iterator[tuple[str, NamedSet]]:
        """Maps from what translations take to a value of each, and the matches to stand before.

        The maps' names begin with `word`; `typeof` is the type of the values, an address without.
        """
        rows: dict[Shape, list[Entry]] = defaultdict(list)
        for dnat, value in values.items():
            for _, part in dnat.match.families():
                sources, destinations = asked(part.source), asked(part.destination)
                for channel in _channels(dnat, part):
                    ends = sources != (None,), destinations != (None,)
                    shape = Shape(group.family, *ends, channel.kind, translated=False)
                    for source, destination in product(sources, destinations):
                        element = Element(source, destination, channel)
                        rows[shape].append(Entry(element, value, dnat.origin.text))
        name = f"{word}.{group.link.name}" + (f".{digest(group.local)}" if group.local else "")
        for shape in sorted(rows, key=str):
            # channels are of either family
            is_bare = not (shape.source or shape.destination)
            family = f"meta nfproto ipv{group.family}" if is_bare else ""
            for made in named_sets(name, shape, rows[shape], typeof):
                self.parts.sets.append(made)
                for arrival in self.arrives(group.link, group.family):
                    yield join(arrival, family, group.local), made

    # -- source

    def path(self, snat: Snat) -> Iterator[str]:
        """Matches for the packets that a source translation covers."""
        addressed = where(snat.family, snat.match)
        for way in self.between(snat.source, snat.destination, snat.family):
            for words in channel_matches(snat.match.l4):
                yield join(way, addressed, words)

    def between(self, source: Link, destination: Link, family: int) -> Iterator[str]:
        """Matches for what arrived by one link and leaves by another."""
        for arrival in self.arrived(source, family):
            for departure in self.leaves(destination, family):
                yield join(arrival, departure)


def arrivals(dnat: Dnat) -> Arrivals:
    """What a translation takes, but for what can be looked up."""
    local = ""
    if dnat.dynamic == "arrival":
        local = "fib daddr . iif type local"
    elif dnat.dynamic == "machine":
        mine = axes.family_axis(dnat.family) - dnat.elsewhere
        not_here = "fib daddr . iif type != local" if dnat.not_arrival else ""
        mine_only = address_match(dnat.family, "daddr", mine)
        local = join("fib daddr type local", not_here, mine_only)
    return Arrivals(dnat.link, dnat.family, local)


def _translation(dnat: Dnat) -> str:
    target = str(axes.to_address(dnat.target))
    if dnat.port is not None:
        target = f"{target}:{dnat.port}" if dnat.family == 4 else f"[{target}]:{dnat.port}"
    return f"dnat {FAMILY_WORD[dnat.family]} to {target} {comment(dnat.origin.text)}"


def _channels(dnat: Dnat, part: Match) -> tuple[Channel, ...]:
    if dnat.spis is None:
        return channels(part.l4)
    return (Channel(Kind.SPI, axes.ESP, *dnat.spis),)
