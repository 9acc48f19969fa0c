"""Translation of addresses, and what the filter can still tell of a source behind it.

The filter sees the new source. Where a statement asks for the old one, what is translated gets a
tag for the part of the sources that its own lies in, and the statement asks for that tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.intervals import parted
from tunnelgate.plan import Dnat, Link, Match, Moved, Pair, Plan, Snat
from tunnelgate_targets.pf.dialect import Nat, Rdr
from tunnelgate_targets.pf.links import (
    crossing_tag,
    errors_tag,
    forward_tag,
    masquerades,
    on,
    ports_of,
    protected,
)
from tunnelgate_targets.pf.quote import MAX_TAG, digest, interface, tag
from tunnelgate_targets.pf.tables import Tables
from tunnelgate_targets.pf.words import Way, Where, numbers_text, ways

_IKE = 500
_UDP = (axes.UDP,)
#: As in `Ports.MOVED` of the model: above both ports that a forward may take.
_MOVED = "port 4501:65535"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a link's sources that statements tell from the others, and its tag."""

    sources: Intervals
    tag: str


@dataclass(frozen=True, slots=True)
class _Parted:
    """All parts, and those of each set of sources that a statement asks for."""

    every: tuple[Part, ...]
    within: dict[Intervals, tuple[Part, ...]]


class Translation:
    """Writes the translation rules of a plan."""

    def __init__(self, plan: Plan, tables: Tables) -> None:
        self.plan = plan
        self.tables = tables
        self.pairs = {pair.name: pair for pair in plan.pairs}
        self._parted: dict[tuple[str, str, int], _Parted] = {}

    # -- source

    def parts(
        self, source: Link, destination: Link, family: int, within: Intervals = axes.ANY_ADDRESS
    ) -> tuple[Part, ...]:
        """How the sources of a translated path are told apart; nothing where no statement asks.

        `within` are sources that a statement asks for: no part is half in them.
        """
        key = source.name, destination.name, family
        if key not in self._parted:
            self._parted[key] = self._parts(source, destination, family)
        parted = self._parted[key]
        if within == axes.ANY_ADDRESS:
            return parted.every
        return parted.within.get(within & axes.family_axis(family) - axes.UNKNOWN, parted.every)

    def _parts(self, source: Link, destination: Link, family: int) -> _Parted:
        pair = self.pairs.get((source.name, destination.name))
        if not (pair and self._snats(source, destination, family)):
            return _Parted((), {})
        axis = axes.family_axis(family) - axes.UNKNOWN
        asked = _asked(pair, axis)
        if not asked:
            return _Parted((), {})
        # those that the first sets hold come first
        found = sorted(parted(axis, asked), key=lambda one: (*sorted(one[0]), len(asked)))
        every = [Part(part, _part_tag(source, part, not held)) for held, part in found]
        within: dict[Intervals, list[Part]] = {one: [] for one in asked}
        for (held, _), part in zip(found, every, strict=True):
            for number in sorted(held):
                within[asked[number]].append(part)
        return _Parted(tuple(every), {one: tuple(some) for one, some in within.items()})

    def translates(self, source: Link, destination: Link, family: int) -> bool:
        """Whether sources of a family are translated between two links."""
        return bool(self._snats(source, destination, family))

    def _snats(self, source: Link, destination: Link, family: int) -> list[Snat]:
        return [
            snat
            for snat in self.plan.snats
            if snat.source is source
            and snat.destination is destination
            and snat.family == family
            and not snat.hairpin
        ]

    def nats(self) -> Iterator[Nat]:
        """Source translations, the most specific first."""
        for snat in self.plan.snats:
            forwarded = forward_tag(snat.source)
            if snat.hairpin:
                yield from self._nat(snat, snat.match.source, forwarded, forwarded)
                continue
            tag = crossing_tag(snat.source)
            parts = self.parts(snat.source, snat.destination, snat.family)
            for part in parts or (Part(axes.ANY_ADDRESS, tag),):
                sources = snat.match.source & part.sources if parts else snat.match.source
                if sources:
                    yield from self._nat(snat, sources, tag, part.tag)
            if self._is_forwarded(snat.source, snat.destination):
                yield from self._nat(snat, snat.match.source, forwarded, forwarded)

    def _is_forwarded(self, source: Link, destination: Link) -> bool:
        """Whether a forward hands anything from one link to a host of the other."""
        pair = self.pairs.get((source.name, destination.name))
        return pair is not None and any(rule.translated for rule in pair.permissions)

    def _nat(self, snat: Snat, sources: Intervals, tagged: str, tag: str) -> Iterator[Nat]:
        """One source translation on each interface, the source ports that matter first."""
        family, word = snat.family, snat.source.name
        reached = _reached(snat)
        destination = self.tables.host(snat.destination.name, reached, family)
        source = self.tables.host(word, sources, family)
        if source is None or destination is None:
            return
        for where, address in self._public(snat):
            match = Where(where, family, Way(), source, destination, tagged=tagged)
            for moved in snat.moved:
                yield from self._moved(match, moved, sources, reached, address, tag)
            ike = match.but(way=Way(_UDP), source_ports=(str(_IKE),))
            yield Nat(ike, address, "static-port", tag)
            yield Nat(match, address, "", tag)

    def _public(self, snat: Snat) -> Iterator[tuple[str, str]]:
        if snat.address is not None:
            yield on(snat.destination), str(axes.to_address(snat.address))
        else:
            yield from masquerades(snat.destination)

    def _moved(
        self,
        match: Where,
        moved: Moved,
        sources: Intervals,
        reached: Intervals,
        address: str,
        tag: str,
    ) -> Iterator[Nat]:
        """Source ports that a forward takes from these peers, but for its host."""
        others = (sources & axes.family_axis(match.family)) - Intervals.single(moved.host)
        source = self.tables.host("moved", others, match.family)
        peers = self.tables.host("peers", moved.peers & reached, match.family)
        if source is None or peers is None:
            return
        ports = tuple(numbers_text(*interval) for interval in moved.ports)
        taken = match.but(way=Way(_UDP), source=source, source_ports=ports, destination=peers)
        yield Nat(taken, address, _MOVED, tag)

    # -- what the filter asks

    def covers(self, source: Link, destination: Link, family: int, match: Match) -> bool:
        """Whether all of these packets are translated, so that none has its own source."""
        held = source.sources if source.sources is not None else axes.ANY_ADDRESS
        axis = axes.family_axis(family) - axes.UNKNOWN if family else Intervals.EMPTY
        if not axis or not self.parts(source, destination, family):
            return False
        snats = [
            snat
            for snat in self._snats(source, destination, family)
            if match.destination <= _reached(snat)
        ]
        translated = Intervals.union_of(snat.match.source for snat in snats)
        return (match.source & held & axis) <= translated

    def has_errors(self, source: Link) -> bool:
        """Whether ICMPv6 errors by a link need a tag: no source of theirs is ever translated."""
        return not self.plan.icmp and any(
            snat.family == 6 and snat.source is source for snat in self.plan.snats
        )

    def tags(self, link: Link) -> Iterator[str]:
        """Every tag that a packet from a link to another can have."""
        found = {crossing_tag(link): None}
        if any(dnat.link is link for dnat in self.plan.dnats):
            found[forward_tag(link)] = None
        if self.has_errors(link):
            found[errors_tag(link)] = None
        for snat in self.plan.snats:
            if snat.source is link:
                for part in self.parts(link, snat.destination, snat.family):
                    found[part.tag] = None
        yield from found

    # -- destination

    def rdrs(self) -> Iterator[Rdr]:
        """Destination translations; those that leave some addresses alone last."""
        for dnat in sorted(self.plan.dnats, key=lambda one: one.dynamic == "machine"):
            for where, destination in self._taken(dnat):
                yield from self._rdr(dnat, where, destination)

    def _taken(self, dnat: Dnat) -> Iterator[tuple[str, str]]:
        """Where it arrives, and the addresses of the gateway that it is for."""
        if dnat.dynamic == "machine":
            yield on(dnat.link), "(self)"
        elif dnat.dynamic == "arrival":
            for name in ports_of(dnat.link):
                where = on(dnat.link) if dnat.link.over is not None else interface(name)
                yield where, f"({interface(name)})"
        else:
            known = self.tables.host("gateway", dnat.match.destination, dnat.family)
            if known is not None:
                yield on(dnat.link), known

    def _rdr(self, dnat: Dnat, where: str, destination: str) -> Iterator[Rdr]:
        source = self._source(dnat)
        if source is None:
            return
        target = str(axes.to_address(dnat.target))
        if dnat.port is not None:
            target = f"{target} port {dnat.port}"
        for way in ways(dnat.match.l4, dnat.family):
            match = Where(where, dnat.family, way, source, destination)
            yield Rdr(match, tuple(self._elsewhere(dnat)), target, forward_tag(dnat.link))

    def _elsewhere(self, dnat: Dnat) -> Iterator[str]:
        """The addresses of the machine that a forward does not mean although one is unknown."""
        if dnat.dynamic != "machine":
            return
        known = self.tables.host("elsewhere", dnat.elsewhere, dnat.family)
        if known is not None:
            yield known
        if dnat.not_arrival:
            yield from (f"({interface(name)})" for name in ports_of(dnat.link))

    def _source(self, dnat: Dnat) -> str | None:
        """Its sources; what is decrypted must be of the ipsec link."""
        sources = dnat.match.source
        if dnat.link.over is not None:
            sources &= dnat.link.network
        return self.tables.host(dnat.link.name, sources, dnat.family)


