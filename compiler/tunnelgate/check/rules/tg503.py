"""TG503: everything is allowed from the outside."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.passing import passing
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone
from tunnelgate.policy.model import ProtocolSet

RULE = Row(
    code="TG503",
    name="any-from-outside",
    severity=Severity.WARNING,
    summary="everything is allowed from the outside",
    why="Whatever listens inside can be reached by everybody: what is installed next year, and "
    "what nobody knows of, too.",
    source="NIST SP 800-41 revision 1 section 4.1",
    bad=NAT + "forward any except ah from wan to alice\n",
    good=NAT + "forward https from wan to alice\n",
    since="0.1.0",
)
#: Where services are.
_SERVICES = Intervals.of(axes.l4(protocol, 1) for protocol in (axes.TCP, axes.UDP))
#: What of each family anybody can have: RFC 4291 section 2.5.4 for IPv6.
_SPACES = (
    axes.IPV4,
    Intervals.span(axes.address_of("2000::"), axes.address_of("3fff:" + ":".join(["ffff"] * 7))),
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `any` from most addresses of a zone that holds the rest of the world."""
    for rule in context.allows:
        channels = _through_any(rule.protocols)
        for flow in passing(context, rule, channels) if channels else ():
            if _is_most(context, flow.ingress, flow.sources):
                yield _tell(rule, flow.ingress, _where(flow.egress))
                break
    for forward in context.policy.forwards:
        channels = _through_any(forward.protocols)
        for entry in forward.entries if channels else ():
            sources = context.handed_on(forward, entry, channels.first())
            if _is_most(context, entry.zone, sources):
                yield _tell(forward, entry.zone, f"`{forward.host.name}`")
                break


def _through_any(protocols: ProtocolSet) -> Intervals:
    """The services that a statement reaches through `any`."""
    return (protocols.l4 - protocols.named) & _SERVICES


def _is_most(context: Context, zone: Zone, sources: Intervals) -> bool:
    """Whether these are more than half of the machines of a zone that holds the rest."""
    return zone.is_rest and any(
        2 * (sources & space).size() > (context.machines(zone) & space).size() for space in _SPACES
    )


def _where(zone: Zone) -> str:
    return "the gateway" if zone.is_gateway else f"`{zone.name}`"


def _tell(statement: Rule | Forward, zone: Zone, where: str) -> Diagnostic:
    word = protocol_word(statement.protocols, _through_any(statement.protocols).first())
    return Diagnostic(
        RULE,
        f"everybody in `{zone.name}` may begin anything towards {where}",
        Label(word),
        (Label(statement.source.span, f"outside: `{zone.name}` holds the rest of the world"),),
        help="name the protocols that are meant, or the few places that may use them all",
    )
