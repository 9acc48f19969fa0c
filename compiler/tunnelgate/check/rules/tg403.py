"""TG403: a helper for RTSP, which no target has."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity
from tunnelgate.policy import Forward
from tunnelgate.policy import Rule as Statement

RULE = Rule(
    code="TG403",
    name="no-rtsp-helper",
    severity=Severity.ERROR,
    summary="a helper is asked for that no kernel has",
    why="Linux and pf have no connection-tracking helper for RTSP, so nothing would follow the "
    "media flows that it announces: they would be dropped.",
    source="Linux, net/netfilter: no nf_conntrack_rtsp; RFC 7826 section 14",
    bad=NAT + "allow rtsp from lan to hq with helper\n",
    good=NAT + "allow rtsp from lan to hq\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement with a helper for a protocol that has none."""
    statements: list[Statement | Forward] = [*context.policy.rules, *context.policy.forwards]
    for statement in statements:
        missing = [one for one in statement.protocols.helpers if not one.name]
        if statement.options.helper and missing:
            word = protocol_word(statement.protocols, missing[0].control.first())
            yield Diagnostic(
                RULE,
                f"`{word.text}` has no helper anywhere",
                Label(word, "nothing would follow its media"),
                help="leave it without `helper` and let the client interleave the media in the "
                "connection itself, as most can; or let its media ports pass by a statement of "
                "their own",
            )
