"""TG502: a tunnel that anybody on the way can read."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.passing import passing
from tunnelgate.check.portless import GRE_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.rules.tg501 import CONTROL
from tunnelgate.check.words import protocol_word, replace_word, says, words
from tunnelgate.diagnostics import Diagnostic, Fix, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone
from tunnelgate.policy.model import ProtocolSet
from tunnelgate.policy.protocol import Encryption
from tunnelgate.policy.table import TABLE
from tunnelgate.source import Span

RULE = Row(
    code="TG502",
    name="readable-tunnel",
    severity=Severity.WARNING,
    summary="a tunnel without encryption over an outside zone",
    why="The tunnel carries packets of private networks as they are. Whoever is on the way reads "
    "them, and can put others in: nothing in them says who sent them.",
    source="RFC 2784 section 6 (GRE); RFC 2661 section 9 (L2TP); RFC 7348 section 7 (VXLAN)",
    bad=NAT + "allow l2tp from wan to gateway\n",
    good=NAT + "allow l2tp-ipsec from wan to gateway\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_READABLE = {row.name: row for row in TABLE if row.tunnel and row.encryption is Encryption.NONE}


def check(context: Context) -> Iterator[Diagnostic]:
    """Each tunnel without encryption that a statement says, and lets pass over an outside zone."""
    for rule in context.allows:
        for channel, word in _said(context, rule.protocols):
            zone = _allowed(context, rule, channel)
            if zone is not None:
                yield _tell(word, zone, _by_ipsec(rule, word))
    for forward in context.policy.forwards:
        for channel, word in _said(context, forward.protocols):
            zone = _forwarded(context, forward, channel)
            if zone is not None:
                yield _tell(word, zone, None)


def _said(context: Context, protocols: ProtocolSet) -> Iterator[tuple[int, Span]]:
    """The channels of such tunnels that a statement says, each with its word."""
    for row in _READABLE.values():
        channel = row.l4.first()
        if channel == GRE_CHANNEL and CONTROL in protocols.named:
            continue  # it is PPTP's: TG501
        if says(protocols, channel):
            yield channel, protocol_word(protocols, channel)
    for word in words(protocols.span):
        name, *port = word.text.split()
        if port and name in _READABLE:
            yield _READABLE[name].l4.first() >> 16 << 16 | _number(context, port[-1]), word


def _number(context: Context, port: str) -> int:
    """A port as it is written, or of the parameter that is written for it."""
    values = {f"${one.name}": one.values for one in context.policy.parameters}
    return int(values[port][0] if port in values else port)


def _is_open(context: Context, zone: Zone) -> bool:
    """Whether a zone is outside, and the gateway's own IPsec does not protect what goes there."""
    return zone in context.outside and zone.over is None


def _allowed(context: Context, rule: Rule, channel: int) -> Zone | None:
    """The outside zone over which an `allow` lets a channel pass."""
    for flow in passing(context, rule, Intervals.single(channel)):
        if flow.ingress.over is None and flow.egress.over is None:
            for zone in flow.pair:
                if _is_open(context, zone):
                    return zone
    return None


def _forwarded(context: Context, forward: Forward, channel: int) -> Zone | None:
    """The outside zone from which a `forward` hands a channel on."""
    for entry in forward.entries:
        if _is_open(context, entry.zone) and context.handed_on(forward, entry, channel):
            return entry.zone
    return None


def _by_ipsec(rule: Rule, word: Span) -> Fix | None:
    """L2TP to the gateway, and to nobody else, inside IPsec."""
    to_gateway = all(zone.is_gateway for zone, _ in rule.destination)
    return replace_word(word, "l2tp-ipsec") if word.text == "l2tp" and to_gateway else None


def _tell(word: Span, zone: Zone, fix: Fix | None) -> Diagnostic:
    help = (
        "let it in inside IPsec only"
        if fix
        else f"put the other end into a zone that is `ipsec over {zone.name}`, or use a tunnel "
        "that encrypts, as `wireguard`"
    )
    return Diagnostic(
        RULE,
        f"`{word.text}` can be read on its way over `{zone.name}`",
        Label(word, "not encrypted"),
        (Label(zone.span, "outside"),),
        help=help,
        fix=fix,
    )
