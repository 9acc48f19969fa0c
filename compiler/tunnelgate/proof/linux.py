"""A ruleset of netfilter as the same lists that a policy becomes.

The hooks in their order: destination translation, route, the filters of input or forward with the
new destination and the old source, source translation, the filters behind it or, with iptables,
before it (nf_ip_hook_priorities). What a translation changes is put into the later lists as the
constant that it is, so that every row asks about the packet as it arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import product
from typing import Protocol

from tunnelgate.flows import axes, netfilter
from tunnelgate.flows.fields import (
    DESTINATION,
    DROP,
    EVERYTHING,
    KEPT,
    L4,
    MOVED,
    SOURCE,
    SOURCE_PORT,
    Delivered,
    Sets,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import (
    ACCEPT,
    Accept,
    Chain,
    Facts,
    Ruleset,
    Unmodelled,
    rows,
)
from tunnelgate.flows.rates import settled
from tunnelgate.flows.sets import common, of_family
from tunnelgate.meaning.decide import ICMP_ERRORS
from tunnelgate.policy import Zone
from tunnelgate.proof import earlier
from tunnelgate.proof.hooks import CONNTRACK, expect_places
from tunnelgate.proof.world import Way, World


class Linux:
    """The lists of one ruleset, for one family."""

    def __init__(self, ruleset: Ruleset, world: World, family: int) -> None:
        expect_places(ruleset)
        self.ruleset = _located(ruleset, world)
        self.world = world
        self.family = family
        self._asking = {
            name
            for name, chain in self.ruleset.chains.items()
            if chain.hook is not None and self.ruleset.asks_earlier(chain)
        }
        self._zones: dict[Facts, list[Row]] = {}

    # -- connections that begin

    def new(self, way: Way, choice: int) -> tuple[list[Row], ...]:
        """Verdict, source, source port and helper of packets that begin a connection.

        Args:
            way: how they arrive.
            choice: which of its interfaces each zone is left by (`World.departure`).

        Raises:
            Unmodelled: a chain does what no stage has a word for.
        """
        return _New(self, way, choice).stages()

    def destinations(self, way: Way) -> list[Row]:
        """How destinations of packets that begin a connection are translated.

        Raises:
            Unmodelled: two chains translate there.
        """
        return _New(self, way, 0).destinations

    def sources(self, way: Way, egress: Zone) -> list[Row]:
        """How sources are translated of what begins a connection to a zone, and keeps its
        destination: the public address and what becomes of the port, None for neither.
        """
        return list(_New(self, way, 0).source_rows(egress, translated=False))

    def host_zones(self, way: Way, *, quoted: bool) -> list[Row]:
        """The zone of connection tracking that packets are put into, None for that of everybody.

        Args:
            way: how they arrive.
            quoted: ICMP errors, by the ends of what answers the packet that they quote.

        Raises:
            Unmodelled: a zone is chosen when connection tracking has the packet.
        """
        found: list[Row] = []
        is_last = False
        hook = "output" if way.interface is None else "prerouting"
        for chain in self.ruleset.at(hook, nat=False):
            said = rows(self.ruleset, chain, self.facts(way), of_family(self.family))
            chosen = [row for row in said if isinstance(row.label, netfilter.HostZone)]
            if chosen and any(row.label == DROP for row in said):
                raise Unmodelled("a chain that chooses zones and drops")
            is_late = chain.hook is not None and chain.hook.priority >= CONNTRACK
            if chosen and (is_last or is_late):
                raise Unmodelled(
                    "a host's zone where another may be chosen", int(str(chosen[0].cause))
                )
            learned = [row for row in said if not earlier.is_question(row, chain)]
            if way.interface is None and not all(map(_is_about_errors, learned)):
                raise Unmodelled("a learned zone for what the machine sends itself")
            is_last |= any(isinstance(row.label, netfilter.Zone) for row in said)
            found += _numbered(chosen, quoted)
        return [*found, Row(EVERYTHING, None, 0)]

    # -- packets of connections that there are

    def verdict(
        self, way: Way, egress: Zone, departure: str | None, facts: Facts, within: Sets
    ) -> list[Row]:
        """Whether packets of a box pass that no translation looks at: `ACCEPT` or `DROP`."""
        found = self.filters(way, egress, departure, facts, within)
        return [
            row._replace(label=ACCEPT) if isinstance(row.label, Accept) else row for row in found
        ]

    def facts(self, way: Way) -> Facts:
        """What is fixed about packets that begin a connection."""
        facts = Facts(
            arrival=way.interface,
            decrypted=way.decrypted,
            own=self.world.own,
            own_of_arrival=self.world.own_of(way.zone),
        )
        own, learned = earlier.zoned(self.zones(facts))
        return replace(facts, zoned=own, answering=learned)

    def zones(self, facts: Facts) -> list[Row]:
        """The conntrack zones of what arrives, before anything else is done with it.

        Raises:
            Unmodelled: something else is done with it there.
        """
        if facts not in self._zones:
            arriving = facts.arrival is not None
            self._zones[facts] = list(earlier.zones(self.ruleset, facts)) if arriving else []
        return self._zones[facts]

    def filters(
        self,
        way: Way,
        egress: Zone,
        departure: str | None,
        facts: Facts,
        within: Sets = EVERYTHING,
    ) -> list[Row]:
        """The filters of all hooks behind the route, one after the other."""
        facts = replace(facts, departure=departure)
        chains: list[Chain] = []
        if way.interface is None:
            chains += self.ruleset.at("output", nat=False)
        elif egress is self.world.gateway:
            return self._all(self.ruleset.at("input", nat=False), facts, within)
        else:
            chains += self.ruleset.at("forward", nat=False)
        return self._all([*chains, *self.ruleset.at("postrouting", nat=False)], facts, within)

    def _all(self, chains: Sequence[Chain], facts: Facts, within: Sets) -> list[Row]:
        """What passes every chain; a drop anywhere is final."""
        self.zones(replace(facts, departure=None, protected=False, translated=False))
        found = [Row(EVERYTHING, ACCEPT, 0)]
        for chain in chains:
            if self.asks_earlier(chain):
                earlier.expect_to_pass(self.ruleset, chain, facts, within)
                continue
            said = rows(self.ruleset, chain, facts, within)
            found = _both(found, [row for row in said if _counts(row)])
        return found

    def asks_earlier(self, chain: Chain) -> bool:
        """Whether a base chain asks what earlier packets have left."""
        return any(self.ruleset.chains[name] is chain for name in self._asking)


def _counts(row: Row) -> bool:
    """Whether a row of a filter is about passing; helpers and zones have stages of their own."""
    return not isinstance(row.label, netfilter.Helper | netfilter.Zone | netfilter.HostZone)


def _is_about_errors(row: Row) -> bool:
    """Whether a row that chooses a zone by what was learned is about ICMP errors alone."""
    l4 = row.sets[L4]
    return not isinstance(row.label, netfilter.Zone) or (l4 is not None and l4 <= ICMP_ERRORS)


def _numbered(chosen: list[Row], quoted: bool) -> list[Row]:
    """The rows that choose hosts' zones of one kind, with the number as their label."""
    return [
        row._replace(label=row.label.number)
        for row in chosen
        if isinstance(row.label, netfilter.HostZone) and row.label.quoted is quoted
    ]


