"""TG607: a statement that no packet can match."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.check.telling import side_text
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Nat, Policy, Side, Zone
from tunnelgate.policy import Rule as Verdict

_WAN6 = "zone v6 {\n  interface eth2\n  network   2001:db8:9::/48\n}\n"
_REST = "allow ssh from lan to gateway\n"
RULE = Rule(
    code="TG607",
    name="no-address-pair",
    severity=Severity.WARNING,
    summary="a statement whose sides have no address pair in common",
    why="A packet has both its addresses in one family. A statement that leaves no such pair "
    "matches nothing, which is hardly what its author meant. Nor does one about a host at an "
    "address of the gateway's own: what goes there is for the gateway.",
    source="language reference, Places",
    bad=ZONES + _WAN6 + _REST + "allow https from lan to v6\n",
    good=ZONES + _WAN6 + _REST + "allow https from lan to wan\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
#: One bit a family; of the two sides of a statement some bit must be the same.
_V4, _V6 = 1, 2
_BITS = {4: _V4, 6: _V6}
_WORDS = {0: "no address", _V4: "IPv4", _V6: "IPv6", _V4 | _V6: "IPv4 and IPv6"}

Statement = Verdict | Forward | Nat


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement without an address pair, but for those about groups in which nobody is."""
    families = _Families(context.own_or_loopback)
    nobody = {group.name for group in context.policy.groups if not group.addresses}
    for statement, sides, wanted in _statements(context.policy):
        found = wanted
        for side in sides:
            found &= families.of(side)
        if not found and not any(nobody.issuperset(_names(side)) for side in sides):
            yield _tell(statement, sides, families, wanted)


def _statements(policy: Policy) -> Iterator[tuple[Statement, list[Side], int]]:
    """The statements about traffic, their sides, and the families that they may be about."""
    for rule in policy.rules:
        yield rule, [rule.source, rule.destination], _V4 | _V6
    for nat in policy.nats:
        yield nat, [nat.source, nat.destination], _BITS[nat.family]
    for forward in policy.forwards:
        yield forward, [forward.source], _BITS[forward.family]


def _names(side: Side) -> list[str]:
    """The places that a side names, if that is all it does."""
    return side_text(side).split(", ")


class _Families:
    """Which families the sides of statements have addresses of."""

    def __init__(self, own: Intervals) -> None:
        self._own = own
        self._whole: dict[Zone, int] = {}

    def of(self, side: Side) -> int:
        """The families of a side, one bit each."""
        bits = 0
        for zone, addresses in side.zones:
            bits |= self._members(zone, addresses)
        return bits

    def is_gateway(self, side: Side) -> bool:
        """Whether a side names the gateway's own addresses, as those of a zone."""
        named = [
            addresses & zone.holds for zone, addresses in side if addresses != axes.ANY_ADDRESS
        ]
        return any(named) and not self.of(side)

    def _members(self, zone: Zone, addresses: Intervals) -> int:
        if zone.is_gateway:
            return _families(addresses)
        if addresses != axes.ANY_ADDRESS:
            return _families((addresses & zone.holds) - self._own)
        if zone not in self._whole:
            self._whole[zone] = _families(zone.holds)
        return self._whole[zone]


def _families(addresses: Intervals) -> int:
    if addresses.is_single():
        return _BITS[axes.family(addresses.items[0][0])]
    return sum(_BITS[one] for one in (4, 6) if addresses.overlaps(axes.family_axis(one)))


def _tell(statement: Statement, sides: list[Side], families: _Families, wanted: int) -> Diagnostic:
    empty = next((side for side in sides if not families.of(side)), None)
    lacking = next((side for side in sides if not families.of(side) & wanted), None)
    labels = [Label(side.span, _WORDS[families.of(side)]) for side in sides]
    help = "leave the statement out, or name places of one family"
    if empty is not None and families.is_gateway(empty):
        message = f"`{side_text(empty)}` is the gateway itself"
        labels = [Label(empty.span, "its own addresses")]
        help = "write `gateway`, or the address itself"
    elif empty is not None:
        message, labels = f"nothing is left of `{side_text(empty)}`", [Label(empty.span)]
        help = "leave the statement out, or take less away with its `except`"
    elif lacking is not None:
        message = f"`{side_text(lacking)}` has no {_WORDS[wanted]} address"
    else:
        names = " and ".join(f"`{side_text(side)}`" for side in sides)
        message = f"{names} have no address family in common"
    return Diagnostic(
        RULE, message, labels[-1], tuple(labels[:-1]), help=help, fix=delete(statement)
    )
