"""One packet through the chains of a ruleset, rule by rule: no boxes, nothing remembered.

The second opinion about mutants that the proof leaves alone: about the hooks and their order, which
no list knows of.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tunnelgate.flows import axes
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE, Sets
from tunnelgate.flows.netfilter import (
    Accept,
    Action,
    Chain,
    Destination,
    Drop,
    Facts,
    Helper,
    Jump,
    Maybe,
    Own,
    Return,
    Ruleset,
    Source,
    State,
    Unclear,
    Within,
    Zoned,
)
from tunnelgate.meaning.decide import ICMPV6_ERRORS
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import AH, BEGINS_NOTHING
from tunnelgate.proof.world import NEVER_FORWARDED, World

Point = tuple[int, int, int, int]
"""Channel, source port, destination, source."""

#: Where connections become known, and where the two translations are made whatever the priority of
#: their chain (nf_ip_hook_priorities, nf_nat_register_fn).
CONNTRACK = -200
NAT = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}


def when(chain: Chain) -> int:
    assert chain.hook is not None
    fixed = NAT.get(chain.hook.hook) if chain.hook.is_nat else None
    return chain.hook.priority if fixed is None else fixed


def holds(sets: Sets, point: Point) -> bool:
    return all(one is None or value in one for one, value in zip(sets[1:], point, strict=True))


class Walk:
    """The way of one packet."""

    def __init__(self, ruleset: Ruleset, facts: Facts, point: Point) -> None:
        self.ruleset = ruleset
        self.facts = facts
        self.point = point
        self.helper: str | None = None
        self.source: Source | None = None

    def hook(self, name: str) -> bool:
        """All chains of a hook in the order of their priorities; whether the packet goes on."""
        found = [one for one in self.ruleset.chains.values() if one.hook and one.hook.hook == name]
        return all(self.goes_on(chain) for chain in sorted(found, key=when))

    def goes_on(self, chain: Chain) -> bool:
        assert chain.hook is not None
        if chain.hook.is_nat and self.facts.state is not State.NEW:
            return True
        facts = self.facts
        if chain.hook.hook in {"prerouting", "output"} and chain.hook.priority < CONNTRACK:
            self.facts = replace(facts, state=State.INVALID, reply=False, helper=None)
        action = self.chain(chain) or chain.hook.policy
        self.facts = facts
        if isinstance(action, Destination):
            self.facts = replace(facts, translated=True)
            self.point = translated(self.point, action)
        elif isinstance(action, Source):
            self.source = action
        return not isinstance(action, Drop)

    def chain(self, chain: Chain) -> Action | None:
        """The verdict; None where its end is reached, or it goes back."""
        for rule in chain.rules:
            if not all(self.test(one) for one in rule.tests):
                continue
            action = next(
                (case.action for case in rule.cases if holds(case.sets, self.point)), None
            )
            match action:
                case Jump() as action:
                    verdict = self.chain(self.ruleset.chains[action.chain])
                    if verdict is not None or (action.goto and action.rate is None):
                        return verdict
                case Return():
                    return None
                case Helper() as action:
                    is_known = self.facts.state is not State.INVALID
                    if self.helper is None if action.is_final else is_known:
                        self.helper = action.name
                case Accept() | Drop() | Unclear() | Destination() | Source() as action:
                    return action
        return None

    def test(self, test: object) -> bool:
        if isinstance(test, Within):
            return any(holds(one, self.point) for one in test.boxes)
        if isinstance(test, Maybe):
            return False  # of what nobody has learned yet
        if isinstance(test, Zoned):
            return any(holds(one, self.point) for one in test.boxes(self.facts))
        if isinstance(test, Own):
            return holds(test.box(self.facts), self.point)
        return bool(test.holds(self.facts))  # type: ignore[attr-defined]


def fate(ruleset: Ruleset, world: World, facts: Facts, point: Point) -> object:
    """What becomes of a packet: a value that is equal for equal fates."""
    walk = Walk(ruleset, facts, point)
    if facts.arrival is not None and not walk.hook("prerouting"):
        return "dropped"
    egress = world.zone_of(walk.point[2])
    if egress is None:
        return "nowhere"
    walk.facts = replace(
        walk.facts,
        departure=world.departure(egress, 0),
        protected=egress.over is not None,
    )
    arrived = walk.point
    if not all(walk.hook(name) for name in behind_the_route(facts, egress, world)):
        return "dropped"
    # a helper follows what it was assigned to first, and what is not forwarded meets no translation
    return (
        egress.name,
        arrived,
        None if point[3] in NEVER_FORWARDED else walk.source,
        walk.helper if facts.state is State.NEW else None,
    )


def behind_the_route(facts: Facts, egress: Zone, world: World) -> tuple[str, ...]:
    if facts.arrival is None:
        return "output", "postrouting"
    return ("input",) if egress is world.gateway else ("forward", "postrouting")


def translated(point: Point, action: Destination) -> Point:
    l4, port, destination, source = point
    if action.port is not None:
        l4 = l4 >> 16 << 16 | action.port
    return l4, port, destination if action.address is None else action.address, source


def packets(policy: Policy, rulesets: list[Ruleset], count: int) -> Iterator[tuple[Facts, Point]]:
    """Packets at the borders of the sets that the rulesets name, in every state."""
    choose = random.Random(7)
    world = World(policy)
    borders: list[set[int]] = [{6 << 16 | 22, 50 << 16}, {500, 40000}, set(), set()]
    for ruleset in rulesets:
        for chain in ruleset.chains.values():
            for rule in chain.rules:
                boxes = [case.sets for case in rule.cases]
                boxes += [
                    box for test in rule.tests if isinstance(test, Within) for box in test.boxes
                ]
                for box in boxes:
                    for axis in (L4, DESTINATION, SOURCE):
                        for low, high in box[axis] or ():
                            borders[axis - 1] |= {low - 1, low, high, high + 1}
    known = axes.ANY_ADDRESS - axes.UNKNOWN
    for value in policy.own_addresses & known:
        borders[2].add(value[0])
    some = [sorted(one) for one in borders]
    for zone in policy.zones[1:]:
        some[2] += [low + 1 for low, _ in zone.networks]
        some[3] += [low + 1 for low, _ in zone.networks]
    interfaces = [(zone, name) for zone in policy.zones[1:] for name in world.interfaces(zone)]
    helpers = {
        helper
        for rule in (*policy.rules, *policy.forwards)
        if rule.options.helper
        for helper in rule.protocols.helpers
    }
    announcing = {
        family: [None, *sorted({one.name for one in helpers if family in one.families})]
        for family in (4, 6)
    }
    while count:
        point = tuple(choose.choice(one) for one in some)
        zone, name = choose.choice(interfaces)
        state = choose.choice(
            [State.NEW, State.NEW, State.ESTABLISHED, State.RELATED, State.INVALID]
        )
        is_sent = choose.random() < 0.25
        announced = choose.choice(announcing[axes.family(point[3])])
        facts = Facts(
            arrival=None if is_sent else name,
            state=state,
            reply=state is State.ESTABLISHED and choose.random() < 0.5,
            helper=announced if state is State.RELATED else None,
            decrypted=not is_sent and zone.over is not None,
            own=world.own,
            own_of_arrival=world.own_of(zone),
        )
        if all(point[axis] in known for axis in (2, 3)) and can_be(facts, zone, point, world):
            count -= 1
            yield facts, point


def can_be(facts: Facts, zone: Zone, point: Point, world: World) -> bool:
    """Whether there is such a packet, and the proof speaks of it."""
    l4, _, destination, source = point
    if l4 not in axes.ANY_L4 or axes.family(destination) != axes.family(source):
        return False
    is_icmp = l4 >> 16 == (axes.ICMP if axes.family(source) == 4 else axes.ICMPV6)
    if l4 >> 16 in {axes.ICMP, axes.ICMPV6} and not is_icmp:
        return False
    if facts.state is State.RELATED and (l4 in AH or is_icmp is (facts.helper is not None)):
        return False
    if facts.state is State.NEW and l4 in ICMPV6_ERRORS | BEGINS_NOTHING:
        return False
    if facts.arrival is None:
        return (
            source in world.own
            and destination not in world.own
            and facts.state is not State.INVALID
        )
    return source not in world.own and (zone.over is None or source in zone.holds)


def told_apart(
    policy: Policy, one: Mapping[int, Ruleset], other: Mapping[int, Ruleset], count: int
) -> tuple[Facts, Point] | None:
    """A packet that two rulesets treat otherwise, of so many."""
    world = World(policy)
    for facts, point in packets(policy, [*one.values(), *other.values()], count):
        family = axes.family(point[2])
        if fate(one[family], world, facts, point) != fate(other[family], world, facts, point):
            return facts, point
    return None
