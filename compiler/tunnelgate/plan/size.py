"""How many connections the hosts of a policy have at once, at the least."""

from __future__ import annotations

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.plan.model import Plan

#: What a statement names is a host or some; a network of more addresses is seldom full of them.
_MOST_HOSTS = 256


def connections(plan: Plan) -> int:
    """One for each host that statements name, once for each statement's ends.

    A lower bound: whole zones and large networks count as one host, as nobody knows how many there
    are, and so do the connections of a host that one statement is about.
    """
    ends = {
        (rule.match.source, rule.match.destination)
        for pair in plan.pairs
        for rule in pair.permissions
    }
    return sum(max(map(_hosts, both)) for both in ends)


def _hosts(addresses: Intervals) -> int:
    if addresses == axes.ANY_ADDRESS:
        return 1
    sizes = (high - low + 1 for low, high in addresses)
    return sum(size if size <= _MOST_HOSTS else 1 for size in sizes)
