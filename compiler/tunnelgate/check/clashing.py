"""How two forwards that collide are told, whatever they forward; and how they are taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.check.collisions import Collision
from tunnelgate.check.show import show_channel
from tunnelgate.check.words import except_places, protocol_word
from tunnelgate.diagnostics import Diagnostic, Fix, Label, Rule
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Nat

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


def tell_collisions(
    row: Rule, context: Context, channels: Intervals, what: str, help: str
) -> Iterator[Diagnostic]:
    """One finding for each later forward; `what` names the channels, empty for their own name."""
    told = set()
    for collision in context.collisions:
        common = collision.channels & channels
        if not common or collision.later in told:
            continue
        told.add(collision.later)
        yield _tell(
            context,
            row,
            collision,
            common.first(),
            what or f"`{show_channel(common.first())}`",
            help,
        )


def _tell(
    context: Context, row: Rule, collision: Collision, channel: int, what: str, help: str
) -> Diagnostic:
    later, earlier = collision.later, collision.earlier
    where = "two hosts" if later.target != earlier.target else "two ports of one host"
    return Diagnostic(
        row,
        f"{what} is forwarded to {where}",
        Label(protocol_word(later.protocols, channel)),
        (
            Label(later.host_span, f"from {context.describe(collision.sources)} to here"),
            Label(earlier.host_span, "and to here"),
        ),
        help=help,
        fix=take_apart(later, earlier),
    )


def take_apart(one: Forward | Nat, other: Forward | Nat) -> Fix | None:
    """`except` on the wider of two statements; None where both have the same sources."""
    for wider, narrower in ((one, other), (other, one)):
        if _is_part(narrower, wider):
            return except_places(wider.source, narrower.source)
    return None


def _is_part(one: Forward | Nat, other: Forward | Nat) -> bool:
    """Whether the sources of one statement are among the other's, which has more."""
    return _within(one, other) and not _within(other, one)


def _within(one: Forward | Nat, other: Forward | Nat) -> bool:
    axis = axes.family_axis(one.family)
    return all(found & axis <= other.source.addresses(zone) for zone, found in one.source)
