"""A policy as first-match lists: what `decide` says of one packet, said of all of them at once.

One way of arrival has four stages (`flows.firstmatch`): the verdict with the destination, the
address that the source becomes, what becomes of the source port, and the connection-tracking helper
that follows. What a forward sends to a host
is judged with the host as its destination; here the statements about the host are asked of the
packet as it arrives, so that no stage sees a packet that another has changed.

`decide` and these lists are two answers to one question; the tests hold them to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.fields import (
    DROP,
    EVERYTHING,
    L4,
    SOURCE,
    SPI,
    Arrival,
    Delivered,
    Rate,
    Sets,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.rates import settled
from tunnelgate.meaning.decide import (
    ICMP_ERRORS,
    ICMPV6_ERRORS,
    NEIGHBOUR_DISCOVERY,
    NEVER_SPOOFED,
    Decider,
    Ports,
    Reason,
)
from tunnelgate.policy.model import (
    AH,
    BEGINS_NOTHING,
    ESP,
    MULTICAST,
    Entry,
    Forward,
    Nat,
    Policy,
    Rule,
    Statement,
    Verdict,
    Zone,
)

_UDP = Intervals.of([axes.l4(axes.UDP)])
_DHCP_REQUESTS = Intervals.of([axes.l4(axes.UDP, 67, 67)])
_NOBODY = Intervals.single(0)
_IKE_PORTS = (500, 4500)


class Cause(NamedTuple):
    """Why a row is there, and the statement that it comes from, if one does."""

    reason: Reason
    statement: Statement | None = None


class _Translation(NamedTuple):
    """A translation of sources, or with `public` None an exemption from it.

    `target` is the host that a forward sends the packet to, None where no forward does.
    """

    public: int | None
    egress: Zone
    statement: Statement | None
    sets: Sets
    target: int | None = None


class Lists(NamedTuple):
    """The stages of one way of arrival."""

    verdict: list[Row]
    source: list[Row]
    ports: list[Row]
    helper: list[Row]


def arrivals(policy: Policy) -> list[Arrival]:
    """The ways into a gateway; the last ones are what `l2tp-ipsec` opens."""
    plain = [Arrival(zone.name) for zone in policy.zones]
    inside = {
        zone.name
        for rule in policy.rules
        if rule.protocols.inside_ipsec
        for zone, _ in rule.source
        if zone.over is None and not zone.is_gateway
    }
    return plain + [Arrival(name, decrypted=True) for name in sorted(inside)]


def flatten(
    policy: Policy, numbers: Mapping[str, int], asked: Iterable[Arrival] | None = None
) -> dict[Arrival, Lists]:
    """The lists of each way of arrival.

    Args:
        policy: a policy without errors.
        numbers: a number for each zone by its name, for the axis of egress.
        asked: which ways, its own by default; those of zones that it does not have are left out.
    """
    flattener = _Flattener(policy, numbers)
    zones = {zone.name: zone for zone in policy.zones}
    return {
        arrival: flattener.lists(zones[arrival.zone], decrypted=arrival.decrypted)
        for arrival in (arrivals(policy) if asked is None else asked)
        if arrival.zone in zones
    }


class _Flattener:
    def __init__(self, policy: Policy, numbers: Mapping[str, int]) -> None:
        self.policy = policy
        self.gateway = policy.gateway
        self.decider = Decider(policy)
        self.numbers = numbers
        self.rest = [zone for zone in policy.zones if zone.is_rest]
        self.ipsec = [zone for zone in policy.zones if zone.over is not None]

    def lists(self, ingress: Zone, *, decrypted: bool) -> Lists:
        """The stages of what arrives in a zone."""
        arriving = _Arriving(self, ingress, decrypted)
        nowhere = Row(EVERYTHING, DROP, Cause(Reason.NO_ZONE))
        kept = Row(EVERYTHING, None, Cause(Reason.ALLOWED))
        return Lists(
            settled([*_existing(arriving.verdicts()), nowhere]),
            [*_existing(arriving.sources()), kept],
            [*_existing(arriving.ports()), kept],
            [*_existing(arriving.helpers()), kept],
        )

    def egress(self, zone: Zone) -> Intervals | None:
        """The zone on the axis of egress; None where its addresses are its own alone."""
        if zone in self.rest and len(self.rest) > 1:
            return Intervals.single(self.numbers[zone.name])
        return None

    def space(self, ingress: Zone, egress: Zone) -> Intervals:
        """The destinations of packets that leave by a zone, forwards aside."""
        own = self.policy.own_addresses
        from_outside = ingress is not self.gateway
        if egress is self.gateway:
            return own | MULTICAST if from_outside else own
        return egress.holds - own - MULTICAST if from_outside else egress.holds - own


class _Arriving:
    """The rows of one way of arrival."""

    def __init__(self, whole: _Flattener, ingress: Zone, decrypted: bool) -> None:
        self.whole = whole
        self.policy = whole.policy
        self.ingress = ingress
        self.decrypted = decrypted
        self.settings = whole.policy.settings
        self.from_gateway = ingress is whole.gateway
        # what was decrypted over a zone with tunnels is not in that zone
        is_apart = decrypted and any(zone.over is ingress for zone in whole.ipsec)
        self.entries = [
            (forward, entry)
            for forward in whole.policy.forwards
            for entry in forward.entries
            if entry.zone is ingress and not is_apart
        ]

    # -- the verdict

    def verdicts(self) -> Iterator[Row]:
        """In the order of `Decider.decide`."""
        yield from self._stopped()
        for forward, entry in self.entries:
            for row in self._forwarded(forward, entry):
                for sets in _of_spis(forward, row.sets):
                    yield row._replace(sets=sets)
        for egress in self.policy.zones:
            yield from self._towards(egress)

    def _stopped(self) -> Iterator[Row]:
        """Dropped for where they come from, or for what they are."""
        if self.from_gateway:
            return
        ingress = self.ingress
        tunnels = Intervals.union_of(zone.holds for zone in self.whole.ipsec)
        if self.decrypted:
            mine = [zone for zone in self.whole.ipsec if zone.over is ingress]
            # what such a zone holds has arrived there, and is asked about there
            elsewhere = Intervals.union_of(zone.holds for zone in mine)
            yield _row(DROP, Cause(Reason.NOT_IN_TUNNEL), source=elsewhere)
            if mine:
                yield from self._inside_ipsec_alone()
        elif ingress.over is None and tunnels:
            yield _row(DROP, Cause(Reason.NOT_PROTECTED), source=tunnels)
        if self.settings.antispoof:
            spoofed = Cause(Reason.SPOOFED)
            strangers = axes.ANY_ADDRESS - ingress.holds - NEVER_SPOOFED
            yield _row(DROP, spoofed, source=strangers - _NOBODY)
            yield _row(DROP, spoofed, source=strangers & _NOBODY, l4=axes.ANY_L4 - _DHCP_REQUESTS)
        yield _row(DROP, Cause(Reason.BEGINS_NOTHING), l4=BEGINS_NOTHING)

    def _inside_ipsec_alone(self) -> Iterator[Row]:
        """With tunnels over a zone, nothing but L2TP to the gateway is decrypted in it."""
        inside = Intervals.union_of(
            rule.protocols.inside_ipsec
            for rule in self.whole.decider.rules(self.ingress, self.whole.gateway)
            if rule.verdict is Verdict.ALLOW
        )
        dropped = Cause(Reason.NOT_IN_TUNNEL)
        yield _row(DROP, dropped, l4=axes.ANY_L4 - inside)
        mine = self.policy.own_addresses | MULTICAST
        yield _row(DROP, dropped, destination=axes.ANY_ADDRESS - mine)

    def _forwarded(self, forward: Forward, entry: Entry) -> Iterator[Row]:
        """What a forward takes: judged with its host as the destination."""
        egress = forward.host.zone
        sent = Delivered(egress.name, forward.target, forward.port)
        ends = {"source": entry.sources, "destination": entry.addresses}
        rules = [
            rule
            for rule in self.whole.decider.rules(self.ingress, egress)
            if forward.target in rule.destination.addresses(egress)
        ]
        for rule in rules:
            if rule.verdict is Verdict.DENY:
                yield _of_rule(DROP, Reason.DENIED, rule, forward, entry)
        passes = _limited(sent, forward)
        yield _row(passes, Cause(Reason.FORWARDED, forward), l4=forward.l4, **ends)
        if passes.rates:  # what has no credit left may be allowed besides
            for rule in rules:
                if rule.verdict is Verdict.ALLOW:
                    passes = _limited(sent, rule)
                    yield _of_rule(passes, Reason.FORWARDED, rule, forward, entry)
            yield from self._handed_on_by_others(forward, entry, sent)
            yield _row(DROP, Cause(Reason.NOT_ALLOWED, forward), l4=forward.l4, **ends)

    def _handed_on_by_others(
        self, forward: Forward, entry: Entry, sent: Delivered
    ) -> Iterator[Row]:
        """Other forwards of the same to the same host: behind the translation they are one."""
        for other, its in self.entries:
            if other is forward or other.target != forward.target:
                continue
            arriving = _before(forward, _after(other))
            yield _row(
                _limited(sent, other),
                Cause(Reason.FORWARDED, other),
                l4=arriving,
                source=entry.sources & its.sources,
                destination=entry.addresses,
            )

    def _towards(self, egress: Zone) -> Iterator[Row]:
        """What leaves by a zone, or is for the gateway itself."""
        if egress is self.ingress and self.from_gateway:
            return
        space, choice = self.whole.space(self.ingress, egress), self.whole.egress(egress)
        passes = Delivered(egress.name)
        for nat, sources, destinations in self._nats(egress):
            both = {"source": sources, "destination": destinations & space}
            yield _row(DROP, Cause(Reason.AH_TRANSLATED, nat), choice, l4=AH, **both)
        always = self._always(egress)
        yield _row(passes, Cause(Reason.ALWAYS), choice, l4=always, destination=space)
        for rule in self.whole.decider.rules(self.ingress, egress):
            denies = rule.verdict is Verdict.DENY
            yield _row(
                DROP if denies else _limited(passes, rule),
                Cause(Reason.DENIED if denies else Reason.ALLOWED, rule),
                choice,
                l4=self._l4(rule, egress),
                source=rule.source.addresses(self.ingress),
                destination=rule.destination.addresses(egress) & space,
            )
        free = self.from_gateway and self.settings.gateway_output
        label, reason = (passes, Reason.ALWAYS) if free else (DROP, Reason.NOT_ALLOWED)
        yield _row(label, Cause(reason), choice, destination=space)

    def _always(self, egress: Zone) -> Intervals:
        found = ICMPV6_ERRORS if self.settings.icmp else Intervals.EMPTY
        if egress is self.whole.gateway:
            return found | NEIGHBOUR_DISCOVERY
        if self.from_gateway:
            return NEIGHBOUR_DISCOVERY | ICMPV6_ERRORS | ICMP_ERRORS
        return found

    def _l4(self, rule: Rule, egress: Zone) -> Intervals:
        """The channels of a statement: what was decrypted may be meant by what is inside IPsec."""
        inside = self.decrypted and egress is self.whole.gateway
        return rule.l4 | rule.protocols.inside_ipsec if inside else rule.l4

    # -- helpers

    def helpers(self) -> Iterator[Row]:
        """The helper that follows a connection."""
        for forward, entry in self.entries:
            if forward.options.helper:
                for helper in forward.protocols.helpers:
                    sets = _sets(
                        l4=forward.l4 & helper.control,
                        destination=entry.addresses,
                        source=entry.sources & _of(helper.families),
                    )
                    yield Row(sets, helper.name, Cause(Reason.FORWARDED, forward))
        own = self.policy.own_addresses
        for egress in self.policy.zones:
            if self.from_gateway and egress is self.whole.gateway:
                continue
            # multicast begins no connection that a helper could follow
            space = own if egress is self.whole.gateway else egress.holds - own
            for rule in self.whole.decider.rules(self.ingress, egress):
                for helper in rule.protocols.helpers if rule.options.helper else ():
                    # before there is a route, no zone is told from another that holds the same
                    sets = _sets(
                        l4=rule.l4 & helper.control,
                        destination=rule.destination.addresses(egress) & space,
                        source=rule.source.addresses(self.ingress) & _of(helper.families),
                    )
                    yield Row(sets, helper.name, Cause(Reason.ALLOWED, rule))

    # -- the source

    def sources(self) -> Iterator[Row]:
        """What the source becomes: a place on the axis of addresses."""
        for one in self._translations():
            yield Row(one.sets, one.public, Cause(Reason.ALLOWED, one.statement))

    def ports(self) -> Iterator[Row]:
        """What becomes of the source port."""
        for one in self._translations():
            cause = Cause(Reason.ALLOWED, one.statement)
            if one.public is None:
                yield Row(one.sets, None, cause)
                continue
            # a hairpin keeps them
            for sets in self._moved(one) if isinstance(one.statement, Nat) else ():
                yield Row(sets, Ports.MOVED, cause)
            yield Row(one.sets, Ports.KEPT, cause)

    def _translations(self) -> Iterator[_Translation]:
        """Whose source is translated, the first that fits; an exemption has no public address."""
        if self.from_gateway:
            return
        yield _Translation(None, self.whole.gateway, None, _sets(l4=ICMPV6_ERRORS))
        for forward, entry in self.entries:
            for one in self._of_forward(forward, entry):
                for sets in _of_spis(forward, one.sets):
                    yield one._replace(sets=sets)
        for egress in self.policy.zones[1:]:
            space, choice = self.whole.space(self.ingress, egress), self.whole.egress(egress)
            for nat, sources, destinations in self._nats(egress):
                sets = _sets(choice, source=sources, destination=destinations & space)
                yield _Translation(self._public(nat, egress), egress, nat, sets)

    def _of_forward(self, forward: Forward, entry: Entry) -> Iterator[_Translation]:
        egress, target = forward.host.zone, forward.target
        mine = _sets(l4=forward.l4, destination=entry.addresses, source=entry.sources)
        if entry.zone is egress and forward.options.hairpin:
            yield _Translation(self._public(forward, egress), egress, forward, mine, target)
        elif entry.zone is not egress:
            for nat, sources, destinations in self._nats(egress):
                if target in destinations:
                    sets = (*mine[:SOURCE], sources & entry.sources)
                    yield _Translation(self._public(nat, egress), egress, nat, sets, target)
        yield _Translation(None, egress, None, mine)

    def _nats(self, egress: Zone) -> Iterator[tuple[Nat, Intervals, Intervals]]:
        """The translations between two zones, the most specific first, of their family alone."""
        if self.from_gateway or egress is self.whole.gateway:
            return
        for nat in self.whole.decider.nats:
            family = axes.family_axis(nat.family)
            sources = nat.source.addresses(self.ingress) & family
            destinations = nat.destination.addresses(egress) & family
            if sources and destinations:
                yield nat, sources, destinations

    def _public(self, nat: Nat | Forward, egress: Zone) -> int:
        public = nat.public_address(egress)
        if public is None:
            return axes.unknown_address(egress.carrier.index, nat.family)
        return public

    def _moved(self, one: _Translation) -> Iterator[Sets]:
        """Where a forward takes the answers to a source port, so that it has to go."""
        egress, l4, _, destinations, sources = one.sets
        if isinstance(one.statement, Forward):
            return  # a hairpin leaves the port where it is
        for forward in self.policy.forwards:
            for entry in forward.entries:
                if one.public is None or one.public not in entry.addresses:
                    continue
                if entry.zone is not one.egress:
                    continue
                peers = _peers(one, entry.sources)
                others = (sources or axes.ANY_ADDRESS) - Intervals.single(forward.target)
                for port in _IKE_PORTS:
                    if axes.UDP << 16 | port in forward.l4:
                        yield _sets(
                            egress,
                            l4=_UDP & (l4 or axes.ANY_L4),
                            source_port=Intervals.single(port),
                            destination=peers & (destinations or axes.ANY_ADDRESS),
                            source=others,
                        )


def _peers(one: _Translation, asked: Intervals) -> Intervals:
    """The destinations on arrival that are among the asked ones on departure."""
    if one.target is None:
        return asked
    return axes.ANY_ADDRESS if one.target in asked else Intervals.EMPTY


def _of_rule(
    label: str | Delivered, reason: Reason, rule: Rule, forward: Forward, entry: Entry
) -> Row:
    """A statement about the host of a forward, asked of what the forward takes."""
    return _row(
        label,
        Cause(reason, rule),
        l4=_before(forward, rule.l4),
        source=rule.source.addresses(entry.zone) & entry.sources,
        destination=entry.addresses,
    )


def _of_spis(forward: Forward, taken: Sets) -> Iterator[Sets]:
    """What a forward takes, its ESP with its SPIs alone."""
    if forward.options.spi is None:
        yield taken
        return
    asked = taken[L4]
    l4 = axes.ANY_L4 if asked is None else asked
    yield (*taken[:L4], l4 - ESP, *taken[L4 + 1 :])
    yield (*taken[:L4], l4 & ESP, forward.spis, *taken[SPI + 1 :])


def _limited(label: Delivered, statement: Rule | Forward) -> Delivered:
    """A label with the limit of a statement."""
    limit = statement.options.limit
    if limit is None:
        return label
    return label._replace(rates=frozenset((Rate(limit.count, limit.unit, limit.per_source),)))


def _of(families: Iterable[int]) -> Intervals:
    return Intervals.union_of(axes.family_axis(family) for family in families)


def _after(forward: Forward) -> Intervals:
    """The channels of a forward once they are translated."""
    if forward.port is None:
        return forward.l4
    return Intervals.single(forward.l4.first() >> 16 << 16 | forward.port)


def _before(forward: Forward, l4: Intervals) -> Intervals:
    """The channels of a forward that are in a set once they are translated."""
    if forward.port is None:
        return forward.l4 & l4
    arriving = forward.l4.first() >> 16 << 16 | forward.port
    return forward.l4 if arriving in l4 else Intervals.EMPTY


def _row(
    label: str | Delivered, cause: Cause, egress: Intervals | None = None, **asked: Intervals
) -> Row:
    return Row(_sets(egress, **asked), label, cause)


def _sets(
    egress: Intervals | None = None,
    *,
    l4: Intervals | None = None,
    source_port: Intervals | None = None,
    destination: Intervals | None = None,
    source: Intervals | None = None,
) -> Sets:
    """The sets of a row; one that holds everything asks nothing."""
    return (
        egress,
        None if l4 == axes.ANY_L4 else l4,
        source_port,
        None if destination == axes.ANY_ADDRESS else destination,
        None if source == axes.ANY_ADDRESS else source,
    )


def _existing(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows that hold something."""
    return (row for row in rows if all(one is None or one for one in row.sets))
