"""Claims: who may start a channel from behind source NAT, and towards whom.

What connection tracking keeps of a portless protocol is (public address, peer, protocol); a claim
says which inside hosts may own such an entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tunnelgate.check.paths import Pair, Translation
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
    for rule in context.allows:
        if channel in rule.l4:
            yield from _claims(context, rule, channel, single)


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
