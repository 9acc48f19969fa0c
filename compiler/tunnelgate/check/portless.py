"""Protocols without ports, in classes that a policy does not tell apart.

There are 250 of them and most policies name two: deciding for one member of each class decides for
every protocol separately.
"""

from __future__ import annotations

from tunnelgate.check.cutting import slabs
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Policy
from tunnelgate.policy.options import ESP, PORTLESS

ESP_CHANNEL = axes.ESP << 16
GRE_CHANNEL = axes.GRE << 16
AH_CHANNEL = axes.AH << 16
GRE = Intervals.of([axes.l4(axes.GRE)])
OTHERS = PORTLESS - ESP - GRE


def classes(policy: Policy) -> dict[int, Intervals]:
    """The classes, by the smallest channel of each."""
    sets = {one for rule in policy.rules for one in (rule.l4, rule.protocols.named)}
    if any(rule.options.tracking for rule in policy.rules):
        sets.add(ESP)
    return {found.first(): found for found, _ in slabs(PORTLESS, sets)}


def protocols(channels: Intervals) -> list[int]:
    """The numbers of the IP protocols among these channels."""
    return [number for low, high in channels for number in range(low >> 16, (high >> 16) + 1)]
