"""TG103: AH that `any` seems to let through where it is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.portless import AH_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import except_protocol, protocol_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity

RULE = Rule(
    code="TG103",
    name="ah-through-any",
    severity=Severity.ADVICE,
    summary="AH is reached through `any` only, and dropped",
    why="AH survives no translation of addresses. Let through it would leave the gateway with its "
    "private source or arrive broken, so it is dropped there, whatever `any` says.",
    source="RFC 4302 section 3.3.3.1.1.1; Linux, measured",
    bad=NAT + "allow any from lan to wan\n",
    good=NAT + "allow any except ah from lan to wan\n",
    fixes=(Safety.SAFE, Safety.UNSAFE),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `any` on a translated path, and each `forward any`."""
    seen = set()
    for claim in context.claims(AH_CHANNEL):
        if claim.named or claim.rule in seen:
            continue
        seen.add(claim.rule)
        yield Diagnostic(
            RULE,
            "`any` does not let AH through source NAT",
            Label(protocol_word(claim.rule.protocols, AH_CHANNEL)),
            (Label(claim.translation.nat.span, "translated here"),),
            help="say that AH is left out; where the statement is about untranslated paths too, "
            "allow it there by a statement of its own",
            fix=except_protocol(claim.rule.protocols, "ah"),
        )
    for forward in context.policy.forwards:
        if AH_CHANNEL not in forward.protocols.l4 - forward.protocols.named:
            continue
        yield Diagnostic(
            RULE,
            "`any` does not forward AH",
            Label(protocol_word(forward.protocols, AH_CHANNEL)),
            (Label(forward.host_span, "rewritten to this host's address"),),
            help="say that AH is left out",
            fix=except_protocol(forward.protocols, "ah", Safety.SAFE),
        )
