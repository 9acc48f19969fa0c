"""What the checks share about one policy, each thing found once and only when it is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from tunnelgate.check import apart, away, claims, collisions, portless, sharing
from tunnelgate.check.apart import Own
from tunnelgate.check.away import Away
from tunnelgate.check.claims import Claim
from tunnelgate.check.collisions import Collision
from tunnelgate.check.cutting import remove
from tunnelgate.check.machines import machines
from tunnelgate.check.paths import Pair, Paths
from tunnelgate.check.sharing import Shared
from tunnelgate.check.show import show_addresses, show_place
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Policy, Rule, Verdict, Zone
from tunnelgate.policy.model import Entry

#: What stands for the machine itself on every machine (RFC 1122 section 3.2.1.3; RFC 4291).
LOOPBACK = Intervals.of(
    [
        (axes.address_of("127.0.0.0"), axes.address_of("127.255.255.255")),
        (axes.address_of("::1"), axes.address_of("::1")),
    ]
)
#: Boxes of a statement have three axes: sources, destinations, channels.
Flows = tuple[Intervals, Intervals, Intervals]


class Context:
    """A policy, and what more than one check wants to know of it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.gateway = policy.gateway
        self._machines: dict[Zone, Intervals] = {}
        self._claims: dict[int, list[Claim]] = {}
        self._shared: dict[int, list[Shared]] = {}
        self._handed_on: dict[tuple[Forward, Zone, int], Intervals] = {}

    # -- places

    def machines(self, zone: Zone) -> Intervals:
        """The addresses that a machine of a zone can have; all of them for the gateway."""
        if zone.is_gateway:
            return axes.ANY_ADDRESS
        if zone not in self._machines:
            self._machines[zone] = machines(self.policy, zone)
        return self._machines[zone]

    def members(self, zone: Zone, addresses: Intervals) -> Intervals:
        """The machines of a zone among these addresses."""
        return addresses & self.machines(zone)

    @cached_property
    def _names(self) -> dict[Intervals, str]:
        """The zones and groups of the policy by their addresses, of both families and of each."""
        named = [(group.name, group.addresses) for group in self.policy.groups]
        named += [(zone.name, self.machines(zone)) for zone in self.policy.zones[1:]]
        everything = (axes.ANY_ADDRESS, axes.IPV4, axes.IPV6)
        return {known & axis: f"`{name}`" for name, known in named for axis in everything}

    def describe(self, addresses: Intervals) -> str:
        """A set of addresses in a few words: a name of the policy's, or what is in it."""
        if addresses.is_single():
            return show_place(addresses.first())
        return self._names.get(addresses) or show_addresses(addresses)

    def whom(self, zone: Zone, addresses: Intervals) -> str:
        """Some machines of a zone in a few words, or the gateway itself."""
        return "the gateway" if zone.is_gateway else self.describe(addresses)

    @cached_property
    def outside(self) -> frozenset[Zone]:
        """The zones that are outside."""
        translated = {zone for nat in self.policy.nats for zone, _ in nat.destination}
        return frozenset(
            zone for zone in self.policy.zones[1:] if zone.is_rest or zone in translated
        )

    @cached_property
    def own_or_loopback(self) -> Intervals:
        """The addresses at which the gateway is reached, and no machine behind it."""
        return self.policy.own_addresses | LOOPBACK

    # -- statements

    @cached_property
    def allows(self) -> tuple[Rule, ...]:
        """Every `allow`, in the policy's order."""
        return tuple(rule for rule in self.policy.rules if rule.verdict is Verdict.ALLOW)

    @cached_property
    def permitting(self) -> tuple[Rule | Forward, ...]:
        """Every `allow`, and every `forward`."""
        return (*self.allows, *self.policy.forwards)

    @cached_property
    def to_gateway(self) -> tuple[Rule, ...]:
        """Every `allow` of what the gateway itself receives; its zone stands first in a side."""
        return tuple(
            rule
            for rule in self.allows
            if rule.destination.zones and rule.destination.zones[0][0] is self.gateway
        )

    @cached_property
    def denials(self) -> dict[Pair, BoxIndex[Rule]]:
        """The flows of every `deny`, by the zones they connect."""
        denials = (rule for rule in self.policy.rules if rule.verdict is Verdict.DENY)
        return by_pair(denials)

    @cached_property
    def permissions(self) -> dict[Pair, BoxIndex[Rule]]:
        """The flows of every `allow`, by the zones they connect."""
        return by_pair(self.allows)

    @cached_property
    def tracked(self) -> dict[Pair, BoxIndex[Rule]]:
        """The flows of every `allow … with tracking`, by the zones they connect."""
        return by_pair(rule for rule in self.allows if rule.options.tracking)

    def standing(self, pair: Pair, flows: Flows) -> Iterator[Box]:
        """What the denials leave of some flows between two zones."""
        index = self.denials.get(pair)
        if index is None:
            return iter((flows,))
        return remove(flows, [common for _, common, _ in index.meeting(flows)])

    def permitted(self, pair: Pair, flows: Flows) -> list[Box]:
        """The parts of some flows between two zones that are allowed, and not denied."""
        index = self.permissions.get(pair)
        if index is None:
            return []
        found = (self.standing(pair, _flows(common)) for _, common, _ in index.meeting(flows))
        return list(chain.from_iterable(found))

    def handed_on(self, forward: Forward, entry: Entry, channel: int) -> Intervals:
        """The sources whose packets on a channel a forward hands to its host, denials heeded."""
        if channel not in forward.l4:
            return Intervals.EMPTY
        key = (forward, entry.zone, channel)
        if key not in self._handed_on:
            self._handed_on[key] = self._sources_handed_on(forward, entry, channel)
        return self._handed_on[key]

    def _sources_handed_on(self, forward: Forward, entry: Entry, channel: int) -> Intervals:
        sources = self.members(entry.zone, entry.sources)
        pair = (entry.zone, forward.host.zone)
        if pair not in self.denials:
            return sources
        arriving = channel if forward.port is None else channel >> 16 << 16 | forward.port
        flows = (sources, Intervals.single(forward.target), Intervals.single(arriving))
        return Intervals.union_of(box[0] for box in self.standing(pair, flows))

    # -- translation

    @cached_property
    def paths(self) -> Paths:
        """The translated paths."""
        return Paths(self.policy, self.machines)

    @cached_property
    def apart(self) -> list[Own]:
        """What forwards by SPI keep apart from the ESP of everybody else."""
        return apart.find(self)

    def claims(self, channel: int) -> list[Claim]:
        """Who may start a channel from behind source NAT, in the order of the statements."""
        if channel not in self._claims:
            self._claims[channel] = list(claims.find(self, channel))
        return self._claims[channel]

    @cached_property
    def portless(self) -> dict[int, Intervals]:
        """The protocols without ports in classes that every statement treats alike, by a member."""
        return portless.classes(self.policy)

    def shared(self, channel: int) -> list[Shared]:
        """Which statements let hosts behind one address share a peer on a portless channel."""
        key = next(key for key, members in self.portless.items() if channel in members)
        if key not in self._shared:
            self._shared[key] = sharing.find(self.claims(key), key)
        return self._shared[key]

    @cached_property
    def collisions(self) -> list[Collision]:
        """Pairs of forwards that give one packet two results."""
        return list(collisions.find(self))

    @cached_property
    def taken(self) -> list[Away]:
        """What forwards take away from the gateway although an `allow` lets it in."""
        return list(away.find(self))


def by_pair(rules: Iterator[Rule] | tuple[Rule, ...]) -> dict[Pair, BoxIndex[Rule]]:
    """Statements by the zones they connect."""
    found: dict[Pair, list[tuple[Box, Rule]]] = defaultdict(list)
    for rule in rules:
        for ingress, sources in rule.source:
            for egress, destinations in rule.destination:
                found[ingress, egress].append(((sources, destinations, rule.l4), rule))
    return {pair: BoxIndex(entries) for pair, entries in found.items()}


def _flows(box: Box) -> Flows:
    sources, destinations, l4 = box
    return sources, destinations, l4
