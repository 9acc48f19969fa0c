"""TG203: GRE, PPTP's included, behind NAT."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.claims import Claim
from tunnelgate.check.clashing import tell_collisions
from tunnelgate.check.context import Context
from tunnelgate.check.portless import GRE, GRE_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.telling import tell
from tunnelgate.check.words import add_option, except_protocol, protocol_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.policy import Rule as Statement

RULE = Rule(
    code="TG203",
    name="gre-behind-nat",
    severity=Severity.ERROR,
    summary="GRE or PPTP that NAT cannot tell apart",
    why="connection tracking tells GRE apart by its two addresses only, unless a helper reads the "
    "call numbers of PPTP; the second host's packets vanish without an error",
    source="RFC 2637 section 4.1; Linux, measured",
    bad=NAT + "allow pptp from lan to hq\n",
    good=NAT + "allow pptp from lan to hq with helper\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_PPTP = (
    "without its helper the call numbers stay unread: the GRE that comes back matches nothing, for "
    "a single host too"
)


def check(context: Context) -> Iterator[Diagnostic]:
    """PPTP without its helper, hosts that share a peer, and forwards to two hosts."""
    helpless = {
        claim.rule: claim for claim in context.claims(GRE_CHANNEL) if _lacks_helper(claim.rule)
    }
    for claim in helpless.values():
        yield _without_helper(claim)
    for shared in context.shared(GRE_CHANNEL):
        if shared.rule in helpless:
            continue
        if shared.claim.named:
            help = "let one host at a time have it, or give each host a public address of its own"
            fix = add_option(shared.rule, "single")
        else:
            help = "leave GRE out; the second claimant is counted and dropped"
            fix = except_protocol(shared.rule.protocols, "gre")
        yield tell(context, RULE, shared, GRE_CHANNEL, "GRE", help, fix)
    help = "take the sources apart with `except`, or let PPTP's helper follow: `with helper`"
    yield from tell_collisions(RULE, context, GRE, "GRE", lambda _: help)


def _lacks_helper(rule: Statement) -> bool:
    """Whether a statement lets PPTP out and its GRE is nobody's but the helper's that it lacks."""
    return not rule.options.helper and any(
        helper.name == "pptp" for helper in rule.protocols.helpers
    )


def _without_helper(claim: Claim) -> Diagnostic:
    word = protocol_word(claim.rule.protocols, GRE_CHANNEL)
    return Diagnostic(
        RULE,
        f"`{word.text}` behind NAT without its helper",
        Label(word),
        (Label(claim.translation.nat.span, "translated here"),),
        why=_PPTP,
        help="let the helper follow its GRE, for any number of hosts",
        fix=add_option(claim.rule, "helper"),
    )
