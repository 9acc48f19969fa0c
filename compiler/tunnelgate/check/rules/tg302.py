"""TG302: masquerade to a zone that is the gateway's own IPsec."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import ZONES
from tunnelgate.check.words import without_place
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity

_TUNNEL = """\
zone hq-net {
  ipsec over wan
  network 10.20.0.0/16
}
"""
_REST = "allow ssh from lan to gateway\n"
RULE = Rule(
    code="TG302",
    name="masquerade-into-ipsec",
    severity=Severity.ERROR,
    summary="masquerade to a zone that IPsec protects",
    why="Masquerade takes the address of the interface the packet leaves by, and an IPsec tunnel "
    "has none: the packet would get the public address, match no tunnel, and leave in clear.",
    source="RFC 4301 section 4.4.1; Linux, measured (targets page, The gateway's own IPsec)",
    bad=ZONES + _TUNNEL + "nat from lan to wan, hq-net\n" + _REST,
    good=ZONES + _TUNNEL + "nat from lan to wan\nnat from lan to hq-net as 10.20.0.1\n" + _REST,
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `nat` without `as` and each ipsec zone it is about."""
    for nat in context.policy.nats:
        zones = [zone for zone, _ in nat.destination] if nat.address is None else []
        others = any(zone.over is None for zone in zones)
        for zone in zones:
            if zone.over is not None:
                yield Diagnostic(
                    RULE,
                    f"masquerade to `{zone.name}`, which is `ipsec over {zone.over.name}`",
                    Label(nat.destination.span, "has no interface, so no address to take"),
                    (Label(zone.span, "defined here"),),
                    help=f"leave `{zone.name}` out, or give a fixed address that the tunnel's "
                    "network holds: `as ADDRESS`",
                    fix=without_place(nat.destination, zone.name) if others else None,
                )
