"""TG202: ESP of one peer forwarded to two hosts."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.clashing import tell_collisions
from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Rule, Safety, Severity
from tunnelgate.policy.options import ESP

RULE = Rule(
    code="TG202",
    name="esp-to-two-hosts",
    severity=Severity.ERROR,
    summary="ESP from one peer is forwarded to two hosts",
    why="ESP has no ports: the first packet binds all ESP of a peer to one host, and the other "
    "statement is dead.",
    source="RFC 4303 section 2; Linux, measured",
    bad=NAT
    + "allow ipsec-nat-t from alice, bob to wan\n"
    + "forward esp from wan to alice\nforward esp from hq to bob\n",
    good=NAT
    + "allow ipsec-nat-t from alice, bob to wan\n"
    + "forward esp from wan except hq to alice\nforward esp from hq to bob\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each forward that takes ESP which an earlier one takes too."""
    help = "take the sources apart with `except`, so that each peer has one host"
    yield from tell_collisions(RULE, context, ESP, "ESP", help)
