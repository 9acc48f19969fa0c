"""ESP of hosts that a forward tells apart by SPI: what is theirs alone, and what goes past it.

Such a host has connections of its own towards the peers of its forwards (meaning/apart.py), so it
shares nothing with others behind the same address. What brings it ESP of these peers another way,
or takes its ESP to them as another address, would be answered where nobody knows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from tunnelgate.check.cutting import remove
from tunnelgate.check.passing import Passing, passing
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.show import show_place
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone
from tunnelgate.policy.model import ESP, Entry

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


class Own(NamedTuple):
    """ESP that is a host's own: a forward by SPI, and where it takes packets from."""

    forward: Forward
    entry: Entry

    @property
    def host(self) -> Intervals:
        """The host."""
        return Intervals.single(self.forward.target)


class Past(NamedTuple):
    """ESP between a host and peers of its forward by SPI that goes past it.

    Attributes:
        statement: which says so.
        own: the forward by SPI.
        peers: whose ESP it is.
        how: what happens to it, a verb and what belongs to it.
    """

    statement: Rule | Forward
    own: Own
    peers: Intervals
    how: str


def find(context: Context) -> list[Own]:
    """The forwards by SPI, and where each takes packets from."""
    return [
        Own(forward, entry)
        for forward in context.policy.forwards
        if forward.options.spi is not None
        for entry in forward.entries
    ]


def past(context: Context) -> Iterator[Past]:
    """What goes past the forwards by SPI, a finding for each statement and host."""
    if not context.apart:
        return
    by_host: dict[int, list[Own]] = defaultdict(list)
    for own in context.apart:
        by_host[own.forward.target].append(own)
    index = BoxIndex(
        ((own.host, context.members(own.entry.zone, own.entry.sources)), own)
        for own in context.apart
    )
    for own in context.apart:
        yield from _turned(context, own)
    for forward in context.policy.forwards:
        if forward.options.spi is None and ESP_CHANNEL in forward.l4:
            for entry in forward.entries:
                sources = context.handed_on(forward, entry, ESP_CHANNEL)
                box = (Intervals.single(forward.target), sources)
                for _, (_, peers), own in index.meeting(box):
                    yield Past(forward, own, peers, "is forwarded without a range too")
    for rule in context.allows:
        for flow in passing(context, rule, ESP):
            if not (flow.ingress.is_gateway or flow.egress.is_gateway):
                yield from _begun(context, rule, flow, index, by_host)
                yield from _let_in(rule, flow, index)


def _turned(context: Context, own: Own) -> Iterator[Past]:
    """What reaches the host with another source than it has: its answers go to the gateway."""
    forward, entry = own
    if entry.hairpin:
        yield Past(forward, own, entry.sources, "comes from the gateway by `hairpin`")
        return
    pair = (entry.zone, forward.host.zone)
    if pair in context.paths:
        sources = context.members(entry.zone, entry.sources)
        for peers, _, translation in context.paths.translated(pair, sources, own.host):
            how = f"comes from {show_place(translation.public)}, which it is translated to"
            yield Past(forward, own, peers, how)


def _begun(
    context: Context,
    rule: Rule,
    flow: Passing,
    index: BoxIndex[Own],
    by_host: Mapping[int, list[Own]],
) -> Iterator[Past]:
    """What the host begins, and is answered at another address than is forwarded."""
    for _, (host, peers), own in index.meeting((flow.sources, flow.destinations)):
        answered = list(_answered(context, by_host[host.first()], host, peers, flow))
        for _, stray in remove((host, peers), answered):
            yield Past(rule, own, stray, _leaving(context, flow, host, stray))
            break


def _answered(
    context: Context, owned: Iterable[Own], host: Intervals, peers: Intervals, flow: Passing
) -> Iterator[Box]:
    """What leaves as an address of which a forward by SPI takes what comes back."""
    for mine, theirs, public in _leaves(context, flow, host, peers):
        for own in owned:
            if own.entry.zone is flow.egress and public in own.entry.addresses:
                yield mine, theirs & own.entry.sources


def _leaves(
    context: Context, flow: Passing, host: Intervals, peers: Intervals
) -> Iterator[tuple[Intervals, Intervals, int]]:
    if flow.pair in context.paths:
        for mine, theirs, translation in context.paths.translated(flow.pair, host, peers):
            yield mine, theirs, translation.public


def _leaving(context: Context, flow: Passing, host: Intervals, peers: Intervals) -> str:
    public = next((one for _, _, one in _leaves(context, flow, host, peers)), None)
    if public is None:
        return "may be begun by it, and leaves untranslated"
    by = _zone(flow.egress)
    return f"may be begun by it, and leaves {by} as {show_place(public)}"


def _zone(zone: Zone) -> str:
    return f"by `{zone.name}`"


def _let_in(rule: Rule, flow: Passing, index: BoxIndex[Own]) -> Iterator[Past]:
    """What is let in for the host itself, and not for an address of the gateway."""
    for _, (_, peers), own in index.meeting((flow.destinations, flow.sources)):
        yield Past(rule, own, peers, "is let in untranslated")
