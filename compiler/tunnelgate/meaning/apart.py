"""Whose ESP has connections of its own: that of hosts which a `forward` tells apart by SPI.

Connection tracking knows ESP by its two addresses alone, so the ESP of such a host needs a zone of
connection tracking (conntrack zone): what a forward by SPI takes for it, and what it sends to the
peers of that forward itself. Everything else shares one.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.fields import EVERYTHING
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.sets import sets
from tunnelgate.policy.model import ESP, MULTICAST, Entry, Forward, Policy, Zone

SHARED = Row(EVERYTHING, None)
"""What is not kept apart."""


def by_spi(policy: Policy) -> Iterator[tuple[Forward, Entry]]:
    """The forwards by SPI, and where each takes its packets from."""
    for forward in policy.forwards:
        if forward.options.spi is not None:
            for entry in forward.entries:
                yield forward, entry


def arriving(policy: Policy, ingress: Zone) -> Iterator[Row]:
    """Whose connections packets belong to that arrive in a zone: labels are hosts (axes.py)."""
    for forward, entry in by_spi(policy):
        if entry.zone is ingress:
            yield Row(
                sets(
                    l4=ESP,
                    source_port=forward.spis,
                    destination=entry.addresses,
                    source=entry.sources & axes.family_axis(forward.family),
                ),
                forward.target,
                forward,
            )
    yield from sent(policy, ingress)


def sent(policy: Policy, ingress: Zone) -> Iterator[Row]:
    """The same of what hosts of a zone send to the peers of their forwards."""
    for forward, entry in by_spi(policy):
        if forward.host.zone is ingress:
            peers = entry.sources & entry.zone.holds & axes.family_axis(forward.family)
            yield Row(
                sets(
                    l4=ESP,
                    destination=peers - policy.own_addresses - MULTICAST,
                    source=Intervals.single(forward.target),
                ),
                forward.target,
                forward,
            )
