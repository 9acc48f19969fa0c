"""TG312: an allow that nothing from the internet can make use of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.machines import PRIVATE
from tunnelgate.check.passing import meant
from tunnelgate.check.paths import Pair
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Nat, Rule, Zone
from tunnelgate.policy.model import AH
from tunnelgate.source import Span

RULE = Row(
    code="TG312",
    name="private-from-outside",
    severity=Severity.ADVICE,
    summary="an allow from the internet to private addresses behind NAT",
    why="Private addresses are routed on no network but their own. What comes from the internet is "
    "sent to the gateway's public address, and nothing but a `forward` hands it on.",
    source="RFC 1918 section 3; RFC 3022 section 2",
    bad=NAT + "allow https from wan to alice\n",
    good=NAT + "forward https from wan to alice\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_PUBLIC = axes.IPV4 - PRIVATE - axes.UNKNOWN
#: What IPsec is made of, and begun with: what comes out of it was sent to nobody's address.
_IPSEC = Intervals.of(
    [
        axes.l4(axes.ESP),
        axes.l4(axes.AH),
        axes.l4(axes.UDP, 500, 500),
        axes.l4(axes.UDP, 4500, 4500),
        axes.l4(axes.TCP, 4500, 4500),
    ]
)

Handed = dict[Pair, BoxIndex[None]]


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `allow` that is about such packets, and about nothing else."""
    internet = {zone for zone in context.policy.zones if _is_internet(context, zone)}
    handed_on = _handed_on(context)
    for rule in context.allows if internet else ():
        if not internet.issuperset(zone for zone, _ in rule.source):
            continue
        found = [
            _unreachable(context, handed_on, rule, (ingress, egress), sources, destinations)
            for ingress, sources in rule.source
            for egress, destinations in rule.destination
        ]
        first = found[0] if found and all(found) else None
        if first is not None:
            yield _tell(context, rule, *first)


def _is_internet(context: Context, zone: Zone) -> bool:
    """Whether it holds the rest, the gateway's addresses there are public, and no tunnel ends."""
    known = Intervals.of((one, one) for one in zone.addresses) & axes.IPV4
    if not (zone.is_rest and known and known <= _PUBLIC):
        return False
    if any(one.over is zone for one in context.policy.zones):
        return True  # what was decrypted is not in it
    ends = {zone, context.gateway}
    return not any(
        rule.l4.overlaps(_IPSEC)
        and not ends.isdisjoint(one for one, _ in rule.source)
        and not ends.isdisjoint(one for one, _ in rule.destination)
        and context.gateway in {one for side in (rule.source, rule.destination) for one, _ in side}
        for rule in context.allows
    )


def _unreachable(
    context: Context,
    handed_on: Handed,
    rule: Rule,
    pair: Pair,
    sources: Intervals,
    destinations: Intervals,
) -> tuple[Zone, Intervals, Nat] | None:
    """Private hosts that nobody from a zone can send to, and what translates what they send."""
    ingress, egress = pair
    mine, theirs = context.members(ingress, sources), context.members(egress, destinations)
    both4 = mine & axes.IPV4, theirs & axes.IPV4
    if egress.is_gateway or not all(both4) or not both4[1] <= PRIVATE:
        return None
    if mine.overlaps(axes.IPV6) and theirs.overlaps(axes.IPV6):
        return None
    named = both4[0] & PRIVATE
    if named and named != context.machines(ingress) & PRIVATE:
        return None
    if pair in handed_on and any(handed_on[pair].meeting((*both4, rule.l4))):
        return None
    nat = _translation(context, (egress, ingress), both4[1], both4[0] & _PUBLIC)
    return None if nat is None else (ingress, both4[1], nat)


def _handed_on(context: Context) -> dict[Pair, BoxIndex[None]]:
    """What forwards send to their hosts: sources, hosts and channels, by zones."""
    found: dict[Pair, list[tuple[Box, None]]] = defaultdict(list)
    for forward in context.policy.forwards:
        for pair, flows in meant(context, forward):
            found[pair].append((flows, None))
    return {pair: BoxIndex(entries) for pair, entries in found.items()}


def _translation(context: Context, path: Pair, hosts: Intervals, peers: Intervals) -> Nat | None:
    """What translates all that hosts send to peers; None where some of it is not."""
    if path not in context.paths:
        return None
    found = list(context.paths.translated(path, hosts, peers))
    left = next(remove((hosts, peers), [one[:2] for one in found]), None)
    return None if left is not None else found[0][2].nat


def _tell(context: Context, rule: Rule, zone: Zone, hosts: Intervals, nat: Nat) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"nobody in `{zone.name}` can send to {context.describe(hosts)}",
        Label(rule.destination.span, "private, and behind NAT"),
        (Label(nat.span, "leaves by the gateway's address"),),
        help="say `forward`, which hands to one host what is sent to the gateway's address",
        fix=_forward(rule, hosts),
    )


def _forward(rule: Rule, hosts: Intervals) -> Fix | None:
    """The same as a `forward`, where it is about one host and nothing that no forward takes."""
    if not hosts.is_single() or rule.protocols.named.overlaps(AH) or rule.options.tracking:
        return None
    verb = Span(rule.span.file, rule.span.start, rule.span.start + len("allow"))
    return Fix((Edit(verb, "forward"),), Safety.UNSAFE)
