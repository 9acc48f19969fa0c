"""TG605: a group in which nobody is."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity

_HQ = "host hq = 192.0.2.10\n"
_REST = "allow https from wan to lan\ndeny any from blocked to lan\nallow ssh from lan to gateway\n"
RULE = Rule(
    code="TG605",
    name="empty-group",
    severity=Severity.WARNING,
    summary="a group in which nobody is",
    why="A statement about the group is about nobody: an `allow` lets nobody in, a `deny` keeps "
    "nobody out.",
    source="language reference, Zones",
    bad=ZONES.replace(_HQ, _HQ + '  group blocked from "blocked.txt"\n') + _REST,
    good=ZONES.replace(_HQ, _HQ + "  group blocked = 198.51.100.0/24\n") + _REST,
    files=(("blocked.txt", "# nobody so far\n"),),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each group without an address: from a file of comments alone, or made of such groups."""
    for group in context.policy.groups:
        if not group.addresses:
            yield Diagnostic(
                RULE,
                f"nobody is in group `{group.name}`",
                Label(group.span),
                help="write who is meant into its file, or leave the group out",
            )
