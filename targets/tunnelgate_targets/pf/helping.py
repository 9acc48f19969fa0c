"""PPTP of one host: the one use of a helper that pf can do without.

Its data is GRE, which has no ports. With one host on the policy's side of it, the two addresses say
whose it is, so a state of pf is enough: GRE is allowed as the control connection is (targets page,
pf). It may then begin without that connection, which a caveat says.
"""

from __future__ import annotations

from dataclasses import replace

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Helper, Match, Origin, Pair, Plan

_GRE = Intervals.of([axes.l4(axes.GRE)])


def spared(plan: Plan) -> frozenset[Origin]:
    """The statements whose helper is not needed."""
    pptp = [helper for helper in plan.helpers if helper.name == "pptp"]
    others = {helper.origin for helper in plan.helpers if helper.name != "pptp"}
    hosts = {host for helper in pptp for host in _hosts(plan, helper)}
    if len(hosts) > 1 or None in hosts:
        return frozenset()
    return frozenset(helper.origin for helper in pptp) - others


def _hosts(plan: Plan, helper: Helper) -> set[int | None]:
    """Who speaks PPTP by a statement; None where that may be more than one, or the gateway."""
    targets = {dnat.target for dnat in plan.dnats if dnat.origin == helper.origin}
    if targets:
        return set(targets)
    sources = helper.match.source & axes.IPV4
    return {sources.first() if helper.link is not None and sources.is_single() else None}


def with_data(plan: Plan) -> Plan:
    """The plan in which GRE of these statements is allowed, and goes where they go."""
    origins = spared(plan)
    if not origins:
        return plan
    dnats = tuple(
        replace(dnat, match=_gre(dnat.match)) for dnat in plan.dnats if dnat.origin in origins
    )
    pairs = tuple(_pair(pair, origins) for pair in plan.pairs)
    return replace(plan, pairs=pairs, dnats=(*plan.dnats, *dnats))


def _pair(pair: Pair, origins: frozenset[Origin]) -> Pair:
    added = [
        replace(rule, match=_gre(rule.match), limit=None)
        for rule in pair.permissions
        if rule.origin in origins
    ]
    return replace(pair, permissions=(*pair.permissions, *added)) if added else pair


def _gre(match: Match) -> Match:
    """PPTP is IPv4's (targets page, PPTP)."""
    return Match(_ipv4(match.source), _ipv4(match.destination), _GRE)


def _ipv4(addresses: Intervals) -> Intervals:
    return addresses if addresses == axes.ANY_ADDRESS else addresses & axes.IPV4
