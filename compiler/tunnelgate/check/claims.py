"""Claims: who may start a channel from behind source NAT, and towards whom.

What connection tracking keeps of a portless protocol is (public address, peer, protocol); a claim
says which inside hosts may own such an entry, but for those that have theirs apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tunnelgate.check.cutting import remove
from tunnelgate.check.paths import Pair, Translation
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Rule

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


class Claim(NamedTuple):
    """Each of these sources may start the channel towards each of these peers.

    Attributes:
        pair: the zones it goes from and to.
        named: the statement names the protocol, and does not only reach it through `any`.
    """

    rule: Rule
    pair: Pair
    translation: Translation
    sources: Intervals
    peers: Intervals
    named: bool

    @property
    def public(self) -> int:
        """What the peers see."""
        return self.translation.public


def find(context: Context, channel: int) -> Iterator[Claim]:
    """The claims of every `allow` on one channel, less what is denied."""
    single = Intervals.single(channel)
    index = BoxIndex(_apart(context)) if channel == ESP_CHANNEL and context.apart else None
    for rule in context.allows:
        if channel in rule.l4:
            for claim in _claims(context, rule, channel, single):
                yield from [claim] if index is None else _less(claim, index)


def _apart(context: Context) -> Iterator[tuple[Box, None]]:
    """The ESP of hosts that forwards tell apart by SPI: it is nobody else's claim."""
    for own in context.apart:
        yield (own.entry.addresses, own.host, own.entry.sources), None


def _less(claim: Claim, index: BoxIndex[None]) -> Iterator[Claim]:
    box = (Intervals.single(claim.public), claim.sources, claim.peers)
    for _, sources, peers in remove(box, [common for _, common, _ in index.meeting(box)]):
        yield claim._replace(sources=sources, peers=peers)


def _claims(context: Context, rule: Rule, channel: int, single: Intervals) -> Iterator[Claim]:
    named = channel in rule.protocols.named
    for ingress, sources in rule.source:
        for egress, destinations in rule.destination:
            pair = (ingress, egress)
            if pair not in context.paths:
                continue
            for mine, peers, translation in context.paths.translated(pair, sources, destinations):
                for box in context.standing(pair, (mine, peers, single)):
                    yield Claim(rule, pair, translation, box[0], box[1], named)
