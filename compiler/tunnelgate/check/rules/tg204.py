"""TG204: any other protocol without ports behind NAT."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.clashing import tell_collisions
from tunnelgate.check.context import Context
from tunnelgate.check.portless import OTHERS, protocols
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.sharing import Shared
from tunnelgate.check.show import show_protocol
from tunnelgate.check.telling import tell
from tunnelgate.check.words import add_option, protocol_word
from tunnelgate.diagnostics import Diagnostic, Rule, Safety, Severity
from tunnelgate.flows.intervals import Intervals
from tunnelgate.source import Span

RULE = Rule(
    code="TG204",
    name="portless-behind-nat",
    severity=Severity.ERROR,
    summary="a protocol without ports that NAT cannot tell apart",
    why="connection tracking tells it apart by its two addresses only; the second host's packets "
    "vanish without an error",
    source="RFC 3022 section 2.2; Linux, measured",
    bad=NAT + "allow ipip from lan to hq\n",
    good=NAT + "allow ipip from alice to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_HELP = "let one host at a time have it, or give each host a public address of its own"
_HELP_ANY = (
    "say so, or name the protocols that are wanted; the second claimant is counted and dropped"
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Hosts that share a peer, and forwards to two hosts; each protocol for itself."""
    told: set[Span] = set()
    for first, members in context.portless.items():
        for shared in context.shared(first) if members.overlaps(OTHERS) else ():
            yield from _tell(context, shared, members & OTHERS, told)
    help = "take the sources apart with `except`"
    yield from tell_collisions(RULE, context, OTHERS, "a protocol without ports", lambda _: help)


def _tell(
    context: Context, shared: Shared, members: Intervals, told: set[Span]
) -> Iterator[Diagnostic]:
    """One finding a word: `any` brings in very many protocols, a name one or a few."""
    for protocol in protocols(members):
        channel = protocol << 16
        word = protocol_word(shared.rule.protocols, channel)
        if word in told:
            continue
        told.add(word)
        what = show_protocol(protocol) if word.text != "any" else "a protocol without ports"
        help = _HELP if shared.claim.named else _HELP_ANY
        yield tell(context, RULE, shared, channel, what, help, add_option(shared.rule, "single"))
        if word.text == "any":
            return
