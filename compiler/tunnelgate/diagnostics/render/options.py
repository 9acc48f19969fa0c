"""What a renderer is told besides the findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tunnelgate.diagnostics.rule import Rule
from tunnelgate.records import record

Gateway: TypeAlias = Mapping[str, str | None]
"""What was compiled into one folder; its fields stand in schemas/findings.schema.json."""


@record
class Options:
    """How text for people looks, and what is to be said besides.

    Attributes:
        color: whether to write ANSI colours; whoever knows the terminal decides.
        width: the columns of the terminal; formats for machines ignore both.
        silenced: how many findings are left out because somebody silenced them.
        gateways: what was compiled, for the format json.
        pages: the address of the folder that holds the rules' pages; empty where nobody said it.
    """

    color: bool = False
    width: int = 100
    silenced: int = 0
    gateways: Sequence[Gateway] = ()
    pages: str = ""

    def url(self, rule: Rule) -> str:
        """The absolute address of a rule's page; empty where the folder's is not known."""
        return f"{self.pages.rstrip('/')}/{rule.code}.md" if self.pages else ""


#: What a caller gets who chooses nothing.
DEFAULT = Options()
