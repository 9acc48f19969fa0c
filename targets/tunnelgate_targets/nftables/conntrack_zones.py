"""The table of conntrack zones: flows of the same addresses that are to be told apart.

Connection tracking knows ESP by its two addresses only. In a zone of its own a flow meets no other,
so what tells flows apart puts them into zones, before connection tracking. Zones below 4096 are
numbered here, those above are handed out by the kernel, to inside hosts.

It is a table of its own because it outlives a load: its rules are replaced, what the kernel has
learned into its maps stays. A map whose declaration changes needs a new name, or a gateway that has
the older one refuses the load.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnelgate.plan import Plan
from tunnelgate_targets.nftables import esp_tracking
from tunnelgate_targets.nftables.translate import Translator

TABLE = "tunnelgate-zones"


@dataclass(frozen=True, slots=True)
class Zones:
    """What the table holds; it is deleted where that is nothing.

    Attributes:
        name: of the table.
        setting: the lines of the chain that puts packets into zones.
        tracking: which packets the chains of ESP tracking are about; None without it.
        numbered: whether hosts have zones besides that are numbered, to be left alone here.
    """

    name: str
    setting: tuple[str, ...]
    tracking: esp_tracking.Lines | None
    numbered: bool


def zones(plan: Plan, translator: Translator) -> Zones:
    """The table of a plan that was not refused."""
    tracking = esp_tracking.lines(plan, translator)
    return Zones(TABLE, tuple(_setting(plan, translator)), tracking, bool(plan.apart))


def _setting(plan: Plan, translator: Translator) -> Iterator[str]:
    """What comes first decides: a line that sets a zone ends the chain for the packet."""
    yield from esp_tracking.zone_lines(plan, translator)
