"""TG205: ESP of one peer is forwarded to one host and may be begun by another."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check import peers
from tunnelgate.check.context import Context
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.show import show_place
from tunnelgate.check.words import protocol_word, without_esp
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward

RULE = Rule(
    code="TG205",
    name="esp-claimed-twice",
    severity=Severity.ERROR,
    summary="ESP of one peer is forwarded to a host and begun by another",
    why="The first packet of either way binds all ESP between the public address and the peer to "
    "one host; whichever comes second is dropped without an error.",
    source="RFC 3715 section 2.1; Linux, measured",
    bad=NAT + "forward ipsec from hq to alice\nallow ipsec from alice, bob to hq with single\n",
    good=NAT + "forward ipsec from hq to alice\nallow ipsec from alice to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each outbound claim of another host than the one forwarded to."""
    for later, contest in peers.once(peers.with_forwards(context)):
        claim, forward = contest.claim, contest.other
        assert isinstance(forward, Forward)
        whom = context.describe(contest.peers)
        hosts = claim.sources - Intervals.single(forward.target)
        yield Diagnostic(
            RULE,
            f"ESP of {whom} is forwarded to one host and begun by another",
            Label(protocol_word(later.protocols, ESP_CHANNEL)),
            (
                Label(forward.host_span, f"forwarded to {show_place(forward.target)}"),
                Label(claim.rule.source.span, f"begun by {context.describe(hosts)}"),
                Label(claim.translation.nat.span, f"translated to {show_place(claim.public)} here"),
            ),
            help="let the other hosts use ESP in UDP (`ipsec-nat-t`), or give one of the two a "
            "public address of its own",
            fix=without_esp(claim.rule),
            milder=None if contest.named else Severity.ADVICE,
        )
