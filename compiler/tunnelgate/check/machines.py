"""Which addresses of a zone a machine can have."""

from __future__ import annotations

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.members import members
from tunnelgate.policy import Policy, Zone

#: Networks of fewer addresses have no broadcast address (RFC 3021: 31-bit prefixes).
_SMALLEST_WITH_BROADCAST = 4

PRIVATE = Intervals.of(
    (axes.address_of(first), axes.address_of(last))
    for first, last in (
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.168.0.0", "192.168.255.255"),
    )
)
"""What nobody on the internet can answer (RFC 1918 section 3, RFC 6598)."""


def machines(policy: Policy, zone: Zone) -> Intervals:
    """The addresses of a zone that a machine other than the gateway can have.

    The first and the last address of an IPv4 network are nobody's (RFC 1122 section 3.2.1.3):
    a /30 whose third address is the gateway's own is one host, not three.
    """
    ends = [
        (end, end)
        for low, high in zone.networks & axes.IPV4
        if high - low + 1 >= _SMALLEST_WITH_BROADCAST
        for end in (low, high)
    ]
    return members(policy, zone, zone.holds) - Intervals.of(ends)
