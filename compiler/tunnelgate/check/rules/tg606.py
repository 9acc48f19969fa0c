"""TG606: a zone from and to which no statement lets anything begin."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.passing import meant
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.policy import Forward, Rule, Zone

_GUESTS = "zone guests {\n  interface wlan0\n  network   192.168.9.0/24\n}\n"
RULE = Row(
    code="TG606",
    name="unreached-zone",
    severity=Severity.ADVICE,
    summary="a zone that nothing reaches",
    why="Statements are about the zone, a `nat` or a `deny` for instance, yet none lets a "
    "connection begin from it or to it: the one that should was forgotten, or is denied.",
    source="language reference, Principles",
    bad=NAT + _GUESTS + "nat from guests to wan\nallow https from lan to wan\n",
    good=NAT + _GUESTS + "nat from guests to wan\nallow https from lan, guests to wan\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each zone that statements are about, of which the denials leave nothing.

    Of one that no statement is about TG604 says so.
    """
    policy = context.policy
    missing = set(policy.zones[1:]) - _reached(context)
    unnamed = {span for _, _, span in policy.unused}
    for zone in policy.zones[1:]:
        if zone in missing and zone.span not in unnamed and zone.span.file is policy.file:
            yield Diagnostic(
                RULE,
                f"nothing may begin from zone `{zone.name}` or to it",
                Label(zone.span),
                help="say what may pass from it or to it, or leave it out; as it is, only the "
                "gateway itself may send there"
                if policy.settings.gateway_output
                else "say what may pass from it or to it, or leave it out",
            )


def _reached(context: Context) -> set[Zone]:
    """The zones at an end of what passes, and those that carry such a one's IPsec.

    One with a group in which nobody is may be reached as soon as somebody is: that is TG605's. A
    statement that no packet can match is TG607's.
    """
    found = {group.zone for group in context.policy.groups if not group.addresses}
    for statement in context.permitting:
        if isinstance(statement, Rule) and statement.protocols.inside_ipsec:
            found.update(zone for zone, _ in statement.source)
        parts = list(meant(context, statement))
        if not parts:
            found.update(_ends(statement))
        for pair, flows in parts:
            if not found.issuperset(pair) and next(context.standing(pair, flows), None):
                found.update(pair)
    return found | {zone.over for zone in found if zone.over is not None}


def _ends(statement: Rule | Forward) -> Iterator[Zone]:
    yield from (zone for zone, _ in statement.source)
    if isinstance(statement, Forward):
        yield statement.host.zone
    else:
        yield from (zone for zone, _ in statement.destination)
