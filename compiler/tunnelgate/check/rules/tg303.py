"""TG303: a forward where nothing is translated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tunnelgate.check.context import Context
from tunnelgate.check.paths import Pair
from tunnelgate.check.rules.samples import NAT, ZONES
from tunnelgate.check.show import show_place
from tunnelgate.check.words import add_option
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Zone
from tunnelgate.policy.model import Entry

RULE = Rule(
    code="TG303",
    name="forward-without-nat",
    severity=Severity.ERROR,
    summary="a forward on a path without NAT, or from an inside zone",
    why="A forward stands in for the gateway's own address. Where the host's packets leave "
    "untranslated it has an address of its own there, which an `allow` lets be reached; from an "
    "inside zone the answers would come back past the gateway.",
    source="RFC 3022 section 2; language reference, forward",
    bad=ZONES + "allow ssh from lan to gateway\nforward https from wan to alice\n",
    good=NAT + "forward https from wan to alice\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each zone of a forward that it cannot take packets from."""
    translated = _translated(context)
    for forward in context.policy.forwards:
        if forward.target in context.own_or_loopback:
            continue  # TG311
        for entry in forward.entries:
            if entry.hairpin or (forward.options.hairpin and entry.zone is forward.host.zone):
                continue
            if entry.zone not in context.outside:
                yield _from_inside(forward, entry.zone)
            elif not _is_translated(translated, forward, entry):
                yield _untranslated(forward, entry.zone)


def _translated(context: Context) -> dict[Pair, BoxIndex[None]]:
    """The sources and destinations of the translations of a family, by the zones they connect."""
    found: dict[Pair, list[tuple[Box, None]]] = defaultdict(list)
    for nat in context.policy.nats:
        for zone, sources in nat.source:
            mine = sources & axes.family_axis(nat.family)
            for egress, destinations in nat.destination:
                found[zone, egress].append(((mine, destinations), None))
    return {pair: BoxIndex(entries) for pair, entries in found.items()}


def _is_translated(
    translated: Mapping[Pair, BoxIndex[None]], forward: Forward, entry: Entry
) -> bool:
    """Whether the host's packets back to the zone get another source."""
    index = translated.get((forward.host.zone, entry.zone), BoxIndex())
    return any(index.meeting((Intervals.single(forward.target), entry.sources)))


def _from_inside(forward: Forward, zone: Zone) -> Diagnostic:
    at_home = zone is forward.host.zone
    return Diagnostic(
        RULE,
        f"`{zone.name}` is an inside zone",
        Label(forward.source.span, "reaches the host without the gateway's address"),
        (Label(forward.host_span, f"in zone `{forward.host.zone.name}`"),),
        help="say `with hairpin`, so that the gateway's address stands in for both"
        if at_home
        else f"write `allow … from {zone.name} to {forward.host.name}`",
        fix=add_option(forward, "hairpin") if at_home else None,
    )


def _untranslated(forward: Forward, zone: Zone) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"nothing translates what `{forward.host.name}` sends to `{zone.name}`",
        Label(forward.host_span, f"is {show_place(forward.target)} there too"),
        (Label(forward.source.span, "reached from here without a forward"),),
        help=f"write `allow … from {zone.name} to {forward.host.name}`, or add "
        f"`nat from {forward.host.zone.name} to {zone.name}`",
    )