def _reached(snat: Snat) -> Intervals:
    """Its destinations; on `enc0` the network says which ipsec link it is."""
    link, destinations = snat.destination, snat.match.destination
    return link.network if link.over and destinations == axes.ANY_ADDRESS else destinations


def _asked(pair: Pair, axis: Intervals) -> list[Intervals]:
    """The sources that statements of a pair ask for, where that is not any."""
    found = {
        rule.match.source & axis
        for rule in (*pair.denials, *pair.permissions)
        if rule.match.source != axes.ANY_ADDRESS and not rule.translated
    }
    return sorted((one for one in found if one and one != axis), key=lambda one: one.items)


def _part_tag(source: Link, part: Intervals, is_rest: bool) -> str:
    """By what it holds, so that another statement does not rename it."""
    name = crossing_tag(source)
    if is_rest:
        return tag(f"{name}:others")
    told = f"{name}:{axes.to_address(part.first())}" if part.is_single() else ""
    # an address of IPv6 may be too long for a tag
    return tag(told if 0 < len(told) <= MAX_TAG else f"{name}:{digest(str(part.items))}")


def sources_of(link: Link, plan: Plan) -> Intervals:
    """What may arrive decrypted by a link that has no ipsec link over it."""
    held = link.sources if link.sources is not None else axes.ANY_ADDRESS
    return held - protected(plan)
