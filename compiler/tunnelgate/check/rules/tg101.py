"""TG101: AH from behind source NAT."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.portless import AH_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, replace_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity

RULE = Rule(
    code="TG101",
    name="ah-meets-nat",
    severity=Severity.ERROR,
    summary="AH meets source NAT",
    why="AH authenticates the addresses of the packet: once they are rewritten its integrity check "
    "fails at the other end, for every packet and both ways.",
    source="RFC 4302 section 3.3.3.1.1.1; RFC 3715 section 2.1",
    bad=NAT + "allow ipsec-ah from lan to hq\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
#: Words that are AH, or IKE and AH, and nothing besides.
_REPLACEABLE = frozenset({"ah", "ipsec-ah", "ip/51"})


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that names AH on a translated path."""
    seen = set()
    for claim in context.claims(AH_CHANNEL):
        if not claim.named or claim.rule in seen:
            continue
        seen.add(claim.rule)
        word = protocol_word(claim.rule.protocols, AH_CHANNEL)
        yield Diagnostic(
            RULE,
            f"`{word.text}` meets source NAT",
            Label(word, "its integrity check covers the addresses"),
            (Label(claim.translation.nat.span, "translated here"),),
            help="use ESP in UDP, which protects what AH protects and passes NAT",
            fix=replace_word(word, "ipsec-nat-t") if word.text in _REPLACEABLE else None,
        )
