"""Is a ruleset what its policy means? For all packets at once.

Compared are, by family and by every way in:

O1  packets of established connections pass, but for the drops that hold for them too;
O2  packets that begin a connection: verdict, both translations, source port, helper, limits;
O3  invalid packets are dropped, but for ICMPv6 errors; untracked ones are judged as what begins;
O4  related packets are ICMP errors, or what a helper of the policy announced;
O5  ESP of a host that a forward tells apart by SPI, and the ICMP errors about what it gets, are in
    a conntrack zone that nothing else is in.

Flows that were there before a load are outside: they keep what they had (`diff` names them). So are
collisions of protocols without ports, which are no property of one flow: the checks TG2xx.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.crossings import Screens
from tunnelgate.flows.fields import ANY_SPI, DESTINATION, DROP, EVERYTHING, L4, SOURCE, Arrival
from tunnelgate.flows.firstmatch import BUDGET, Row, differences
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import Facts, Ruleset, State
from tunnelgate.flows.sets import sets
from tunnelgate.meaning.decide import ICMPV6_ERRORS, NEIGHBOUR_DISCOVERY, Ports
from tunnelgate.meaning.flatten import arrivals, flatten
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import AH, BEGINS_NOTHING
from tunnelgate.proof import prove_pf
from tunnelgate.proof.answers import expect_zones
from tunnelgate.proof.apart import Hosts
from tunnelgate.proof.known import PASSES, Known, passes
from tunnelgate.proof.linux import Linux
from tunnelgate.proof.pf_asked import Asked
from tunnelgate.proof.refuted import Refuted
from tunnelgate.proof.world import NEVER_FORWARDED, STRANGER, Way, World

MODEL = 1
"""The version of the packet model; it changes where a proof says something else than before."""

_LOOPBACK = "lo"
_ICMP = Intervals.of([axes.l4(axes.ICMP), axes.l4(axes.ICMPV6)])


class Departure(NamedTuple):
    """Where packets go: a zone, by an interface, through the gateway's own IPsec or not."""

    zone: Zone
    interface: str | None
    protected: bool


def refutations(
    policy: Policy,
    rulesets: Mapping[int, Ruleset | Screens],
    *,
    whole: bool = True,
    budget: int = BUDGET,
) -> Iterator[Refuted]:
    """Everything that a ruleset does otherwise; nothing if it is what the policy means.

    Args:
        policy: a policy without errors.
        rulesets: what is loaded for each family, 4 and 6.
        whole: no interface but those of zones has packets (the layout `whole`).
        budget: how much one comparison may look at.

    Raises:
        BudgetExceeded: a comparison would look at more.
        Unmodelled: a ruleset does what the model has no word for.
    """
    world = World(policy)
    meant = _meant(world)
    for family, ruleset in rulesets.items():
        if isinstance(ruleset, Screens):
            yield from prove_pf.Prover(world, meant, ruleset, family, budget).all(whole=whole)
            continue
        prover = _Prover(world, meant, Linux(ruleset, world, family), budget)
        for way in prover.ways():
            yield from prover.beginning(way)
            yield from prover.going_on(way)
            expect_zones(prover.linux, world, way)
            yield from prover.apart(way)
            if way.interface is not None:
                yield from prover.astray(way)
        yield from prover.to_itself()
        if whole:
            yield from prover.strangers()


def left_out_of_pf(policy: Policy) -> tuple[str, ...]:
    """Which packets a proof of a ruleset of pf is not about, a clause each."""
    world = World(policy)
    return tuple(Asked(world, _meant(world)).caveats())


def _meant(world: World) -> dict[Arrival, tuple[list[Row], ...]]:
    """What the policy means for packets that begin a connection, by their way in."""
    zones = world.policy.zones
    asked = [Arrival(zone.name) for zone in zones]
    asked += [Arrival(zone.name, decrypted=True) for zone in zones[1:] if zone.over is None]
    return {
        arrival: (
            lists.verdict,
            lists.source,
            [_port_word(row) for row in lists.ports],
            lists.helper,
        )
        for arrival, lists in flatten(world.policy, world.numbers, asked).items()
    }


def _port_word(row: Row) -> Row:
    return row._replace(label=row.label.value) if isinstance(row.label, Ports) else row


