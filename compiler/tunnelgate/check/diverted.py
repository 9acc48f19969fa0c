"""How it is told that a forward takes what the gateway itself is to receive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.check.away import Away
from tunnelgate.check.clashing import is_within
from tunnelgate.check.show import show_channel
from tunnelgate.check.words import except_places, except_protocol, protocol_word
from tunnelgate.diagnostics import Diagnostic, Fix, Label, Rule, Severity
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward

if TYPE_CHECKING:
    from tunnelgate.check.context import Context

IKE_CHANNEL, NAT_T_CHANNEL = axes.UDP << 16 | 500, axes.UDP << 16 | 4500
IKE = Intervals.of((channel, channel) for channel in (IKE_CHANNEL, NAT_T_CHANNEL))
"""The channels of IKE, and of ESP in UDP (RFC 7296 section 2)."""


def tell_away(row: Rule, context: Context, channels: Intervals) -> Iterator[Diagnostic]:
    """One finding for each forward that takes some of these channels away from the gateway."""
    told: dict[Forward, Diagnostic] = {}
    for away in context.taken:
        common = away.channels & channels
        if common and (away.forward not in told or (away.named and told[away.forward].milder)):
            told[away.forward] = _tell(context, row, away, common)
    yield from told.values()


def _tell(context: Context, row: Rule, away: Away, channels: Intervals) -> Diagnostic:
    channel = channels.first()
    whom = context.describe(away.sources)
    return Diagnostic(
        row,
        f"{show_channel(channel)} is forwarded away from the gateway",
        Label(protocol_word(away.forward.protocols, channel), f"takes it from {whom}"),
        (Label(away.rule.span, "so this never sees it"),),
        why="A forward takes what arrives before the gateway looks at it, wherever the two "
        "statements stand.",
        help="take one away from the other with `except`",
        fix=_apart(away),
        milder=None if away.named else Severity.ADVICE,
    )


def _apart(away: Away) -> Fix | None:
    """The forward less the sources of the other statement, or less its protocols."""
    forward, rule = away.forward, away.rule
    if is_within(forward.source, rule.source):
        if forward.l4 <= rule.l4 or not away.named:
            return None
        return except_protocol(forward.protocols, ", ".join(rule.protocols.names))
    return except_places(forward.source, rule.source)
