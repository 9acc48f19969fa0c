"""What statements let pass of some channels, denials heeded: the common ground of the checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from tunnelgate.check.paths import Pair
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone
from tunnelgate.policy.model import Entry

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


Part = tuple[Pair, tuple[Intervals, Intervals, Intervals]]
"""Flows of one family between two zones."""


def meant(context: Context, statement: Rule | Forward) -> Iterator[Part]:
    """What an `allow` or a `forward` lets pass as far as no denial is about it.

    Of a `forward` it is what is handed to the host, as the denials see it.
    """
    if isinstance(statement, Rule):
        yield from _of_rule(context, statement, statement.l4)
    else:
        yield from _of_forward(context, statement)


def _of_rule(context: Context, rule: Rule, l4: Intervals) -> Iterator[Part]:
    for ingress, sources in rule.source:
        mine = context.members(ingress, sources)
        for egress, destinations in rule.destination:
            theirs = context.members(egress, destinations)
            for family in (axes.IPV4, axes.IPV6):
                flows = (mine & family, theirs & family, l4)
                if all(flows):
                    yield (ingress, egress), flows


def _of_forward(context: Context, forward: Forward) -> Iterator[Part]:
    l4 = forward.l4
    if forward.port is not None:
        l4 = Intervals.single(l4.first() >> 16 << 16 | forward.port)
    for entry in forward.entries:
        flows = (context.members(entry.zone, entry.sources), Intervals.single(forward.target), l4)
        if all(flows):
            yield (entry.zone, forward.host.zone), flows


class Passing(NamedTuple):
    """Flows of one family that an `allow` lets pass: machines, peers and channels."""

    ingress: Zone
    egress: Zone
    sources: Intervals
    destinations: Intervals
    l4: Intervals

    @property
    def pair(self) -> Pair:
        """The zones that it connects."""
        return self.ingress, self.egress


def passing(context: Context, rule: Rule, channels: Intervals) -> Iterator[Passing]:
    """What an `allow` lets pass of some channels, in disjoint parts."""
    l4 = rule.l4 & channels
    if not l4:
        return
    for pair, flows in _of_rule(context, rule, l4):
        for box in context.standing(pair, flows):
            yield Passing(*pair, *box)


class Handed(NamedTuple):
    """Sources whose packets a forward hands to its host, on one channel."""

    forward: Forward
    entry: Entry
    sources: Intervals


def handed(
    context: Context, channel: int, forwards: Iterable[Forward] | None = None
) -> Iterator[Handed]:
    """What forwards, all by default, hand to their hosts of a channel."""
    for forward in context.policy.forwards if forwards is None else forwards:
        for entry in forward.entries:
            sources = context.handed_on(forward, entry, channel)
            if sources:
                yield Handed(forward, entry, sources)


def callers(context: Context, channels: Iterable[int]) -> dict[Pair, BoxIndex[None]]:
    """To which hosts which peers may begin through a forward, by the zones of host and peer."""
    found: dict[Pair, list[tuple[Box, None]]] = defaultdict(list)
    for channel in channels:
        for one in handed(context, channel):
            host = Intervals.single(one.forward.target)
            pair = (one.forward.host.zone, one.entry.zone)
            found[pair].append(((host, one.sources), None))
    return {pair: BoxIndex(entries) for pair, entries in found.items()}