class _Prover:
    """The comparisons of one family."""

    def __init__(
        self,
        world: World,
        meant: Mapping[Arrival, tuple[list[Row], ...]],
        linux: Linux,
        budget: int,
    ) -> None:
        self.world = world
        self.meant = meant
        self.linux = linux
        self.budget = budget
        self.known = Known(world.policy)
        self.hosts = Hosts(linux)
        #: Whether it can matter to a packet of a plain zone that it was decrypted.
        inside = any(arrival.decrypted for arrival in arrivals(world.policy))
        self._minds_ipsec = bool(self.known.ipsec) or inside or linux.ruleset.asks_ipsec()
        self.axis = axes.family_axis(linux.family)
        never = [axes.ICMPV6] if linux.family == 4 else [axes.ICMP, *axes.EXTENSIONS]
        self.l4 = axes.ANY_L4 - Intervals.of(map(axes.l4, never))
        self.helpers = sorted(
            {
                str(row.label)
                for *_, helpers in meant.values()
                for row in helpers
                if row.label is not None and self._is_of_family(row)
            }
        )

    def _is_of_family(self, row: Row) -> bool:
        ends = (row.sets[DESTINATION], row.sets[SOURCE])
        return all(asked is None or asked.overlaps(self.axis) for asked in ends)

    # -- which packets there are

    def ways(self) -> Iterator[Way]:
        """Every way in: the gateway's own, then each interface, in clear and decrypted."""
        yield Way(self.world.gateway, None, decrypted=False)
        for zone in self.world.policy.zones[1:]:
            for name in self.world.interfaces(zone):
                if zone.over is None:
                    yield Way(zone, name, decrypted=False)
                if zone.over is not None or self._minds_ipsec:
                    yield Way(zone, name, decrypted=True)

    def _departures(self, way: Way) -> Iterator[Departure]:
        for egress in self.world.policy.zones:
            if egress is self.world.gateway:
                if way.interface is not None:
                    yield Departure(egress, None, protected=False)
                continue
            for name in self.world.interfaces(egress):
                yield Departure(egress, name, protected=egress.over is not None)
                if egress.over is not None:
                    yield Departure(egress, name, protected=False)

    def _domain(self, way: Way, l4: Intervals, egress: Zone | None = None) -> Box:
        """The packets that there are of a way, and that are routed to a zone if one is named."""
        space = self.world.existing & self.axis
        zones = self.world.policy.zones if egress is None else (egress,)
        if way.interface is None:
            space -= self.world.own
        if egress is not None:
            space &= self.world.space(egress, from_gateway=way.interface is None)
        numbers = Intervals.of((zone.index, zone.index) for zone in zones)
        return numbers, l4, ANY_SPI, space, self._sources(way)

    def _sources(self, way: Way) -> Intervals:
        if way.interface is None:
            return self.world.own & self.world.existing & self.axis
        found = (self.world.existing & self.axis) - self.world.own
        if way.zone.over is not None:
            return found & way.zone.holds
        return found - self.known.carried(way.zone) if way.decrypted else found

    # -- comparisons

    def _compare(
        self,
        about: tuple[str, str],
        way: Way,
        meant: Sequence[list[Row]],
        said: Sequence[list[Row]],
        domain: Box,
    ) -> Iterator[Refuted]:
        for found in differences(meant, said, domain, final=[DROP], budget=self.budget):
            yield Refuted(*about, self.linux.family, way, found)

    def _judged(
        self,
        about: tuple[str, str],
        way: Way,
        to: Departure,
        facts: Facts,
        meant: list[Row],
        l4: Intervals,
    ) -> Iterator[Refuted]:
        """Whether packets pass to a departure; `facts` says of which state they are."""
        known = replace(
            self.linux.facts(way),
            state=facts.state,
            reply=facts.reply,
            helper=facts.helper,
            protected=to.protected,
        )
        domain = self._domain(way, l4, to.zone)
        if all(domain):
            within = sets(l4=l4, destination=domain[DESTINATION], source=domain[SOURCE])
            said = self.linux.verdict(way, to.zone, to.interface, known, within)
            yield from self._compare(about, way, [meant], [said], domain)

    def _begins(self, way: Way) -> tuple[list[Row], ...]:
        decrypted = way.decrypted and way.zone.over is None
        return self.meant[Arrival(way.zone.name, decrypted)]

    def beginning(self, way: Way) -> Iterator[Refuted]:
        """Packets that begin a connection: of ICMP, requests alone do."""
        domain = self._domain(way, self.l4 - ICMPV6_ERRORS - BEGINS_NOTHING)
        *rest, sources = domain
        for choice in range(self.world.choices):
            said, meant = self.linux.new(way, choice), self._begins(way)
            about = "O2", "begins"
            if forwarded := sources - NEVER_FORWARDED:
                yield from self._compare(about, way, meant, said, (*rest, forwarded))
            if staying := sources & NEVER_FORWARDED:
                # what is not forwarded meets no translation of sources
                met, done = ((lists[0], lists[-1]) for lists in (meant, said))
                yield from self._compare(about, way, met, done, (*rest, staying))

    def apart(self, way: Way) -> Iterator[Refuted]:
        """Whose connections packets belong to; ICMP errors by the answer to what they quote."""
        for quoted, situation in ((False, "is tracked"), (True, "is an error about ESP")):
            domain = self._domain(way, self.l4)
            if quoted:
                space = self.world.existing & self.axis
                domain = (*domain[:DESTINATION], space - self.world.own, space)
            meant = self.hosts.meant(way, quoted=quoted)
            said = self.linux.host_zones(way, quoted=quoted)
            yield from self._compare(("O5", situation), way, [meant], [said], domain)

    def going_on(self, way: Way) -> Iterator[Refuted]:
        """Packets of connections that there are, and what belongs to these."""
        for to in self._departures(way):
            for reply in (True, False):
                kept = self.known.established(
                    way.zone,
                    to.zone,
                    decrypted=way.decrypted,
                    protected=to.protected,
                    reply=reply,
                )
                about = "O1", "is a reply" if reply else "goes on"
                facts = Facts(state=State.ESTABLISHED, reply=reply)
                yield from self._judged(about, way, to, facts, kept, self.l4)
            facts = Facts(state=State.RELATED)
            about = "O4", "is an error about a connection"
            yield from self._judged(about, way, to, facts, kept, self.l4 & _ICMP)
            for name in self.helpers:
                about = "O4", f"was announced to the helper {name}"
                data = self.l4 - _ICMP - AH
                yield from self._judged(about, way, to, replace(facts, helper=name), kept, data)

    def astray(self, way: Way) -> Iterator[Refuted]:
        """Packets of no connection: invalid ones, and what is not tracked."""
        verdict = self._begins(way)[0]
        invalid = self.known.invalid(_about(verdict, ICMPV6_ERRORS & self.l4))
        discovery = self.l4 & NEIGHBOUR_DISCOVERY - self._taken(way)
        untracked = list(map(passes, _about(verdict, discovery)))
        for to in self._departures(way):
            if to.protected or to.zone.over is None:
                facts = Facts(state=State.INVALID)
                yield from self._judged(("O3", "is invalid"), way, to, facts, invalid, self.l4)
                about, facts = ("O3", "is not tracked"), Facts(state=State.UNTRACKED)
                yield from self._judged(about, way, to, facts, untracked, discovery)

    def _taken(self, way: Way) -> Intervals:
        """What forwards take from a zone; no translation sees what is not tracked."""
        forwards = self.world.policy.forwards
        return Intervals.union_of(
            one.l4 for one in forwards if any(entry.zone is way.zone for entry in one.entries)
        )

    def to_itself(self) -> Iterator[Refuted]:
        """What the gateway sends to itself passes: both ends of the loopback interface."""
        gateway = self.world.gateway
        own = self.world.own & self.world.existing & self.axis
        domain = (Intervals.single(gateway.index), self.l4, ANY_SPI, own, own)
        facts = self.linux.facts(Way(gateway, _LOOPBACK, decrypted=False))
        for way, departure in (
            (Way(gateway, None, decrypted=False), _LOOPBACK),
            (Way(gateway, _LOOPBACK, decrypted=False), None),
        ):
            known = replace(facts, arrival=way.interface)
            said = self.linux.verdict(way, gateway, departure, known, EVERYTHING)
            yield from self._compare(("O2", "is for itself"), way, [[PASSES]], [said], domain)

    def strangers(self) -> Iterator[Refuted]:
        """What comes from or goes to an interface that no zone has is dropped."""
        nothing = [Row(EVERYTHING, DROP, "no zone")]
        begins = self.l4 - ICMPV6_ERRORS
        zones = self.world.policy.zones[1:]
        if not zones:
            return
        for zone in zones:
            for name in self.world.interfaces(zone):
                way = Way(zone, name, decrypted=zone.over is not None)
                to = Departure(zone, STRANGER, protected=False)
                about = "O2", "leaves by an interface of no zone"
                yield from self._judged(about, way, to, Facts(), nothing, begins)
        way = Way(zones[0], STRANGER, decrypted=False)
        for to in self._departures(way):
            about = "O2", "arrives by an interface of no zone"
            yield from self._judged(about, way, to, Facts(), nothing, begins)


def _about(rows: list[Row], l4: Intervals) -> list[Row]:
    """The rows that some of these channels can meet."""
    return [row for row in rows if (asked := row.sets[L4]) is None or asked.overlaps(l4)]
