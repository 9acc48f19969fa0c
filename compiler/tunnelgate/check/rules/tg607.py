"""TG607: a statement that no packet can match."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.check.telling import side_text
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Nat, Side, Zone
from tunnelgate.policy import Rule as Verdict

_WAN6 = "zone v6 {\n  interface eth2\n  network   2001:db8:9::/48\n}\n"
_REST = "allow ssh from lan to gateway\n"
RULE = Rule(
    code="TG607",
    name="no-address-pair",
    severity=Severity.WARNING,
    summary="a statement whose sides have no address pair in common",
    why="A packet has both its addresses in one family. A statement that leaves no such pair matches "
    "nothing, which is hardly what its author meant.",
    source="language reference, Statements",
    bad=ZONES + _WAN6 + _REST + "allow https from lan to v6\n",
    good=ZONES + _WAN6 + _REST + "allow https from lan to wan\n",
)
#: One bit a family; of the two sides of a statement some bit must be the same.
_V4, _V6 = 1, 2
_BITS = {4: _V4, 6: _V6}

Statement = Verdict | Forward | Nat


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement without an address pair."""
    families = _Families(context)
    for rule in context.policy.rules:
        yield from families.look(rule, rule.source, rule.destination, _V4 | _V6)
    for nat in context.policy.nats:
        yield from families.look(nat, nat.source, nat.destination, _BITS[nat.family])
    for forward in context.policy.forwards:
        yield from families.look(forward, forward.source, None, _BITS[forward.family])


class _Families:
    """Which families the sides of statements have addresses of."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._whole: dict[Zone, int] = {}

    def look(
        self, statement: Statement, source: Side, destination: Side | None, wanted: int
    ) -> Iterator[Diagnostic]:
        """The finding about a statement, if there is one; `wanted` is what it is about itself."""
        sides = [source] if destination is None else [source, destination]
        found = [self._of(side) for side in sides]
        common = wanted
        for bits in found:
            common &= bits
        if common:
            return
        empty = next((side for side, bits in zip(sides, found, strict=True) if not bits), None)
        yield _nothing_left(statement, empty) if empty else _apart(statement, sides, found, wanted)

    def _of(self, side: Side) -> int:
        bits = 0
        for zone, addresses in side:
            bits |= self._members(zone, addresses)
            if bits == _V4 | _V6:
                break
        return bits

    def _members(self, zone: Zone, addresses: Intervals) -> int:
        if zone.is_gateway:
            return _families(addresses)
        if addresses == axes.ANY_ADDRESS:
            if zone not in self._whole:
                self._whole[zone] = _families(zone.holds)
            return self._whole[zone]
        return _families(addresses & zone.holds)


def _families(addresses: Intervals) -> int:
    return sum(_BITS[one] for one in (4, 6) if addresses.overlaps(axes.family_axis(one)))


def _nothing_left(statement: Statement, side: Side) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"nothing is left of `{side_text(side)}`",
        Label(side.span),
        help="leave the statement out, or less in its `except`",
        fix=delete(statement.span),
    )


def _apart(statement: Statement, sides: list[Side], found: list[int], wanted: int) -> Diagnostic:
    labels = [Label(side.span, _words(bits)) for side, bits in zip(sides, found, strict=True)]
    about = "no address family in common" if wanted == _V4 | _V6 else f"no {_words(wanted)} address"
    names = " and ".join(f"`{side_text(side)}`" for side in sides)
    have = "have" if len(sides) > 1 else "has"
    return Diagnostic(
        RULE,
        f"{names} {have} {about}",
        labels[-1],
        tuple(labels[:-1]),
        help="leave the statement out, or name places of one family",
        fix=delete(statement.span),
    )


def _words(bits: int) -> str:
    return {_V4: "IPv4", _V6: "IPv6"}.get(bits, "IPv4 and IPv6")
