"""TG602: an `allow` that another one makes needless."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Rule, Side
from tunnelgate.policy.model import Options

RULE = Row(
    code="TG602",
    name="covered-allow",
    severity=Severity.ADVICE,
    summary="an allow that is wholly covered by another",
    why="All that it lets pass passes by the other statement too. Whoever takes it out, to close "
    "what it opens, closes nothing.",
    source="language reference, Principles",
    bad=NAT + "allow https from lan to wan\nallow https from alice to hq\n",
    good=NAT + "allow https from lan to wan\n",
    fixes=(Safety.SAFE,),
    since="0.1.0",
)
_PLAIN = Options()


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `allow` without options whose flows one other `allow` has all, and more."""
    for rule in context.allows:
        if rule.options != _PLAIN or not rule.l4:
            continue
        wider = next((one for one in _around(context, rule) if _is_wider(one, rule)), None)
        if wider is not None:
            yield Diagnostic(
                RULE,
                "this `allow` is a part of another one",
                Label(rule.span),
                (Label(wider.span, "says this, and more"),),
                help="leave it out, or take it away from the other with `except`",
                fix=delete(rule, Safety.SAFE),
            )


def _around(context: Context, rule: Rule) -> Iterator[Rule]:
    """The other statements without a limit that hold the first of all flows of one."""
    for ingress, sources in rule.source.zones[:1]:
        for egress, destinations in rule.destination.zones[:1]:
            first = [Intervals.single(one.first()) for one in (sources, destinations, rule.l4)]
            for _, _, other in context.permissions[ingress, egress].meeting(tuple(first)):
                if other is not rule and other.options.limit is None:
                    yield other


def _is_wider(wider: Rule, rule: Rule) -> bool:
    """Whether a statement says all that another does, and more: the very same is TG601's."""
    return (
        rule.l4 <= wider.l4
        and _is_within(rule.source, wider.source)
        and _is_within(rule.destination, wider.destination)
        and rule.protocols.inside_ipsec <= wider.protocols.inside_ipsec
        and _meaning(rule) != _meaning(wider)
    )


def _is_within(side: Side, wider: Side) -> bool:
    return all(addresses <= wider.addresses(zone) for zone, addresses in side)


def _meaning(rule: Rule) -> tuple[object, ...]:
    return rule.l4, rule.protocols.inside_ipsec, rule.source.zones, rule.destination.zones
