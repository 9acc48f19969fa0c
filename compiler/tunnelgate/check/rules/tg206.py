"""TG206: one port forwarded to two hosts, or away from the gateway that is to receive it."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.clashing import tell_collisions
from tunnelgate.check.context import Context
from tunnelgate.check.diverted import IKE, tell_away
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Rule, Safety, Severity
from tunnelgate.flows import axes
from tunnelgate.policy.options import ESP, PORTLESS

RULE = Rule(
    code="TG206",
    name="port-forwarded-twice",
    severity=Severity.ERROR,
    summary="one port is forwarded to two places, or away from the gateway",
    why="A packet goes to one host. Which of two statements takes it would be a matter of their "
    "order, and order never matters; one that a forward takes never reaches the gateway.",
    source="language reference, Principles; RFC 3022 section 2.2",
    bad=NAT + "forward tcp/8443 from wan to alice\nforward tcp/8443 from hq to bob\n",
    good=NAT + "forward tcp/8443 from wan except hq to alice\nforward tcp/8443 from hq to bob\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Forwards that collide, and forwards that defeat an `allow … to gateway`."""
    help = "take the sources apart with `except`, or forward to one place"
    yield from tell_collisions(RULE, context, axes.ANY_L4 - PORTLESS, "", lambda _: help)
    yield from tell_away(RULE, context, axes.ANY_L4 - ESP - IKE)
