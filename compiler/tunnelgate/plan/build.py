"""Policy to plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.plan import apart
from tunnelgate.plan.model import (
    Apart,
    Asked,
    ClearDrop,
    Dnat,
    Feature,
    Guard,
    Helper,
    Holder,
    Limit,
    Link,
    Match,
    Moved,
    Mss,
    Origin,
    Pair,
    Plan,
    Rule,
    Snat,
    Tracking,
)
from tunnelgate.plan.tracking import trackings, untracked
from tunnelgate.policy import model
from tunnelgate.policy.options import PORTLESS
from tunnelgate.records import replace

_IKE = Intervals.of([axes.l4(axes.UDP, 500, 500), axes.l4(axes.UDP, 4500, 4500)])
_L2TP = Intervals.of([axes.l4(axes.UDP, 1701, 1701)])


def build(policy: model.Policy) -> Plan:
    """The dialect-free ruleset of a policy. The policy has no errors."""
    return _Builder(policy).plan()


def origin(statement: model.Statement) -> Origin:
    """A statement as what it is called in a ruleset."""
    return Origin(statement.text, statement.span)


class _Builder:
    def __init__(self, policy: model.Policy) -> None:
        self.policy = policy
        self.links: dict[model.Zone, Link] = {}
        self.features: dict[Feature, dict[Origin, None]] = defaultdict(dict)
        self.forwards = sorted(policy.forwards, key=lambda one: one.text)
        self.numbers = apart.numbers(policy)
        for zone in policy.zones[1:]:
            self.links[zone] = self._link(zone)
        self._shared_moves: dict[tuple[model.Zone, int], tuple[Moved, ...]] = {}
        self.apart = tuple(apart.hosts(policy, self.links))

    def plan(self) -> Plan:
        policy, settings = self.policy, self.policy.settings
        snats = tuple(self._snats())
        dnats = tuple(self._dnats())
        helpers = tuple(self._helpers())
        tracked = tuple(trackings(policy, self.links, snats))
        pairs = tuple(self._pairs(snats, tracked))
        mss = tuple(self._mss())
        drops = tuple(
            ClearDrop(link, Origin(f"zone {link.name} ipsec over {link.carrier.name}", zone.span))
            for zone, link in self.links.items()
            if link.over is not None
        )
        from_gateway = any(pair.source is None and pair.denials for pair in pairs)
        self._setting_features()
        return Plan(
            gateway=policy.name,
            policy=policy.file.name,
            links=tuple(self.links.values()),
            pairs=pairs,
            dnats=dnats,
            apart=self.apart,
            snats=snats,
            trackings=tracked,
            helpers=helpers,
            clear_drops=drops,
            inside_ipsec=self._inside_ipsec,
            never_clear_l2tp=self._never_clear_l2tp(),
            mss=mss,
            filter_output=from_gateway or not settings.gateway_output,
            default_output=settings.gateway_output,
            log_denied=settings.log_denied,
            reject=settings.reject,
            icmp=settings.icmp,
            families=tuple(family for family in (4, 6) if self._crosses(family)),
            features={feature: tuple(origins) for feature, origins in self.features.items()},
        )

    def _needs(self, feature: Feature, statement: Origin) -> None:
        self.features[feature][statement] = None

    # -- links

    def _link(self, zone: model.Zone) -> Link:
        about = Origin(f"zone {zone.name}", zone.span)
        exact = tuple(sorted(name for name in zone.interfaces if not name.endswith("*")))
        wild = sorted(
            (name[:-1] for name in zone.interfaces if name.endswith("*")),
            key=lambda p: (-len(p), p),
        )
        if wild:
            self._needs(Feature.WILDCARD, about)
        if zone.over is not None:
            self._needs(Feature.IPSEC, about)
        checked = self.policy.settings.antispoof and zone.over is None
        return Link(
            name=zone.name,
            origin=about,
            interfaces=exact,
            wildcards=tuple(wild),
            over=self.links[zone.over] if zone.over is not None else None,
            network=zone.holds if zone.over is not None else Intervals.EMPTY,
            sources=zone.holds if checked else None,
            inside=not self.policy.is_outside(zone),
        )

    def _setting_features(self) -> None:
        settings = self.policy.settings
        asked = (
            (Feature.LOG_DENIED, "log-denied", settings.log_denied > 0),
            (Feature.REJECT, "reject", settings.reject),
            (Feature.FILTER_OUTPUT, "gateway-output", not settings.gateway_output),
        )
        for feature, name, is_set in asked:
            if is_set:
                self._needs(feature, Origin(f"set {name}", self.policy.settings_spans[name]))

    def _crosses(self, family: int) -> bool:
        """Whether two zones hold addresses of a family, and a statement is about two zones."""
        axis = axes.family_axis(family)
        holders = [zone for zone in self.policy.zones[1:] if zone.holds.overlaps(axis)]
        crossing = any(
            not source.is_gateway and not destination.is_gateway
            for rule in self.policy.rules
            if rule.verdict is model.Verdict.ALLOW
            for source, _ in rule.source
            for destination, _ in rule.destination
        )
        return len(holders) > 1 and (crossing or bool(self.policy.forwards))

    @cached_property
    def _inside_ipsec(self) -> tuple[Link, ...]:
        """The links from which L2TP may come inside IPsec, and nothing else that was decrypted."""
        return tuple(
            self.links[zone]
            for zone in self.policy.zones[1:]
            if zone.over is None
            and any(rule.protocols.inside_ipsec for rule in self._allows_to_gateway(zone))
        )

    def _never_clear_l2tp(self) -> tuple[Link, ...]:
        """Those of them from which nothing allows L2TP in clear."""
        return tuple(
            link
            for zone, link in self.links.items()
            if link in self._inside_ipsec
            and not any(_L2TP.overlaps(rule.l4) for rule in self._allows_to_gateway(zone))
        )

    def _allows_to_gateway(self, zone: model.Zone) -> list[model.Rule]:
        return [rule for rule in self._to_gateway if rule.source.addresses(zone)]

    @cached_property
    def _to_gateway(self) -> list[model.Rule]:
        return [
            rule
            for rule in self.policy.rules
            if rule.verdict is model.Verdict.ALLOW
            and rule.destination.addresses(self.policy.gateway)
        ]

    def _mss(self) -> Iterator[Mss]:
        for zone, link in self.links.items():
            if zone.mss is not None:
                about = Origin(f"zone {zone.name} mss {zone.mss}", zone.span)
                self._needs(Feature.MSS, about)
                yield Mss(link, zone.mss, about)

    # -- verdicts

    def _pairs(self, snats: tuple[Snat, ...], tracked: tuple[Tracking, ...]) -> Iterator[Pair]:
        denials: dict[tuple[int, int], list[Rule]] = defaultdict(list)
        permissions: dict[tuple[int, int], list[Rule]] = defaultdict(list)
        claimed: set[tuple[int, int]] = set()
        for rule in self.policy.rules:
            target = permissions if rule.verdict is model.Verdict.ALLOW else denials
            for source, sources in rule.source:
                for destination, destinations in rule.destination:
                    key = (source.index, destination.index)
                    if source.is_gateway and destination.is_gateway:
                        continue
                    made = list(self._rules(rule, source, sources, destination, destinations))
                    target[key].extend(made)
                    if made and target is permissions and _claims(rule):
                        claimed.add(key)
        for forward in self.policy.forwards:
            for entry in forward.entries:
                key = (entry.zone.index, forward.host.zone.index)
                permissions[key].append(self._forward_rule(forward, entry))
        zones = self.policy.zones
        ends = {
            key: (self.links.get(zones[key[0]]), self.links.get(zones[key[1]]))
            for key in sorted({*denials, *permissions})
        }
        guarded = [
            snat
            for key in sorted(claimed)
            for snat in snats
            if (snat.source, snat.destination) == ends[key] and not snat.hairpin
        ]
        for key, (one, other) in ends.items():
            yield Pair(
                one,
                other,
                tuple(sorted(denials[key], key=_narrow_first)),
                tuple(sorted(permissions[key], key=_narrow_first)),
                self._guards(one, other, guarded, tracked),
                self._holders(one, other, permissions[key], guarded),
            )

    def _rules(
        self,
        rule: model.Rule,
        source: model.Zone,
        sources: Intervals,
        destination: model.Zone,
        destinations: Intervals,
    ) -> Iterator[Rule]:
        match = Match(_of(source, sources), _of(destination, destinations), rule.l4)
        made = self._rule(rule, rule.options, match)
        if rule.l4:
            yield made
        if rule.protocols.inside_ipsec and destination.is_gateway and source.over is None:
            self._needs(Feature.INSIDE_IPSEC, made.origin)
            inside = Match(match.source, match.destination, rule.protocols.inside_ipsec)
            yield Rule(inside, made.origin, made.log, made.limit, made.counter, decrypted=True)

    def _rule(
        self, statement: model.Rule | model.Forward, options: model.Options, match: Match
    ) -> Rule:
        about = origin(statement)
        self._option_features(options, about)
        if statement.protocols.named.overlaps(model.AH):
            self._needs(Feature.AH, about)
        asked = options.limit
        limit = Limit(asked.count, asked.unit, asked.per_source) if asked else None
        return Rule(match, about, options.log, limit, options.counter)

    def _option_features(self, options: model.Options, about: Origin) -> None:
        per_source = options.limit is not None and options.limit.per_source
        asked = (
            (Feature.HELPER, options.helper),
            (Feature.TRACKING, options.tracking),
            (Feature.SPI, options.spi is not None),
            (Feature.SINGLE, options.single),
            (Feature.LOG, options.log is not None),
            (Feature.LIMIT, options.limit is not None and not per_source),
            (Feature.LIMIT_PER_SOURCE, per_source),
            (Feature.COUNTER, options.counter),
            (Feature.HAIRPIN, options.hairpin),
        )
        for feature, is_asked in asked:
            if is_asked:
                self._needs(feature, about)

    def _forward_rule(self, forward: model.Forward, entry: model.Entry) -> Rule:
        sources = _of(entry.zone, entry.sources)
        match = Match(sources, Intervals.single(forward.target), _translated(forward))
        made = self._rule(forward, forward.options, match)
        return Rule(match, made.origin, made.log, made.limit, made.counter, translated=True)

    def _guards(
        self,
        source: Link | None,
        destination: Link | None,
        snats: Iterable[Snat],
        tracked: Sequence[Tracking],
    ) -> tuple[Guard, ...]:
        """Where portless protocols share an address: a second claimant is to be seen."""
        here: list[Tracking | Apart] = [one for one in self.apart if one.link is source]
        here += [one for one in tracked if one.source is source and one.destination is destination]
        return tuple(
            Guard(snat.family, match, _shared(snat), snat.origin)
            for snat in snats
            if snat.source is source and snat.destination is destination
            for match in untracked(
                Match(snat.match.source, snat.match.destination, PORTLESS), snat.family, here
            )
        )

    @staticmethod
    def _holders(
        source: Link | None, destination: Link | None, rules: list[Rule], snats: Iterable[Snat]
    ) -> tuple[Holder, ...]:
        """What comes in for these addresses, by a forward or for the gateway itself."""
        is_met = any(
            (rule.translated or destination is None) and rule.match.l4.overlaps(PORTLESS)
            for rule in rules
        )
        if source is None or not is_met:
            return ()
        return tuple(
            dict.fromkeys(
                Holder(snat.family, Match(l4=PORTLESS), _shared(snat), _known(snat.public))
                for snat in snats
                if snat.destination is source
            )
        )

    # -- translation

    def _dnats(self) -> Iterator[Dnat]:
        for forward in self.forwards:
            for entry in forward.entries:
                if forward.options.spi is None:
                    yield from self._taken_from(forward, entry, forward.l4)
                    continue
                if rest := forward.l4 - model.ESP:
                    yield from self._taken_from(forward, entry, rest)
                number = self.numbers[forward.target]
                for dnat in self._taken_from(forward, entry, model.ESP):
                    yield replace(dnat, spis=forward.options.spi, number=number)

    def _taken_from(
        self, forward: model.Forward, entry: model.Entry, l4: Intervals
    ) -> Iterator[Dnat]:
        about = origin(forward)
        known = entry.addresses - axes.UNKNOWN
        sources = _of(entry.zone, entry.sources)
        link = self.links[entry.zone]
        if known:
            yield Dnat(
                link,
                Match(sources, known, l4),
                forward.family,
                None,
                Intervals.EMPTY,
                forward.target,
                forward.port,
                about,
            )
        if entry.addresses.overlaps(axes.UNKNOWN):
            own = self._of_arrival(entry, forward.family)
            arrival = self._takes_arrivals(entry, forward.family)
            yield Dnat(
                link,
                Match(sources, axes.ANY_ADDRESS, l4),
                forward.family,
                "arrival" if arrival else "machine",
                Intervals.EMPTY if arrival else self._elsewhere(entry, forward.family),
                forward.target,
                forward.port,
                about,
                (own - entry.addresses).overlaps(axes.UNKNOWN),
            )

    @staticmethod
    def _of_arrival(entry: model.Entry, family: int) -> Intervals:
        """The gateway's addresses on the interface that packets arrive on."""
        own = Intervals.union_of(map(Intervals.single, entry.zone.carrier.addresses))
        return own & axes.family_axis(family)

    def _takes_arrivals(self, entry: model.Entry, family: int) -> bool:
        """Whether a forward takes all addresses of the arriving interface, and no unknown other."""
        own = self._of_arrival(entry, family)
        return own <= entry.addresses and entry.addresses & axes.UNKNOWN <= own

    def _elsewhere(self, entry: model.Entry, family: int) -> Intervals:
        """The gateway's own addresses that a forward does not mean although one is unknown."""
        networks = Intervals.union_of(
            zone.holds
            for zone in self.policy.zones
            if zone.networks and axes.unknown_address(zone.index, family) not in entry.addresses
        )
        known = self.policy.own_addresses - entry.addresses - axes.UNKNOWN
        return (networks | known) & axes.family_axis(family)

    def _snats(self) -> Iterator[Snat]:
        for forward in self.forwards:
            if forward.options.hairpin:
                yield self._hairpin(forward)
        for nat in sorted(self.policy.nats, key=lambda one: one.rank):
            about = origin(nat)
            axis = axes.family_axis(nat.family)
            if nat.family == 6:
                self._needs(Feature.NAT_IPV6, about)
            for source, sources in nat.source:
                for destination, destinations in nat.destination:
                    match = Match(_of(source, sources), _of(destination, destinations))
                    if not (sources & axis and destinations & axis):
                        continue
                    if source.is_rest or not self.policy.settings.antispoof:
                        self._needs(Feature.NAT_BY_INTERFACE, about)
                    yield Snat(
                        self.links[source],
                        self.links[destination],
                        nat.family,
                        match,
                        nat.fixed_address(destination),
                        nat.public_address(destination),
                        self._moved(nat, destination),
                        hairpin=False,
                        origin=about,
                    )

    def _moved(self, nat: model.Nat, egress: model.Zone) -> tuple[Moved, ...]:
        public = nat.public_address(egress)
        if public is None:
            return ()
        found = self._taken_at(egress, public)
        if not nat.sources.is_single():
            return found
        # the only host that is translated is the one that keeps its port
        return tuple(one for one in found if one.host != nat.sources.first())

    def _taken_at(self, egress: model.Zone, public: int) -> tuple[Moved, ...]:
        """What forwards take of IKE that comes by a zone to an address; shared by many nats."""
        key = egress, public
        if key not in self._shared_moves:
            self._shared_moves[key] = tuple(
                moved for entry, moved in self._of_ike[egress] if public in entry.addresses
            )
        return self._shared_moves[key]

    @cached_property
    def _of_ike(self) -> dict[model.Zone, list[tuple[model.Entry, Moved]]]:
        """The forwards of IKE, by the zones that they take it from."""
        found: dict[model.Zone, list[tuple[model.Entry, Moved]]] = defaultdict(list)
        for forward in self.forwards:
            ports = Intervals.of((low & 0xFFFF, high & 0xFFFF) for low, high in forward.l4 & _IKE)
            for entry in forward.entries if ports else ():
                peers = _of(entry.zone, entry.sources)
                moved = Moved(ports, peers, forward.target, origin(forward))
                found[entry.zone].append((entry, moved))
        return found

    def _hairpin(self, forward: model.Forward) -> Snat:
        zone = forward.host.zone
        link = self.links[zone]
        if zone.is_rest or not self.policy.settings.antispoof:
            self._needs(Feature.NAT_BY_INTERFACE, origin(forward))
        target = Intervals.single(forward.target)
        address = zone.primary(forward.family)
        known = _known(address)
        match = Match(axes.ANY_ADDRESS, target, _translated(forward))
        return Snat(
            link,
            link,
            forward.family,
            match,
            known,
            address,
            (),
            hairpin=True,
            origin=origin(forward),
        )

    # -- helpers

    def _helpers(self) -> Iterator[Helper]:
        found: dict[tuple[str, ...], Helper] = {}
        for rule in self.policy.rules:
            if rule.options.helper and rule.verdict is model.Verdict.ALLOW:
                for source, sources in rule.source:
                    for destination, destinations in rule.destination:
                        if source.is_gateway and destination.is_gateway:
                            continue
                        reached = self._reached(destination, destinations)
                        for one in self._uses(rule, source, sources, *reached):
                            key = one.name, source.name, one.origin.text, destination.name
                            found[key] = one
        for forward in self.policy.forwards:
            if forward.options.helper:
                axis = axes.family_axis(forward.family)
                for entry in forward.entries:
                    reached = self._taken(entry, forward.family)
                    for one in self._uses(forward, entry.zone, entry.sources & axis, *reached):
                        found[one.name, entry.zone.name, one.origin.text, "gateway"] = one
        yield from (found[key] for key in sorted(found))

    def _reached(self, zone: model.Zone, destinations: Intervals) -> _Reached:
        """The destinations of what is for a zone, as they are told before there is a route."""
        own = self.policy.own_addresses
        dynamic = own.overlaps(axes.UNKNOWN)
        if not zone.is_gateway:
            return _Reached(destinations & zone.holds - own, "other" if dynamic else None)
        meant = destinations & own
        if meant.overlaps(axes.UNKNOWN):
            return _Reached(destinations, "machine")
        return _Reached(meant, None)

    def _taken(self, entry: model.Entry, family: int) -> _Reached:
        """The destinations that a forward takes, before it has translated them."""
        if not entry.addresses.overlaps(axes.UNKNOWN):
            return _Reached(entry.addresses, None)
        if self._takes_arrivals(entry, family):
            return _Reached(axes.ANY_ADDRESS, "arrival")
        mine = axes.family_axis(family) - self._elsewhere(entry, family)
        return _Reached(mine, "machine")

    def _uses(
        self,
        statement: model.Rule | model.Forward,
        source: model.Zone,
        sources: Intervals,
        destinations: Intervals,
        dynamic: Asked | None,
    ) -> Iterator[Helper]:
        for helper in statement.protocols.helpers:
            match = Match(
                _of(source, sources), destinations, helper.control & statement.protocols.l4
            )
            yield Helper(
                helper.name,
                self.links.get(source),
                match,
                helper.families,
                origin(statement),
                dynamic,
            )


