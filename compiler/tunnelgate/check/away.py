"""What a forward takes away from the gateway although an `allow` lets it in there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone
from tunnelgate.policy.model import ESP, Entry
from tunnelgate.records import record

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


@record
class Away:
    """What an `allow … to gateway` lets in and a forward takes, so that it never arrives.

    Attributes:
        named: the `allow` names the channels, and does not only reach them through `any`.
    """

    forward: Forward
    rule: Rule
    sources: Intervals
    channels: Intervals
    named: bool


def find(context: Context) -> Iterator[Away]:
    """For each forward, the statements about the gateway that it defeats, until all is shown.

    One by SPI leaves the gateway the ESP of other SPIs.
    """
    if not context.policy.forwards:
        return
    named, unnamed = _index(context, True), _index(context, False)
    for forward in context.policy.forwards:
        for entry in forward.entries:
            unseen = forward.l4 if forward.options.spi is None else forward.l4 - ESP
            for index, is_named in ((named, True), (unnamed, False)):
                for away in _taken(context, index.get(entry.zone), forward, entry, unseen):
                    yield Away(*away, is_named)
                    unseen = unseen - away[3]


def _index(context: Context, named: bool) -> dict[Zone, BoxIndex[Rule]]:
    """What the gateway is allowed to receive, by the zone it comes from.

    Inside IPsec too, but for zones with tunnels: what was decrypted there is not in the zone.
    """
    tunnelled = {zone.over for zone in context.policy.zones}
    found: dict[Zone, list[tuple[Box, Rule]]] = defaultdict(list)
    for rule in context.to_gateway:
        destinations = rule.destination.addresses(context.gateway)
        channels = rule.l4 & rule.protocols.named if named else rule.l4 - rule.protocols.named
        for zone, sources in rule.source:
            inside = named and zone.over is None and zone not in tunnelled
            received = channels | rule.protocols.inside_ipsec if inside else channels
            box = (context.members(zone, sources), destinations, received)
            if all(box):
                found[zone].append((box, rule))
    return {zone: BoxIndex(entries) for zone, entries in found.items()}


def _taken(
    context: Context,
    index: BoxIndex[Rule] | None,
    forward: Forward,
    entry: Entry,
    unseen: Intervals,
) -> Iterator[tuple[Forward, Rule, Intervals, Intervals]]:
    if index is None:
        return
    for _, common, rule in index.meeting((entry.sources, entry.addresses, unseen)):
        if _arrives_elsewhere(context, rule, entry):
            continue
        flows = (common[0], common[1], common[2] & unseen)
        standing = list(context.standing((entry.zone, context.gateway), flows)) if flows[2] else []
        if standing:
            channels = Intervals.union_of(box[2] for box in standing)
            yield forward, rule, standing[0][0], channels
            unseen = unseen - channels
        if not unseen:
            return


def _arrives_elsewhere(context: Context, rule: Rule, entry: Entry) -> bool:
    """Whether a statement is about other addresses of the gateway in the first place.

    A forward with `hairpin` takes what its own zone sends to the address outside; what that zone
    asks of the gateway itself is sent to the gateway's address inside.
    """
    if not entry.hairpin:
        return False
    meant = rule.destination.addresses(context.gateway) & context.policy.own_addresses
    return not meant <= entry.addresses