def _both(one: list[Row], other: list[Row]) -> list[Row]:
    """What passes two lists; where the one only drops, its drops stand before the other."""
    for few, many in ((one, other), (other, one)):
        if all(row.label == DROP for row in few[:-1]) and few[-1].label == ACCEPT:
            return [*few[:-1], *many]
    return [
        Row(box, _worse(left.label, right.label), left.cause)
        for left, right in product(one, other)
        if (box := common(left.sets, right.sets)) is not None
    ]


def _worse(one: object, other: object) -> str | Accept | netfilter.Unclear:
    if DROP in (one, other):
        return DROP
    for label in (one, other):
        if isinstance(label, netfilter.Unclear):
            return label
    limited = [label for label in (one, other) if isinstance(label, Accept)]
    if len(limited) > 1:
        raise Unmodelled("two chains with credit, one after the other")
    return limited[0] if limited else ACCEPT


def _located(ruleset: Ruleset, world: World) -> Ruleset:
    """A ruleset whose sets of addresses hold the unknown ones that belong there."""
    if not world.own.overlaps(axes.UNKNOWN):
        return ruleset

    @cache
    def located(addresses: Intervals) -> Intervals:
        return world.located(addresses)

    def box(sets: Sets) -> Sets:
        destination, source = (
            None if asked is None else located(asked) for asked in (sets[DESTINATION], sets[SOURCE])
        )
        return (*sets[:DESTINATION], destination, source)

    def test(one: netfilter.Test) -> netfilter.Test:
        if isinstance(one, netfilter.Within):
            return netfilter.Within(tuple(map(box, one.boxes)))
        return one

    def rule(one: netfilter.Rule) -> netfilter.Rule:
        cases = tuple(case._replace(sets=box(case.sets)) for case in one.cases)
        return one._replace(tests=tuple(map(test, one.tests)), cases=cases)

    return replace(
        ruleset,
        chains={
            name: replace(chain, rules=tuple(map(rule, chain.rules)))
            for name, chain in ruleset.chains.items()
        },
    )


