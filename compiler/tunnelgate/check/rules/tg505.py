"""TG505: a gateway that nobody can administer."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Policy, Rule
from tunnelgate.source import Span

RULE = Row(
    code="TG505",
    name="lock-out",
    severity=Severity.ADVICE,
    summary="nothing on tcp may reach the gateway",
    why="Loaded over ssh, this policy is the last thing that can be changed over ssh: nothing "
    "passes unless a statement says so, to the gateway too.",
    source="language reference, Principles",
    bad=ZONES + "allow ping from lan to gateway\n",
    good=ZONES + "allow ping, ssh from lan to gateway\n",
    since="0.1.0",
)
_TCP = Intervals.of([axes.l4(axes.TCP)])


def check(context: Context) -> Iterator[Diagnostic]:
    """A policy with zones in which no TCP to the gateway is left standing."""
    policy = context.policy
    if len(policy.zones) > 1 and not any(_lets_in(context, rule) for rule in context.to_gateway):
        yield Diagnostic(
            RULE,
            "nothing on tcp may reach the gateway",
            Label(_place(policy)),
            help="add a way to administer it, as `allow ssh from lan to gateway`",
        )


def _lets_in(context: Context, rule: Rule) -> bool:
    """Whether a statement lets some TCP connection reach the gateway."""
    addresses = rule.destination.addresses(context.gateway) & context.policy.own_addresses
    channels = rule.l4 & _TCP
    return any(
        next(context.standing((zone, context.gateway), flows), None) is not None
        for zone, sources in rule.source
        for axis in (axes.IPV4, axes.IPV6)
        if all(flows := (context.members(zone, sources) & axis, addresses & axis, channels))
    )


def _place(policy: Policy) -> Span:
    """The line that names the gateway, or the first statement."""
    if policy.name_span is not None:
        return policy.name_span
    statements = (*policy.rules, *policy.forwards, *policy.nats)
    spans = [*(one.span for one in statements), *(zone.span for zone in policy.zones[1:])]
    return min(spans, key=lambda span: span.start)
