"""iptables: files for iptables-restore, ip6tables-restore and ipset, whichever the flavour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import Plan
from tunnelgate.target import WHOLE, Output, Setup, release

if TYPE_CHECKING:
    from tunnelgate.flows.netfilter import Ruleset


class Iptables:
    """The target `iptables`; its parts are imported when they are used."""

    name = "iptables"
    title = "iptables and ipset (both flavours; iptables 1.6.2 and later, ipset 7.5 and later)"
    format_revision = 4
    model: Literal["netfilter", "pf"] = "netfilter"
    version_form = "1.8.9"

    def is_version(self, text: str) -> bool:
        """A release, as `1.8.9`."""
        return release(text) is not None

    def refuse(self, plan: Plan, setup: Setup = WHOLE) -> list[Diagnostic]:
        """What iptables cannot do."""
        from tunnelgate_targets.iptables.refuse import refuse

        return refuse(plan, setup)

    def emit(self, plan: Plan, setup: Setup = WHOLE) -> Output:
        """`rules.v4`, `rules.v6`, and their companions where they are needed."""
        from tunnelgate_targets.iptables.emit import emit

        return emit(plan, setup, self.format_revision)

    def read(self, files: Mapping[str, str]) -> Mapping[int, Ruleset]:
        """The chains of `rules.v4` and `rules.v6`, with the sets that they ask."""
        from tunnelgate_targets.iptables.read import read

        return read(files)

    def validate(self, files: Mapping[str, str]) -> str:
        """Load the files for real, in a namespace that nobody else sees."""
        from tunnelgate_targets.iptables.load import validate

        return validate(files)


TARGET = Iptables()