class _New:
    """The stages of one way in."""

    def __init__(self, linux: Linux, way: Way, choice: int) -> None:
        self.linux = linux
        self.world = linux.world
        self.way = way
        self.choice = choice
        self.facts = linux.facts(way)
        self.within = of_family(linux.family)
        self._translated: dict[Zone, _ByDestination] = {}
        self._sources: dict[tuple[Zone, bool], _ByDestination] = {}

    def stages(self) -> tuple[list[Row], ...]:
        nowhere = Row(EVERYTHING, DROP, 0)
        kept = Row(EVERYTHING, None, 0)
        verdict = [*self._along(self._verdicts_to), nowhere]
        sources = [*self._along(self._sources_to), kept]
        return (
            settled(verdict),
            [_part(row, 0) for row in sources],
            [_part(row, 1) for row in sources],
            [*self._helpers(), kept],
        )

    # -- the way of a packet

    def _along(self, judged: _Judge) -> Iterator[Row]:
        """The rows of a later hook, asked of the packet as it arrived."""
        routed: list[Row] | None = None
        for row in self.destinations:
            if isinstance(row.label, netfilter.Destination):
                yield from self._substituted(row, row.label, judged)
                continue
            if row.label != ACCEPT:
                raise Unmodelled("a drop where destinations are translated", int(str(row.cause)))
            if routed is None:
                routed = list(self._routed(judged))
            if row.sets == EVERYTHING:
                yield from routed
                return
            for one in routed:
                both = common(row.sets, one.sets)
                if both is not None:
                    yield one._replace(sets=both)

    @cached_property
    def destinations(self) -> list[Row]:
        """The rows of destination translation."""
        if self.way.interface is None:
            return [Row(EVERYTHING, ACCEPT, 0)]
        return self._nat("prerouting", self.facts)

    def _nat(self, hook: str, facts: Facts) -> list[Row]:
        chains: list[Chain] = []
        for chain in self.linux.ruleset.at(hook, nat=True):
            if self.linux.asks_earlier(chain):
                earlier.expect_to_pass(self.linux.ruleset, chain, facts, self.within)
            else:
                chains.append(chain)
        if len(chains) > 1:
            raise Unmodelled(f"two chains that translate at {hook}")
        return (
            rows(self.linux.ruleset, chains[0], facts) if chains else [Row(EVERYTHING, ACCEPT, 0)]
        )

    def _routed(self, judged: _Judge) -> Iterator[Row]:
        """What is not translated, by the zone that it is routed to."""
        from_gateway = self.way.interface is None
        for egress in self.world.policy.zones:
            if from_gateway and egress is self.world.gateway:
                continue
            space = self.world.space(egress, from_gateway=from_gateway)
            routed = (self.world.choice(egress), None, None, space, None)
            for row in judged(egress, translated=False).rows:
                both = common(routed, row.sets)
                if both is not None:
                    yield row._replace(sets=both, label=_sent(row.label, egress, None, None))

    def _substituted(self, row: Row, to: netfilter.Destination, judged: _Judge) -> Iterator[Row]:
        """What a translation sends on: judged with its new destination."""
        if to.address is None:
            raise Unmodelled("a translation of the port alone", int(str(row.cause)))
        egress = self.world.zone_of(to.address)
        if egress is None:
            yield row._replace(label=DROP)
            return
        for one in judged(egress, translated=True).towards(to.address):
            box = _before(row.sets, one.sets, to.port)
            if box is not None:
                yield Row(box, _sent(one.label, egress, to.address, to.port), one.cause)

    # -- verdicts

    def _verdicts_to(self, egress: Zone, *, translated: bool) -> _ByDestination:
        """What the filters say of packets for a zone."""
        if translated and egress in self._translated:
            return self._translated[egress]
        facts = replace(self.facts, translated=translated, protected=egress.over is not None)
        departure = self.world.departure(egress, self.choice)
        found = self.linux.filters(self.way, egress, departure, facts, self.within)
        made = _ByDestination(found)
        if translated:
            self._translated[egress] = made
        return made

    # -- sources

    def _sources_to(self, egress: Zone, *, translated: bool) -> _ByDestination:
        """The public address and the port of what leaves for a zone."""
        key = egress, translated
        if key not in self._sources:
            self._sources[key] = _ByDestination(
                list(self.source_rows(egress, translated=translated))
            )
        return self._sources[key]

    def source_rows(self, egress: Zone, *, translated: bool) -> Iterator[Row]:
        if egress is self.world.gateway:
            yield Row(EVERYTHING, None, 0)
            return
        facts = replace(
            self.facts,
            departure=self.world.departure(egress, self.choice),
            translated=translated,
            protected=egress.over is not None,
        )
        for row in self._nat("postrouting", facts):
            yield row._replace(label=self._public(row, egress))

    def _public(self, row: Row, egress: Zone) -> tuple[int, str] | netfilter.Unclear | None:
        label = row.label
        if label == ACCEPT or (isinstance(label, netfilter.Source) and label.keep):
            return None
        if isinstance(label, netfilter.Unclear):
            return label
        if not isinstance(label, netfilter.Source):
            raise Unmodelled("a drop where sources are translated", int(str(row.cause)))
        public = label.address
        if public is None:
            public = self.world.public(egress, self.linux.family)
            if public is None:
                return netfilter.Unclear()
        return public, MOVED if label.moved else KEPT

    # -- helpers

    def _helpers(self) -> Iterator[Row]:
        """The helper that is assigned before a destination is translated; the last one counts."""
        hook = "output" if self.way.interface is None else "prerouting"
        for chain in self.linux.ruleset.at(hook, nat=False):
            found = rows(self.linux.ruleset, chain, self.facts, self.within)
            assigned = [row for row in found if isinstance(row.label, netfilter.Helper)]
            yield from _counting(assigned)


