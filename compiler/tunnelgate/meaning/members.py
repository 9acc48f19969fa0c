"""Which addresses are those of machines."""

from __future__ import annotations

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import MULTICAST, Policy, Zone

#: What no packet between two machines has for an address (RFC 6890).
NOBODY = MULTICAST | Intervals.of(
    [
        (0x00000000, 0x00FFFFFF),
        (0x7F000000, 0x7FFFFFFF),
        (0xF0000000, 0xFFFFFFFF),
        (axes.address_of("::"), axes.address_of("::1")),
        (axes.address_of("fe80::"), axes.address_of("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    ]
)


def members(policy: Policy, zone: Zone, addresses: Intervals) -> Intervals:
    """The machines of a zone among these addresses."""
    if zone.is_gateway:
        return addresses & policy.own_addresses
    return (addresses & zone.holds) - policy.own_addresses - NOBODY
