"""TG304: IKE that cannot go on behind NAT."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.diverted import IKE_CHANNEL, NAT_T_CHANNEL
from tunnelgate.check.portless import AH_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, replace_word, says
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.flows.intervals import Intervals

RULE = Rule(
    code="TG304",
    name="ike-without-nat-t",
    severity=Severity.WARNING,
    summary="IKE behind NAT without NAT traversal",
    why="IKE begins on port 500. Once the two ends see that an address was translated, they must "
    "go on over port 4500, with ESP inside: where that is closed the tunnel never comes up.",
    source="RFC 7296 section 2.23; RFC 3947 section 4",
    bad=NAT + "allow ike from lan to hq\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_NAT_T = Intervals.single(NAT_T_CHANNEL)
_REPLACEABLE = frozenset({"ike", "udp/500"})


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that says IKE on a translated path where 4500 is not allowed as well."""
    seen = set()
    for claim in context.claims(IKE_CHANNEL):
        rule = claim.rule
        # AH there is an error of its own, whose way out mends this too
        if rule in seen or AH_CHANNEL in rule.protocols.named:
            continue
        if not says(rule.protocols, IKE_CHANNEL):
            continue
        found = context.permitted(claim.pair, (claim.sources, claim.peers, _NAT_T))
        lacking = next(remove((claim.sources, claim.peers), [box[:2] for box in found]), None)
        if lacking is None:
            continue
        seen.add(rule)
        word = protocol_word(rule.protocols, IKE_CHANNEL)
        yield Diagnostic(
            RULE,
            f"IKE to {context.describe(lacking[1])} cannot go on over udp/4500",
            Label(word),
            (Label(claim.translation.nat.span, "translated here"),),
            help="allow both ports, from the same sources to the same peers",
            fix=replace_word(word, "ipsec-nat-t") if word.text in _REPLACEABLE else None,
        )