def _counting(assigned: list[Row]) -> Iterator[Row]:
    """The assignments of helpers, those that count first: final ones, then the later ones."""
    labels = [row.label for row in assigned if isinstance(row.label, netfilter.Helper)]
    found = [row._replace(label=label.name) for row, label in zip(assigned, labels, strict=True)]
    are_final = [label.is_final for label in labels]
    if any(are_final) and not all(are_final):
        raise Unmodelled("helpers that are assigned in two ways")
    return iter(found if all(are_final) else found[::-1])


def _part(row: Row, number: int) -> Row:
    """A row of sources with one half of its label."""
    return row._replace(label=row.label[number]) if isinstance(row.label, tuple) else row


class _Judge(Protocol):
    """Says what a later hook does with what leaves for a zone."""

    def __call__(self, egress: Zone, *, translated: bool) -> _ByDestination: ...


class _ByDestination:
    """Rows in order, and those of them that may hold a destination."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @cached_property
    def _index(self) -> tuple[dict[int, list[int]], list[int]]:
        """The numbers of the rows for one destination each, and those of the others."""
        single: dict[int, list[int]] = defaultdict(list)
        wide: list[int] = []
        for number, row in enumerate(self.rows):
            wanted = row.sets[DESTINATION]
            if wanted is not None and wanted.is_single():
                single[wanted.first()].append(number)
            else:
                wide.append(number)
        return single, wide

    def towards(self, destination: int) -> Iterator[Row]:
        """The rows that hold a destination, in order, which is asked for no more."""
        single, wide = self._index
        for number in sorted([*single.get(destination, ()), *wide]):
            row = self.rows[number]
            wanted = row.sets[DESTINATION]
            if wanted is None or destination in wanted:
                yield row._replace(sets=(*row.sets[:DESTINATION], None, row.sets[SOURCE]))


def _before(arrived: Sets, after: Sets, port: int | None) -> Sets | None:
    """The flows as they arrive that a later row holds, when their port has been changed."""
    l4 = after[L4]
    if l4 is not None and port is not None:
        channels = arrived[L4]
        if channels is None or channels.first() >> 16 != channels.items[-1][1] >> 16:
            raise Unmodelled("a new port for more than one protocol")
        if channels.first() >> 16 << 16 | port not in l4:
            return None
        l4 = None
    return common(arrived, (after[0], l4, after[SOURCE_PORT], None, after[SOURCE]))


def _sent(label: object, egress: Zone, destination: int | None, port: int | None) -> object:
    """The label of what is let on, by where it goes; others stay."""
    if label == ACCEPT:
        return Delivered(egress.name, destination, port)
    if isinstance(label, Accept) and label.rate is not None:
        return Delivered(egress.name, destination, port, frozenset((label.rate,)))
    return label
