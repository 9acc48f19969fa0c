"""pf in its two dialects: what they share is nearly all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import Plan
from tunnelgate.records import replace
from tunnelgate.target import WHOLE, Output, Setup

if TYPE_CHECKING:
    from tunnelgate.flows.crossings import Screens


class Pf:
    """A target for one dialect of pf; its parts are imported when they are used."""

    format_revision = 4
    model: Literal["netfilter", "pf"] = "pf"
    version_form = "freebsd-15"

    def __init__(self, name: str, title: str, dialect: Literal["modern", "classic"]) -> None:
        self.name = name
        self.title = title
        self.dialect = dialect

    def is_version(self, text: str) -> bool:
        """A system and its release, as `freebsd-15`."""
        from tunnelgate_targets.pf.versions import system

        return system(text) is not None

    def refuse(self, plan: Plan, setup: Setup = WHOLE) -> list[Diagnostic]:
        """What pf cannot do."""
        from tunnelgate_targets.pf.refuse import refuse

        return refuse(plan, setup, self.name)

    def emit(self, plan: Plan, setup: Setup = WHOLE) -> Output:
        """`pf.conf`, and `sysctl.conf` where the gateway forwards."""
        from tunnelgate_targets.pf.dialect import DIALECTS
        from tunnelgate_targets.pf.emit import emit
        from tunnelgate_targets.pf.versions import oldest

        made = emit(plan, setup, DIALECTS[self.dialect], self.format_revision)
        return Output(made.files, replace(made.requirements, versions=oldest(self.name)))

    def read(self, files: Mapping[str, str]) -> Mapping[int, Screens]:
        """The rules of each family, which stand in one file."""
        from tunnelgate_targets.pf.read import Dialect
        from tunnelgate_targets.pf.read.walk import walks

        return walks(files, Dialect(self.dialect))

    def validate(self, files: Mapping[str, str]) -> str:
        """Ask pfctl, which reads the files and changes nothing."""
        from tunnelgate_targets.pf.load import validate

        return validate(files)


MODERN = Pf("pf", "pf, modern dialect (OpenBSD, FreeBSD 15 and later)", "modern")
CLASSIC = Pf("pf-classic", "pf, classic dialect (FreeBSD up to 14, macOS)", "classic")
