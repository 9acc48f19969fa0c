"""One packet through the chains of a ruleset, rule by rule: no boxes, nothing remembered.

The second opinion about mutants that the proof leaves alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
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
    Own,
    Return,
    Ruleset,
    Source,
    State,
    Unclear,
    Within,
)
from tunnelgate.policy import Policy, Zone
from tunnelgate.proof.world import World

Point = tuple[int, int, int, int]
"""Channel, source port, destination, source."""


def holds(sets: Sets, point: Point) -> bool:
    return all(one is None or value in one for one, value in zip(sets[1:], point, strict=True))


class Walk:
    """The way of one packet."""

    def __init__(self, ruleset: Ruleset, facts: Facts, point: Point) -> None:
        self.ruleset = ruleset
        self.facts = facts
        self.point = point
        self.helper: str | None = None

    def base(self, chain: Chain) -> Action:
        assert chain.hook is not None
        return self.chain(chain) or chain.hook.policy

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
                    if self.helper is None or not action.is_final:
                        self.helper = action.name
                case Accept() | Drop() | Unclear() | Destination() | Source() as action:
                    return action
        return None

    def test(self, test: object) -> bool:
        if isinstance(test, Within):
            return any(holds(one, self.point) for one in test.boxes)
        if isinstance(test, Own):
            return holds(test.box(self.facts), self.point)
        return bool(test.holds(self.facts))  # type: ignore[attr-defined]


def fate(ruleset: Ruleset, world: World, facts: Facts, point: Point) -> object:
    """What becomes of a packet: a value that is equal for equal fates."""
    walk = Walk(ruleset, facts, point)
    for chain in ruleset.at("prerouting" if facts.arrival else "output", nat=False):
        walk.base(chain)
    for chain in ruleset.at("prerouting", nat=True) if facts.arrival else ():
        if facts.state is State.NEW:
            action = walk.base(chain)
            if isinstance(action, Destination):
                walk.facts = replace(walk.facts, translated=True)
                walk.point = translated(point, action)
    egress = world.zone_of(walk.point[2])
    if egress is None:
        return "nowhere"
    walk.facts = replace(
        walk.facts,
        departure=world.departure(egress, 0),
        protected=egress.over is not None,
    )
    if not passes(walk, ruleset, egress, world):
        return "dropped"
    source: Action | None = None
    for chain in ruleset.at("postrouting", nat=True):
        if facts.state is State.NEW and not egress.is_gateway:
            source = walk.base(chain)
    return egress.name, walk.point, source, walk.helper


def passes(walk: Walk, ruleset: Ruleset, egress: Zone, world: World) -> bool:
    if walk.facts.arrival is None:
        hooks = ["output", "postrouting"]
    else:
        hooks = ["input"] if egress is world.gateway else ["forward", "postrouting"]
    chains = [chain for hook in hooks for chain in ruleset.at(hook, nat=False)]
    return not any(isinstance(walk.base(chain), Drop) for chain in chains)


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
    while count:
        point = tuple(choose.choice(one) for one in some)
        if point[0] not in axes.ANY_L4 or point[2] not in known or point[3] not in known:
            continue
        if axes.family(point[2]) != axes.family(point[3]):
            continue
        count -= 1
        zone, name = choose.choice(interfaces)
        yield (
            Facts(
                arrival=choose.choice([name, name, name, None]),
                state=choose.choice([State.NEW, State.NEW, *State]),
                reply=choose.random() < 0.3,
                decrypted=zone.over is not None,
                own=world.own,
                own_of_arrival=world.own_of(zone),
            ),
            point,
        )
