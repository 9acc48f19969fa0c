"""Two forwards that take the same packet and hand it to different hosts, or to different ports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import ANY_SPI
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Zone
from tunnelgate.policy.options import ESP
from tunnelgate.records import record

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


@record
class Collision:
    """What the later of two forwards takes that the earlier one takes too."""

    later: Forward
    earlier: Forward
    sources: Intervals
    channels: Intervals


def find(context: Context) -> Iterator[Collision]:
    """For each forward, the earlier ones that it collides with, until all it takes is shown."""
    by_zone: dict[Zone, list[tuple[Box, Forward]]] = defaultdict(list)
    for forward in context.policy.forwards:
        for entry in forward.entries:
            sources = context.members(entry.zone, entry.sources)
            for channels in _parts(forward):
                box: Box = (sources, entry.addresses, *channels)
                if all(box):
                    by_zone[entry.zone].append((box, forward))
    for zone, entries in by_zone.items():
        index = BoxIndex(entries)
        for number, (box, forward) in enumerate(entries):
            yield from _earlier(context, zone, index, number, box, forward)


def _parts(forward: Forward) -> Iterator[Box]:
    """The channels of a forward, and its SPIs: hosts may have ESP of ranges of their own."""
    if forward.options.spi is None:
        yield forward.l4, ANY_SPI
    else:
        yield forward.l4 - ESP, ANY_SPI
        yield forward.l4 & ESP, forward.spis


def _earlier(
    context: Context,
    zone: Zone,
    index: BoxIndex[Forward],
    number: int,
    box: Box,
    forward: Forward,
) -> Iterator[Collision]:
    unseen = box[2]
    for other, common, earlier in index.meeting(box):
        if other >= number or not _differ(forward, earlier):
            continue
        channels = common[2] & unseen
        both = (forward, earlier)
        standing = list(_standing(context, zone, common[0], channels, both))
        if standing:
            shown = Intervals.union_of(box[1] for box in standing)
            yield Collision(forward, earlier, standing[0][0], shown)
            unseen = unseen - shown
        if not unseen:
            return


def _differ(one: Forward, other: Forward) -> bool:
    """Whether two forwards do different things with one packet that both take."""
    return (one.target, one.port) != (other.target, other.port)


def _standing(
    context: Context,
    zone: Zone,
    sources: Intervals,
    channels: Intervals,
    forwards: tuple[Forward, Forward],
) -> Iterator[tuple[Intervals, Intervals]]:
    """Sources and channels that are not denied on both ways: denied on one, they are in doubt."""
    for forward in forwards if channels else ():
        target = Intervals.single(forward.target)
        arriving = channels
        if forward.port is not None:
            arriving = Intervals.single(channels.first() >> 16 << 16 | forward.port)
        pair = (zone, forward.host.zone)
        for box in context.standing(pair, (sources, target, arriving)):
            yield box[0], channels if forward.port is not None else box[2]
