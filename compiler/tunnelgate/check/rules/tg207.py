"""TG207: the gateway's own IPsec and an inside host's bare ESP share a peer."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check import peers
from tunnelgate.check.context import Context
from tunnelgate.check.diverted import tell_away
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, without_esp
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.policy.options import ESP

RULE = Rule(
    code="TG207",
    name="esp-shared-with-gateway",
    severity=Severity.ERROR,
    summary="the gateway's own IPsec and an inside host's bare ESP share a peer",
    why="The gateway's ESP to a peer and an inside host's are one connection to it: what the "
    "gateway accepts blocks the host, and what is handed to the host makes the gateway's own "
    "packets fail.",
    source="Linux, measured (targets page, Portless protocols)",
    bad=NAT + "allow ipsec from hq to gateway\nallow esp from alice to hq\n",
    good=NAT + "allow ipsec from hq to gateway\nallow ipsec-nat-t from alice to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each outbound claim to a peer of the gateway's, and each forward of such a peer's ESP."""
    for later, contest in peers.once(peers.with_gateway(context)):
        claim, own = contest.claim, contest.other
        whom = context.describe(contest.peers)
        yield Diagnostic(
            RULE,
            f"the gateway and an inside host both have ESP with {whom}",
            Label(protocol_word(later.protocols, ESP_CHANNEL)),
            (
                Label(own.source.span, "the gateway's own"),
                Label(claim.rule.source.span, f"{context.describe(claim.sources)} may begin it"),
                Label(claim.translation.nat.span, "translated here"),
            ),
            help="let inside hosts use ESP in UDP (`ipsec-nat-t`) towards this peer",
            fix=without_esp(claim.rule),
            milder=None if contest.named else Severity.ADVICE,
        )
    yield from tell_away(RULE, context, ESP)
