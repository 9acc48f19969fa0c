"""How two forwards that collide are told, whatever they forward; and how they are taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tunnelgate.check.collisions import Collision
from tunnelgate.check.show import show_channel
from tunnelgate.check.words import except_places, except_protocol, protocol_word
from tunnelgate.diagnostics import Diagnostic, Fix, Label, Rule
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Side
from tunnelgate.policy.spis import show_spis

if TYPE_CHECKING:
    from tunnelgate.check.context import Context


def tell_collisions(
    row: Rule,
    context: Context,
    channels: Intervals,
    what: str,
    help: Callable[[Collision], str],
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
            help(collision),
        )


def _tell(
    context: Context, row: Rule, collision: Collision, channel: int, what: str, help: str
) -> Diagnostic:
    later, earlier = collision.later, collision.earlier
    where = "two hosts" if later.target != earlier.target else "two ports of one host"
    return Diagnostic(
        row,
        f"{what or show_channel(channel)} is forwarded to {where}",
        Label(protocol_word(later.protocols, channel)),
        (
            Label(
                later.host_span,
                f"from {context.describe(collision.sources)}{_spis(later)} to here",
            ),
            Label(earlier.host_span, f"and{_spis(earlier)} to here"),
        ),
        help=help,
        fix=_take_apart(later, earlier),
    )


def _spis(forward: Forward) -> str:
    spi = forward.options.spi
    return "" if spi is None else f" with SPIs {show_spis(spi)}"


def _take_apart(one: Forward, other: Forward) -> Fix | None:
    """`except` on the wider of two forwards; None where both have the same sources and channels."""
    for wide, narrow in ((one, other), (other, one)):
        if is_within(narrow.source, wide.source) and not is_within(wide.source, narrow.source):
            return except_places(wide.source, narrow.source)
    for wide, narrow in ((one, other), (other, one)):
        if is_within(wide.source, narrow.source) and not wide.l4 <= narrow.l4:
            return except_protocol(wide.protocols, ", ".join(narrow.protocols.names))
    return None


def is_within(one: Side, other: Side) -> bool:
    """Whether a side is a part of another, or the same."""
    return all(found <= other.addresses(zone) for zone, found in one)
