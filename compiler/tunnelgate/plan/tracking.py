"""Which hosts behind one address are told apart by the SPIs of their ESP.

`tracking` is about what is translated alone: where nothing is, addresses tell hosts apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.plan.model import Apart, Link, Match, Origin, Snat, Tracking
from tunnelgate.policy import model
from tunnelgate.policy.options import ESP

#: What `tracking` does, and to which degree: sentences without their full stops.
NOTES = (
    (
        "ESP is told apart by SPI: what a peer sends with an SPI that nobody knows is the host's "
        "that has begun with a new SPI of its own, until a second after the first answer, for ten "
        "seconds at most"
    ),
    (
        "what other hosts send to that peer meanwhile with new SPIs is dropped, and passes when it "
        "is sent again"
    ),
    (
        "a new SPI that a peer uses before the host does is the host's if no other uses that peer; "
        "else it is dropped until the host begins, or taken for that of a host that is beginning, "
        "and the tunnel needs new keys once more"
    ),
)
#: What the proof of a ruleset with `tracking` leaves open, likewise.
UNPROVED = (
    "that learned SPIs are those of the right host is held by packet tests, and not proved: the "
    "proof takes what the maps hold for unknown, and shows that it drops nothing of a host that is "
    "alone with its peer"
)


def trackings(
    policy: model.Policy, links: Mapping[model.Zone, Link], snats: Sequence[Snat]
) -> Iterator[Tracking]:
    """A node for each translation on whose path a statement says `tracking`."""
    found: dict[int, list[_Part]] = defaultdict(list)
    translated = _by_ends(snats)
    for rule in policy.rules:
        if _allows_esp(rule) and rule.options.tracking:
            for source, sources in rule.source:
                for destination, destinations in rule.destination:
                    ends = links.get(source), links.get(destination)
                    for number, snat in translated.get(ends, ()):
                        axis = axes.family_axis(snat.family) - policy.own_addresses
                        hosts = sources & snat.match.source & source.holds & axis
                        peers = destinations & snat.match.destination & destination.holds & axis
                        if hosts and peers:
                            found[number].append(_Part(hosts, peers, Origin(rule.text, rule.span)))
    zones = {link: zone for zone, link in links.items()}
    for number, parts in sorted(found.items()):
        snat = snats[number]
        ways = _ways(zones[snat.destination], links)
        hosts = Intervals.union_of(part.hosts for part in parts)
        peers = Intervals.union_of(part.peers for part in parts)
        taken = Intervals.union_of(_taken(policy, zones[way]) for way in ways) & peers
        origins = tuple(dict.fromkeys(part.origin for part in parts))
        match = Match(hosts, peers, ESP)
        yield Tracking(snat.source, snat.destination, ways, snat.family, match, taken, origins)


def _ways(zone: model.Zone, links: Mapping[model.Zone, Link]) -> tuple[Link, ...]:
    """The links by which the addresses of a zone may be reached: that is known of the route."""
    return tuple(
        link for other, link in links.items() if other is zone or (zone.is_rest and other.is_rest)
    )


class _Part(NamedTuple):
    """What one statement adds."""

    hosts: Intervals
    peers: Intervals
    origin: Origin


_Ends = tuple[Link | None, Link | None]


def _by_ends(snats: Iterable[Snat]) -> Mapping[_Ends, list[tuple[int, Snat]]]:
    """The translations, with their numbers, by the links between which they are."""
    found: dict[_Ends, list[tuple[int, Snat]]] = defaultdict(list)
    for number, snat in enumerate(snats):
        if not snat.hairpin:
            found[snat.source, snat.destination].append((number, snat))
    return found


def _allows_esp(rule: model.Rule) -> bool:
    return rule.verdict is model.Verdict.ALLOW and rule.l4.overlaps(ESP)


def _taken(policy: model.Policy, zone: model.Zone) -> Intervals:
    """The peers of a zone that may send ESP to the gateway itself, or to the host of a forward."""
    to_gateway = [
        rule.source.addresses(zone)
        for rule in policy.rules
        if _allows_esp(rule) and rule.destination.addresses(policy.gateway)
    ]
    forwarded = [
        entry.sources
        for forward in policy.forwards
        if forward.l4.overlaps(ESP)
        for entry in forward.entries
        if entry.zone is zone
    ]
    return Intervals.union_of([*to_gateway, *forwarded])


def untracked(match: Match, family: int, tracked: Iterable[Tracking | Apart]) -> list[Match]:
    """The parts of a match less the ESP that is told apart by SPI; all of one pair of links."""
    parts = [match]
    for one in tracked:
        if one.family == family:
            parts = [rest for part in parts for rest in _less(part, one.match)]
    return parts


def _less(match: Match, cut: Match) -> Iterator[Match]:
    hosts, peers = match.source & cut.source, match.destination & cut.destination
    if not (hosts and peers and match.l4.overlaps(cut.l4)):
        yield match
        return
    for part in (
        Match(match.source - hosts, match.destination, match.l4),
        Match(hosts, match.destination - peers, match.l4),
        Match(hosts, peers, match.l4 - cut.l4),
    ):
        if part.source and part.destination and part.l4:
            yield part
