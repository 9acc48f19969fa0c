"""TG301: masquerading takes what should go through the gateway's own tunnel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.passing import passing
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, says
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Nat, Rule, Zone

RULE = Row(
    code="TG301",
    name="tunnel-masqueraded",
    severity=Severity.WARNING,
    summary="the gateway ends IPsec tunnels and translates sources, and no zone is `ipsec over`",
    why="What an IPsec policy is to protect is chosen after source NAT, by the address that it has "
    "then. A masqueraded packet no longer fits the tunnel and leaves in clear.",
    source="Linux, measured (targets page, The gateway's own IPsec)",
    bad=NAT + "allow ipsec from hq to gateway\n",
    good=NAT
    + "zone hq-net {\n  ipsec over wan\n  network    10.20.0.0/16\n}\n"
    + "allow ipsec from hq to gateway\nallow any from lan to hq-net\n",
    since="0.1.0",
)
_CHANNELS = (
    axes.ESP << 16,
    axes.AH << 16,
    axes.UDP << 16 | 500,
    axes.UDP << 16 | 4500,
    axes.TCP << 16 | 4500,
)
#: A tunnel with an interface is routed, and what is routed into it is no traffic of another zone.
_ROUTED = re.compile(r"ipsec|vti|xfrm|enc")


def check(context: Context) -> Iterator[Diagnostic]:
    """Each zone with peers of the gateway's own IPsec whose tunnels are left to a `nat`."""
    policy = context.policy
    if any(_ROUTED.match(name) for zone in policy.zones for name in zone.interfaces):
        return
    left = {zone for nat in policy.nats for zone, _ in nat.destination if zone.over is None}
    left -= {zone.over for zone in policy.zones if zone.over}
    for rule in context.allows:
        if rule.protocols.inside_ipsec or not _is_own(context, rule, left):
            continue
        for channel in _CHANNELS:
            if says(rule.protocols, channel):
                for zone, peers in _peers(context, rule, channel):
                    nat = _translates_all(context, zone, peers) if zone in left else None
                    if nat is not None:
                        left.discard(zone)
                        yield _tell(rule, channel, zone, nat)


def _is_own(context: Context, rule: Rule, zones: set[Zone]) -> bool:
    """Whether a statement is about what the gateway itself has with one of these zones."""
    ends = [{zone for zone, _ in side} for side in (rule.source, rule.destination)]
    return any(
        context.gateway in here and not zones.isdisjoint(there)
        for here, there in (ends, ends[::-1])
    )


def _peers(context: Context, rule: Rule, channel: int) -> Iterator[tuple[Zone, Intervals]]:
    """With whom the gateway itself has a channel, by zones."""
    for flow in passing(context, rule, Intervals.single(channel)):
        if flow.egress.is_gateway and not flow.ingress.is_gateway:
            yield flow.ingress, flow.sources
        elif flow.ingress.is_gateway and not flow.egress.is_gateway:
            yield flow.egress, flow.destinations


def _translates_all(context: Context, zone: Zone, peers: Intervals) -> Nat | None:
    """A `nat` that takes whatever goes to a zone: whose author exempted no network by hand."""
    for nat in context.policy.nats:
        taken = nat.destination.addresses(zone)
        spared = (context.machines(zone) & axes.family_axis(nat.family)) - taken
        if taken and spared <= peers:
            return nat
    return None


def _tell(rule: Rule, channel: int, zone: Zone, nat: Nat) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"what the gateway's IPsec over `{zone.name}` is to protect is translated first",
        Label(protocol_word(rule.protocols, channel), "ends at the gateway"),
        (Label(nat.span, "takes what should go through the tunnel"),),
        help=f"add a zone with `ipsec over {zone.name}` and the tunnel's networks: traffic to it "
        f"is no traffic to `{zone.name}`",
    )
