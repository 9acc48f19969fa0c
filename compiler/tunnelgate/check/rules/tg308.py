"""TG308: sources translated to an address that the gateway does not have."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.check.show import show_place
from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Rule, Safety, Severity
from tunnelgate.policy import Nat, Zone

_REST = "allow ssh from lan to gateway\n"
RULE = Rule(
    code="TG308",
    name="nat-to-foreign-address",
    severity=Severity.ERROR,
    summary="sources become an address that the gateway does not have",
    why="Answers are sent to the new source. Where it is not the gateway's they go to another "
    "machine, or to nobody.",
    source="RFC 3022 section 2",
    bad=ZONES + "nat from lan to wan as 203.0.113.7\n" + _REST,
    good=ZONES + "nat from lan to wan as 203.0.113.1\n" + _REST,
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each zone by which a `nat … as` leaves and whose address it does not take.

    Not asked of ipsec zones: there the address is one of the tunnel's network, which the other
    end sends back through the tunnel.
    """
    for nat in context.policy.nats:
        for zone, _ in nat.destination if nat.address is not None else ():
            if zone.over is None and nat.address not in zone.addresses:
                yield _foreign(nat, zone)


def _foreign(nat: Nat, zone: Zone) -> Diagnostic:
    assert nat.address is not None
    assert nat.address_span is not None
    known = None if zone.is_dynamic else zone.primary(nat.family)
    edits = () if known is None else (Edit(nat.address_span, show_place(known)),)
    return Diagnostic(
        RULE,
        f"`{nat.address_span.text}` is no address of the gateway in `{zone.name}`",
        Label(nat.address_span),
        (Label(zone.span, "the zone it leaves by"),),
        help=f"add it to the `address` line of `{zone.name}`, or take one that is there",
        fix=Fix(edits, Safety.UNSAFE) if edits else None,
    )
