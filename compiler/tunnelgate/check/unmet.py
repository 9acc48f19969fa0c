"""What is said of an expectation that does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunnelgate.check.show import show_channel, show_place
from tunnelgate.meaning import Outcome
from tunnelgate.policy.model import ExpectKind

if TYPE_CHECKING:
    from tunnelgate.meaning.expect import Failure


def said(failure: Failure, *, minds_spis: bool = False) -> str:
    """Why it does not hold, in a clause: the packet that shows it, and the fate of that."""
    if not failure.is_decided:
        return f"`{failure.expect.question.text}` is too large to be decided"
    if failure.outcome is None:
        return f"no packet can be `{failure.expect.question.text}`"
    packet = failure.outcome.packet
    inside = ", inside IPsec," if packet.decrypted else ""
    spi = f" with SPI {packet.spi:#x}" if minds_spis else ""
    return (
        f"{show_channel(packet.l4)}{spi} from {show_place(packet.source)} to "
        f"{show_place(packet.destination)}{inside} {_fate(failure.outcome, failure.expect.kind)}"
    )


def _fate(outcome: Outcome, kind: ExpectKind) -> str:
    """What happens to the packet, as far as the expectation asks."""
    if not outcome.delivered:
        return f"is dropped: {outcome.reason.value}"
    match kind:
        case ExpectKind.REACHES:
            return f"reaches {show_place(outcome.destination)}"
        case ExpectKind.LEAVES if outcome.source_translated:
            return f"leaves as {show_place(outcome.source)}"
        case ExpectKind.LEAVES:
            return "leaves untranslated"
        case _:
            return f"passes: {outcome.reason.value}"
