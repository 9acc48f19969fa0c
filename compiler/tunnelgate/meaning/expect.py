"""Questions about many packets: decided on one packet of every elementary class.

Two packets are in one class when every set that the policy mentions holds both or neither; they
then have the same fate. Classes are found by walking the axes over the statements still alive, so
that a question about a host looks only at what concerns it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import (
    ICMP_ERRORS,
    ICMPV6_ERRORS,
    NEIGHBOUR_DISCOVERY,
    Decider,
    Outcome,
    Packet,
)
from tunnelgate.policy.model import (
    AH,
    MULTICAST,
    Expect,
    ExpectKind,
    Policy,
    Question,
    Rule,
    Zone,
)
from tunnelgate.records import record

#: What no packet between two machines has for an address (RFC 6890).
NOBODY = MULTICAST | Intervals.of(
    [
        (0x00000000, 0x00FFFFFF),
        (0x7F000000, 0x7FFFFFFF),
        (0xF0000000, 0xFFFFFFFF),
        (axes.address_of("::"), axes.address_of("::1")),
        (axes.address_of("fe80::"), axes.address_of("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    ]
)


@record
class Failure:
    """An expectation that does not hold, and the packet that shows it; None if there is none."""

    expect: Expect
    outcome: Outcome | None


def members(policy: Policy, zone: Zone, addresses: Intervals) -> Intervals:
    """The machines of a zone among these addresses."""
    if zone.is_gateway:
        return addresses & policy.own_addresses
    return (addresses & zone.holds) - policy.own_addresses - NOBODY


def unmet(decider: Decider, expect: Expect) -> Failure | None:
    """Whether an expectation fails, and on which packet."""
    seen = False
    for packet, egress, rules in packets(decider, expect.question):
        if expect.target and not expect.target.overlaps(
            axes.family_axis(axes.family(packet.source))
        ):
            continue  # an address speaks of the packets of its family
        seen = True
        outcome = decider.decide(packet, egress, rules)
        if not _holds(expect, outcome):
            return Failure(expect, outcome)
    return None if seen else Failure(expect, None)


def _holds(expect: Expect, outcome: Outcome) -> bool:
    match expect.kind:
        case ExpectKind.ALLOW:
            return outcome.delivered
        case ExpectKind.DENY:
            return not outcome.delivered
        case ExpectKind.REACHES:
            return outcome.delivered and outcome.destination in expect.target
        case ExpectKind.LEAVES:
            if not outcome.delivered:
                return False
            if not expect.target:
                return not outcome.source_translated
            return outcome.source in expect.target


def packets(decider: Decider, question: Question) -> Iterator[tuple[Packet, Zone, Sequence[Rule]]]:
    """One packet of every class of a question, where it leaves, and the statements it may meet."""
    policy = decider.policy
    for ingress, sources in question.source:
        for egress, destinations in question.destination:
            space = (
                members(policy, ingress, sources),
                members(policy, egress, destinations),
                question.protocols.l4,
            )
            yield from _classes(decider, ingress, egress, space)


def _classes(
    decider: Decider, ingress: Zone, egress: Zone, space: Box
) -> Iterator[tuple[Packet, Zone, Sequence[Rule]]]:
    rules = decider.rules(ingress, egress)
    boxes: list[tuple[Box, Rule | None]] = [
        ((rule.source.addresses(ingress), rule.destination.addresses(egress), rule.l4), rule)
        for rule in rules
    ]
    boxes += [(box, None) for box in _other_boxes(decider, ingress, egress)]
    for source, destination, l4, alive in _walk(space, boxes):
        if axes.family(source) != axes.family(destination) or not _exists(source, l4):
            continue
        packet = Packet(ingress, source, destination, l4)
        # A forward changes the destination, so that other statements than those alive may be met.
        forwarded = decider.forward_of(packet)[0] is not None
        if not forwarded:
            yield packet, egress, alive
        else:
            for target in decider.policy.zones_of(destination)[:1]:
                yield packet, target, _after_forward(decider, packet)


def _exists(source: int, l4: int) -> bool:
    """Whether there is such a packet: each family has an ICMP of its own (RFC 792, RFC 4443)."""
    return l4 >> 16 != (axes.ICMPV6 if axes.family(source) == 4 else axes.ICMP)


def _after_forward(decider: Decider, packet: Packet) -> Sequence[Rule]:
    forward, _ = decider.forward_of(packet)
    assert forward is not None
    return decider.rules(packet.ingress, forward.host.zone)


def _other_boxes(decider: Decider, ingress: Zone, egress: Zone) -> Iterator[Box]:
    """What else tells packets apart: translations, families, what is always on."""
    everything = (axes.ANY_ADDRESS, axes.ANY_ADDRESS, axes.ANY_L4)
    yield (axes.IPV4, *everything[1:])
    yield (everything[0], axes.IPV4, everything[2])
    for l4 in (AH, NEIGHBOUR_DISCOVERY, ICMP_ERRORS, ICMPV6_ERRORS):
        yield (*everything[:2], l4)
    for nat in decider.nats:
        sources, destinations = nat.source.addresses(ingress), nat.destination.addresses(egress)
        if sources and destinations:
            yield sources, destinations, axes.ANY_L4
    for forward in decider.policy.forwards:
        for entry in forward.entries:
            if entry.zone is ingress:
                yield entry.sources, entry.addresses, forward.l4
                # the statements about the host's zone are met with the host as destination
                for rule in decider.rules(ingress, forward.host.zone):
                    yield rule.source.addresses(ingress), everything[1], rule.l4


def _walk(
    space: Box, boxes: list[tuple[Box, Rule | None]]
) -> Iterator[tuple[int, int, int, list[Rule]]]:
    for source, with_source in _split(space[0], boxes, 0):
        for destination, with_both in _split(space[1], with_source, 1):
            for l4, alive in _split(space[2], with_both, 2):
                yield source, destination, l4, [rule for _, rule in alive if rule is not None]


def _split(
    space: Intervals, boxes: list[tuple[Box, Rule | None]], axis: int
) -> Iterator[tuple[int, list[tuple[Box, Rule | None]]]]:
    """A member of each class of one axis, with the boxes that hold it."""
    events: dict[int, set[int]] = {}
    for index, (box, _) in enumerate(boxes):
        for low, high in box[axis] & space:
            events.setdefault(low, set()).symmetric_difference_update((index,))
            events.setdefault(high + 1, set()).symmetric_difference_update((index,))
    for low, _ in space:
        events.setdefault(low, set())
    seen: set[frozenset[int]] = set()
    alive: set[int] = set()
    for place in sorted(events):
        alive ^= events[place]
        if place not in space:
            continue
        signature = frozenset(alive)
        if signature not in seen:
            seen.add(signature)
            yield place, [boxes[index] for index in sorted(alive)]
