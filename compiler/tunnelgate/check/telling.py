"""How a finding about hosts that share a peer is told: the same way for every portless protocol."""

from __future__ import annotations

from tunnelgate.check.context import Context
from tunnelgate.check.sharing import Shared
from tunnelgate.check.show import show_place
from tunnelgate.check.words import protocol_word
from tunnelgate.diagnostics import Diagnostic, Fix, Label, Rule, Severity
from tunnelgate.policy import Side


def tell(
    context: Context, row: Rule, shared: Shared, channel: int, what: str, help: str, fix: Fix | None
) -> Diagnostic:
    """The finding; `what` names the protocol."""
    word = protocol_word(shared.rule.protocols, channel)
    by_any = "" if shared.named else " through `any`"
    who = "many hosts behind NAT" if shared.earlier is None else "two hosts behind NAT to one peer"
    return Diagnostic(
        row,
        f"{what}{by_any} from {who}",
        Label(word),
        _labels(context, shared),
        help=help,
        fix=fix,
        milder=None if shared.named else Severity.ADVICE,
    )


def _labels(context: Context, shared: Shared) -> tuple[Label, ...]:
    claim, public = shared.claim, show_place(shared.claim.public)
    translated = Label(claim.translation.nat.span, "translated here")
    if shared.earlier is None:
        hosts = claim.sources if shared.other is None else claim.sources | shared.other.sources
        to = f"on the way to `{side_text(shared.rule.destination)}`"
        text = f"{hosts.size()} hosts share {public} {to}"
        return Label(shared.rule.destination.span, text), translated
    assert shared.other is not None
    mine, theirs = context.describe(claim.sources), context.describe(shared.other.sources)
    return (
        Label(shared.rule.source.span, f"{mine} shares {public} with {theirs}"),
        Label(shared.rule.destination.span, f"on the way to {context.describe(shared.peers)}"),
        Label(shared.earlier.span, f"{theirs} may start it here"),
        translated,
    )


def side_text(side: Side) -> str:
    """The places of a side as they are written, on one line."""
    lines = (line.partition("#")[0] for line in side.span.text.splitlines())
    return " ".join(" ".join(lines).split())
