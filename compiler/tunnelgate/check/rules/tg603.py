"""TG603: an `allow` or a `forward` of which denials leave nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.common import common
from tunnelgate.check.context import Context, Flows
from tunnelgate.check.paths import Pair
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule

RULE = Row(
    code="TG603",
    name="wholly-denied",
    severity=Severity.WARNING,
    summary="an allow or a forward that is wholly denied",
    why="A `deny` beats every `allow` and every `forward`, wherever it stands: the statement does "
    "nothing, and its author hardly knows.",
    source="language reference, Principles",
    bad=NAT + "allow ssh from alice to hq\ndeny tcp/22 from lan to wan\n",
    good=NAT + "allow ssh from alice to hq\ndeny tcp/22 from lan except alice to wan\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement between zones that would let something pass without the denials."""
    if not context.denials:
        return
    for rule in context.allows:
        if rule.protocols.inside_ipsec:
            continue
        denial = _denied(context, list(_of_rule(context, rule)))
        if denial is not None:
            yield _tell(rule, denial)
    for forward in context.policy.forwards:
        denial = _denied(context, list(_of_forward(context, forward)))
        if denial is not None:
            yield _tell(forward, denial)


def _of_rule(context: Context, rule: Rule) -> Iterator[tuple[Pair, Flows]]:
    """What an `allow` would let pass, one family at a time."""
    for ingress, sources in rule.source:
        for egress, destinations in rule.destination:
            mine, theirs = context.members(ingress, sources), context.members(egress, destinations)
            for family in (axes.IPV4, axes.IPV6):
                flows = (common(mine, family), common(theirs, family), rule.l4)
                if all(flows):
                    yield (ingress, egress), flows


def _of_forward(context: Context, forward: Forward) -> Iterator[tuple[Pair, Flows]]:
    """What a `forward` would hand to its host, as the denials see it."""
    l4 = forward.l4
    if forward.port is not None:
        l4 = Intervals.single(l4.first() >> 16 << 16 | forward.port)
    for entry in forward.entries:
        flows = (context.members(entry.zone, entry.sources), Intervals.single(forward.target), l4)
        if all(flows):
            yield (entry.zone, forward.host.zone), flows


def _denied(context: Context, parts: list[tuple[Pair, Flows]]) -> Rule | None:
    """A denial of some flows, where the denials leave nothing of any."""
    if not parts or not all(pair in context.denials for pair, _ in parts):
        return None
    if any(next(context.standing(pair, flows), None) for pair, flows in parts):
        return None
    (pair, flows), *_ = parts
    _, _, denial = next(context.denials[pair].meeting(flows))
    return denial


def _tell(statement: Rule | Forward, denial: Rule) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"all that this `{statement.text.partition(' ')[0]}` says is denied",
        Label(statement.span),
        (Label(denial.span, "denied here"),),
        help="take it away from the `deny` with `except`, or leave one of the two out",
    )
