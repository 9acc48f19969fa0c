"""TG309: two translations of one source on one path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tunnelgate.check.clashing import is_within
from tunnelgate.check.context import Context
from tunnelgate.check.paths import Pair, public_address
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.check.show import show_place
from tunnelgate.check.words import delete, except_places
from tunnelgate.diagnostics import Diagnostic, Fix, Label, Rule, Safety, Severity
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.policy import Nat, Zone

_REST = "allow ssh from lan to gateway\n"
_TWO = ZONES.replace("203.0.113.1", "203.0.113.1, 203.0.113.2")
RULE = Rule(
    code="TG309",
    name="nats-overlap",
    severity=Severity.ERROR,
    summary="two translations of the same sources on one path",
    why="The most specific source decides which translation a packet gets. Where neither of two is "
    "inside the other it would be a matter of their order, and order never matters.",
    source="language reference, nat",
    bad=_TWO + "nat from lan to wan\nnat from lan to hq as 203.0.113.2\n" + _REST,
    good=_TWO + "nat from lan to wan except hq\nnat from lan to hq as 203.0.113.2\n" + _REST,
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each translation that meets an earlier one which does something else, or the very same."""
    told: set[Nat] = set()
    for pair, entries in _by_pair(context).items():
        index = BoxIndex(entries)
        for number, (box, nat) in enumerate(entries):
            if nat in told:
                continue
            for other, common, earlier in index.meeting(box):
                if other < number and _differ(nat, earlier, pair[1]):
                    told.add(nat)
                    yield _tell(context, nat, earlier, common, pair[1])
                    break


def _by_pair(context: Context) -> dict[Pair, list[tuple[Box, Nat]]]:
    found: dict[Pair, list[tuple[Box, Nat]]] = defaultdict(list)
    for nat in context.policy.nats:
        axis = axes.family_axis(nat.family)
        for ingress, sources in nat.source:
            for egress, destinations in nat.destination:
                mine, theirs = (
                    context.members(ingress, sources),
                    context.members(egress, destinations),
                )
                if mine & axis and theirs & axis:
                    found[ingress, egress].append(((mine & axis, theirs & axis), nat))
    return found


def _differ(one: Nat, other: Nat, egress: Zone) -> bool:
    """Whether neither is the more specific, and it matters which is taken, or both are one."""
    if one.sources != other.sources and (
        one.sources <= other.sources or other.sources <= one.sources
    ):
        return False
    return public_address(one, egress) != public_address(other, egress) or _is_same(one, other)


def _is_same(one: Nat, other: Nat) -> bool:
    """Whether two translations say the same."""
    return (one.source.zones, one.destination.zones) == (
        other.source.zones,
        other.destination.zones,
    )


def _tell(context: Context, nat: Nat, earlier: Nat, common: Box, egress: Zone) -> Diagnostic:
    sources, peers = context.describe(common[0]), context.describe(common[1])
    same = public_address(nat, egress) == public_address(earlier, egress)
    return Diagnostic(
        RULE,
        f"two translations of {sources} on the way to {peers}",
        Label(nat.span, f"to {show_place(public_address(nat, egress))}"),
        (Label(earlier.span, f"to {show_place(public_address(earlier, egress))} here"),),
        help="leave one of the two out"
        if same or _is_same(nat, earlier)
        else "take the two apart with `except`",
        fix=_fix(nat, earlier, same),
    )


def _fix(nat: Nat, earlier: Nat, same: bool) -> Fix | None:
    """`except` where one translation covers all of the other's path, and more on one side only.

    Elsewhere an `except` would leave something untranslated that was not in question.
    """
    if same:
        return delete(nat)
    if _is_same(nat, earlier):
        return None  # nothing would be left
    for wide, narrow in ((nat, earlier), (earlier, nat)):
        peers, hosts = wide.destination, wide.source
        if is_within(narrow.destination, peers) and is_within(narrow.source, hosts):
            if is_within(hosts, narrow.source):
                return except_places(peers, narrow.destination)
            if is_within(peers, narrow.destination):
                return except_places(hosts, narrow.source)
    return None
