"""Hosts behind one address that may claim a portless protocol towards one peer.

TG201, TG203 and TG204 ask. Two inside hosts, one public address, one peer: the packets of the
second vanish. A claim of two or more hosts shows that by itself. Claims of one host each are
painted onto the axis of peers, in the order of the statements: where another host has painted
before, the two share a peer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from tunnelgate.check.claims import Claim
from tunnelgate.check.cutting import remove
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Rule
from tunnelgate.records import record


@record
class Shared:
    """A statement by which hosts share a peer, and the earlier one that it takes for that, if any.

    Attributes:
        claim: the claim of the statement that shows it.
        other: the claim it meets; None where one claim shows it alone.
        peers: whom they share.
        named: both name the protocol, and do not only reach it through `any`.
    """

    claim: Claim
    other: Claim | None
    peers: Intervals
    named: bool

    @property
    def rule(self) -> Rule:
        """The statement to be blamed: the only one, or the later of two."""
        return self.claim.rule

    @property
    def earlier(self) -> Rule | None:
        """The other statement, where it takes two."""
        return None if self.other is None or self.other.rule is self.rule else self.other.rule


class _Painting:
    """Peers by who claimed them first."""

    def __init__(self) -> None:
        self._lows: list[int] = []
        self._highs: list[int] = []
        self._claims: list[Claim] = []

    def clash(self, claim: Claim) -> tuple[Claim, Intervals] | None:
        """A claim of another host to one of the peers."""
        for low, high in claim.peers:
            at = bisect_left(self._highs, low)
            while at < len(self._lows) and self._lows[at] <= high:
                if self._claims[at].sources != claim.sources:
                    there = Intervals.span(self._lows[at], self._highs[at])
                    return self._claims[at], claim.peers & there
                at += 1
        return None

    def paint(self, claim: Claim) -> None:
        """Take the peers that nobody has yet."""
        for first, high in claim.peers:
            low, at = first, bisect_left(self._highs, first)
            while low <= high:
                free = at == len(self._lows) or self._lows[at] > low
                if free:
                    end = high if at == len(self._lows) else min(high, self._lows[at] - 1)
                    self._lows.insert(at, low)
                    self._highs.insert(at, end)
                    self._claims.insert(at, claim)
                low, at = self._highs[at] + 1, at + 1


def find(claims: list[Claim], channel: int) -> list[Shared]:
    """One finding a statement: among those that name the protocol first, then among all."""
    open_claims = list(_unguarded(claims, channel))
    named = [claim for claim in open_claims if claim.named]
    found = {one.rule: one for one in _shared(named)}
    if len(named) < len(open_claims):
        for one in _shared(open_claims):
            found.setdefault(one.rule, one)
    return list(found.values())


def _shared(claims: Iterable[Claim]) -> Iterator[Shared]:
    paintings: dict[int, _Painting] = defaultdict(_Painting)
    for _, grouped in groupby(claims, key=attrgetter("rule")):
        own = list(grouped)
        alone = _alone(own)
        if alone is not None:
            yield alone
            continue
        clash = next(filter(None, (_meeting(paintings, claim) for claim in own)), None)
        if clash is not None:
            yield clash
        for claim in own:
            paintings[claim.public].paint(claim)


def _alone(claims: list[Claim]) -> Shared | None:
    """Whether one statement lets two hosts share a peer."""
    many = [claim for claim in claims if not claim.sources.is_single()]
    if many:
        most = max(many, key=lambda claim: claim.sources.size())
        return Shared(most, None, most.peers, most.named)
    paintings: dict[int, _Painting] = defaultdict(_Painting)
    for claim in claims if len(claims) > 1 else ():
        found = _meeting(paintings, claim)
        if found is not None:
            return found
        paintings[claim.public].paint(claim)
    return None


def _meeting(paintings: dict[int, _Painting], claim: Claim) -> Shared | None:
    clash = paintings[claim.public].clash(claim)
    if clash is None:
        return None
    other, peers = clash
    return Shared(claim, other, peers, claim.named and other.named)


def _unguarded(claims: list[Claim], channel: int) -> Iterator[Claim]:
    """The claims less the flows for which some statement says `single`, or `tracking` of ESP."""

    def is_guarded(rule: Rule) -> bool:
        return rule.options.single or (rule.options.tracking and channel == ESP_CHANNEL)

    return _without(claims, is_guarded)


def untracked(claims: list[Claim]) -> Iterator[Claim]:
    """Claims to ESP less the flows for which some statement says `tracking`."""
    return _without(claims, lambda rule: rule.options.tracking)


def _without(claims: list[Claim], is_left_out: Callable[[Rule], bool]) -> Iterator[Claim]:
    """The claims less the flows of some statements."""
    guarded = [claim for claim in claims if is_left_out(claim.rule)]
    if not guarded:
        yield from claims
        return
    index = BoxIndex((_box(claim), None) for claim in guarded)
    for claim in claims:
        if is_left_out(claim.rule):
            continue
        cuts = [common for _, common, _ in index.meeting(_box(claim))]
        for _, sources, peers in remove(_box(claim), cuts):
            yield claim._replace(sources=sources, peers=peers)


def _box(claim: Claim) -> tuple[Intervals, Intervals, Intervals]:
    return Intervals.single(claim.public), claim.sources, claim.peers
