"""Claims of an inside host to a peer's ESP that somebody else has too (TG205, TG207)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.check.claims import Claim
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.sharing import untracked
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule
from tunnelgate.records import record

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


@record
class Contest:
    """An outbound claim and another statement that claim ESP of the same peers.

    Attributes:
        named: both name ESP, and do not only reach it through `any`.
    """

    claim: Claim
    other: Forward | Rule
    peers: Intervals
    named: bool


def with_forwards(context: Context) -> Iterator[Contest]:
    """Claims of hosts other than the one that a forward hands the peer's ESP to.

    One by SPI leaves the ESP of other SPIs to others.
    """
    entries: list[tuple[Box, Forward | Rule]] = []
    for forward in context.policy.forwards:
        for entry in forward.entries if forward.options.spi is None else ():
            sources = context.handed_on(forward, entry, ESP_CHANNEL)
            if sources:
                entries.append(((entry.addresses, sources), forward))
    yield from _contests(context, entries)


def with_gateway(context: Context) -> Iterator[Contest]:
    """Claims to peers that the gateway itself accepts ESP from."""
    entries: list[tuple[Box, Forward | Rule]] = []
    channel = Intervals.single(ESP_CHANNEL)
    for rule in context.to_gateway:
        addresses = rule.destination.addresses(context.gateway)
        if ESP_CHANNEL not in rule.l4:
            continue
        for zone, sources in rule.source:
            flows = (context.members(zone, sources), addresses, channel)
            for box in context.standing((zone, context.gateway), flows):
                if box[0]:
                    entries.append(((box[1], box[0]), rule))
    yield from _contests(context, entries)


def _contests(context: Context, entries: list[tuple[Box, Forward | Rule]]) -> Iterator[Contest]:
    """The contests of each claim that is not tracked, one by name before those through `any`."""
    if not entries:
        return
    index = BoxIndex(entries)
    for claim in untracked(context.claims(ESP_CHANNEL)):
        best: Contest | None = None
        for _, (_, peers), other in index.meeting((Intervals.single(claim.public), claim.peers)):
            if isinstance(other, Forward) and claim.sources == Intervals.single(other.target):
                continue
            named = claim.named and ESP_CHANNEL in other.protocols.named
            if best is None or (named and not best.named):
                best = Contest(claim, other, peers, named)
            if named:
                break
        if best is not None:
            yield best


def once(contests: Iterator[Contest]) -> list[tuple[Rule | Forward, Contest]]:
    """One contest for each statement, the later of the two, by name before those through `any`."""
    found: dict[Rule | Forward, Contest] = {}
    for contest in contests:
        statements = (contest.claim.rule, contest.other)
        later = max(statements, key=lambda statement: statement.span.start)
        if later not in found or (contest.named and not found[later].named):
            found[later] = contest
    return list(found.items())