class _Reached(NamedTuple):
    """Destinations, and what the kernel is asked besides (`Helper.dynamic`)."""

    destinations: Intervals
    dynamic: Asked | None


def _known(address: int | None) -> int | None:
    return None if address is None or axes.is_unknown(address) else address


def _shared(snat: Snat) -> str:
    """The address that a translation shares out, as a name."""
    return f"{snat.destination.name} {_known(snat.public) or 'masquerade'}"


def _claims(rule: model.Rule) -> bool:
    """Whether a second claimant is to be counted and dropped: `single`, or only through `any`."""
    if rule.options.single:
        return True
    return (rule.l4 - rule.protocols.named).overlaps(PORTLESS)


def _of(zone: model.Zone, addresses: Intervals) -> Intervals:
    """The addresses asked for, where the link of the zone does not say it all already."""
    return axes.ANY_ADDRESS if zone.over is not None and addresses == zone.holds else addresses


def _translated(forward: model.Forward) -> Intervals:
    """The channels of a forward behind its translation."""
    if forward.port is None:
        return forward.l4
    protocol = forward.l4.first() >> 16
    return Intervals.of([axes.l4(protocol, forward.port, forward.port)])


def _narrow_first(rule: Rule) -> tuple[int, int, str]:
    """The narrowest first: it is the one that logs and counts."""
    match = rule.match
    return (match.source.size() * match.destination.size(), match.l4.size(), rule.origin.text)
