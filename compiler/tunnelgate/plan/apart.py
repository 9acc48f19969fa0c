"""Hosts whose ESP a forward tells apart by SPI: a number for each, and what it sends itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.plan.model import LAST_APART, Apart, Link, Match, Origin
from tunnelgate.policy import Forward, Policy, Zone
from tunnelgate.policy.model import ESP, MULTICAST
from tunnelgate.policy.spis import drawing


def numbers(policy: Policy) -> dict[int, int]:
    """A number from 1 for each such host, by its address, that no other one has.

    It follows from the address alone where it can, so that the connections of those that stay are
    theirs after a load, whatever hosts come and go.
    """
    taken: dict[int, int] = {}
    for target in sorted({one.target for one in _by_spi(policy)}):
        wanted = chain(range(target % LAST_APART + 1, LAST_APART + 1), count(1))
        taken[next(one for one in wanted if one not in taken)] = target
    return {target: number for number, target in taken.items()}


def hosts(policy: Policy, links: Mapping[Zone, Link]) -> Iterator[Apart]:
    """What each of them sends to the peers of its forwards, if there can be any."""
    own = policy.own_addresses | MULTICAST
    forwards: dict[int, list[Forward]] = defaultdict(list)
    for forward in sorted(_by_spi(policy), key=lambda one: one.text):
        forwards[forward.target].append(forward)
    for target, number in sorted(numbers(policy).items()):
        first = forwards[target][0]
        peers = Intervals.union_of(
            entry.sources & entry.zone.holds for one in forwards[target] for entry in one.entries
        )
        sent_to = (peers & axes.family_axis(first.family)) - own
        if sent_to - axes.UNKNOWN:
            yield Apart(
                link=links[first.host.zone],
                match=Match(Intervals.single(target), sent_to, ESP),
                number=number,
                dynamic=own.overlaps(axes.UNKNOWN),
                drawing=drawing(first.host.name, _ranges(forwards[target])),
                origin=Origin(first.text, first.span),
            )


def _ranges(forwards: Iterable[Forward]) -> Iterator[Interval]:
    return (one.options.spi for one in forwards if one.options.spi is not None)


def _by_spi(policy: Policy) -> Iterator[Forward]:
    return (one for one in policy.forwards if one.options.spi is not None)
