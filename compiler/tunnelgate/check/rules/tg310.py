"""TG310: bare IPsec that is translated again further out."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.machines import PRIVATE
from tunnelgate.check.passing import Passing, handed, passing
from tunnelgate.check.portless import AH_CHANNEL, ESP_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.show import show_place, show_protocol
from tunnelgate.check.words import protocol_word, without_esp
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone

_SHARED = NAT.replace("203.0.113.1", "100.64.7.20")
RULE = Row(
    code="TG310",
    name="translated-further-out",
    severity=Severity.ADVICE,
    summary="AH or bare ESP by a private address, which is translated again further out",
    why="Nobody on the internet can answer a private address, so somebody further out translates "
    "it: AH does not survive that, and bare ESP does for one customer and peer at a time.",
    source="RFC 1918 section 3; RFC 6598 section 4; RFC 3715 section 2.1",
    bad=_SHARED + "allow esp from alice to hq\n",
    good=_SHARED + "allow ipsec-nat-t from alice to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
#: Who only ever sees what is left after the last translation.
_BEYOND = axes.IPV4 - PRIVATE


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that names AH or ESP with a peer beyond an outside zone of this kind."""
    for rule in context.allows:
        for channel in (ESP_CHANNEL, AH_CHANNEL):
            if channel in rule.protocols.named:
                address = _address(context, rule, channel)
                if address is not None:
                    yield _tell(rule, channel, *address)
                    break
    told = set()
    for forward, entry, sources in handed(context, ESP_CHANNEL):
        known = entry.addresses - axes.UNKNOWN
        if (
            forward not in told
            and ESP_CHANNEL in forward.protocols.named
            and known
            and known <= PRIVATE
            and sources & _BEYOND
        ):
            told.add(forward)
            yield _tell(forward, ESP_CHANNEL, entry.zone, known.first())


def _address(context: Context, rule: Rule, channel: int) -> tuple[Zone, int] | None:
    """The outside zone and the private address by which an `allow` lets a channel pass."""
    for flow in passing(context, rule, Intervals.single(channel)):
        found: int | None = None
        if _is_behind(context, flow.egress) and flow.destinations & _BEYOND:
            zone, found = flow.egress, _leaving(context, flow, channel)
        elif _is_behind(context, flow.ingress) and flow.egress.is_gateway:
            zone, called = flow.ingress, _own(flow.ingress) & flow.destinations
            if flow.sources & _BEYOND and called <= PRIVATE and called:
                found = called.first()
        if found is not None:
            return zone, found
    return None


def _is_behind(context: Context, zone: Zone) -> bool:
    """Whether a zone is outside, and the gateway's own address in it is a private one."""
    primary = zone.primary(4)
    return (
        zone in context.outside and zone.over is None and primary is not None and primary in PRIVATE
    )


def _own(zone: Zone) -> Intervals:
    return Intervals.of((one, one) for one in zone.addresses) & axes.IPV4


def _leaving(context: Context, flow: Passing, channel: int) -> int | None:
    """A private address that a flow leaves with towards peers on the internet."""
    if flow.ingress.is_gateway:
        return flow.egress.primary(4)
    untranslated, peers = flow.sources, flow.destinations & _BEYOND
    if flow.pair in context.paths:
        for sources, _, translation in context.paths.translated(flow.pair, untranslated, peers):
            if channel == ESP_CHANNEL and translation.public in PRIVATE:
                return translation.public
            untranslated -= sources
    private = untranslated & PRIVATE
    return private.first() if private else None


def _tell(statement: Rule | Forward, channel: int, zone: Zone, address: int) -> Diagnostic:
    word = protocol_word(statement.protocols, channel)
    fix = without_esp(statement) if isinstance(statement, Rule) and channel == ESP_CHANNEL else None
    return Diagnostic(
        RULE,
        f"{show_protocol(channel >> 16)} by {show_place(address)} is translated again further out",
        Label(word),
        (Label(zone.span, "the gateway's own address here is private"),),
        help="use ESP in UDP, which passes any number of translations",
        fix=fix,
    )
