"""nftables: one table of the inet family, loaded atomically."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import Plan
from tunnelgate.target import WHOLE, Output, Setup, release

if TYPE_CHECKING:
    from tunnelgate.flows.netfilter import Ruleset


class Nftables:
    """The target `nftables`; its parts are imported when they are used."""

    name = "nftables"
    title = "nftables (nft 0.9.7 and later, Linux 5.10 and later)"
    format_revision = 4
    model: Literal["netfilter", "pf"] = "netfilter"
    version_form = "1.0.6"

    def is_version(self, text: str) -> bool:
        """A release, as `1.0.6`."""
        return release(text) is not None

    def refuse(self, plan: Plan, setup: Setup = WHOLE) -> list[Diagnostic]:
        """What nftables cannot do, or this version does not emit."""
        from tunnelgate_targets.nftables import refuse, since

        found = refuse.refuse(plan)
        if setup.version is not None and not found:
            ruleset = self.emit(plan, setup).files["ruleset.nft"]
            found += since.refuse(plan, ruleset, setup.version)
        return found

    def emit(self, plan: Plan, setup: Setup = WHOLE) -> Output:
        """`ruleset.nft` and its companions."""
        from tunnelgate_targets.nftables.emit import emit

        return emit(plan, setup, self.format_revision)

    def read(self, files: Mapping[str, str]) -> Mapping[int, Ruleset]:
        """The chains of `ruleset.nft`, which both families share."""
        from dataclasses import replace

        from tunnelgate_targets.nftables.read import read

        name = "ruleset.nft"
        chains = replace(read(files[name]), file=name)
        return {4: chains, 6: chains}

    def validate(self, files: Mapping[str, str]) -> str:
        """Ask the running kernel in a dry run."""
        from tunnelgate_targets.nftables.load import validate

        return validate(files["ruleset.nft"])


TARGET = Nftables()
