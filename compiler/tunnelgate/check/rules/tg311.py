"""TG311: a forward to the gateway itself."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import LAN, WAN
from tunnelgate.check.show import show_place
from tunnelgate.check.telling import side_text
from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Rule, Safety, Severity
from tunnelgate.policy import Forward
from tunnelgate.source import Span

_ROUTER = "zone dmz {\n  interface eth2\n  network   10.9.0.0/24\n  address   10.9.0.1\n"
_ROUTER += "  host router = 10.9.0.1\n}\nnat from lan, dmz to wan\nallow ssh from lan to gateway\n"
RULE = Rule(
    code="TG311",
    name="forward-to-gateway",
    severity=Severity.ERROR,
    summary="a forward to an address of the gateway itself",
    why="A forward hands packets on to a machine behind the gateway. What has an address of the "
    "gateway's own goes no further: the gateway receives it, and `to gateway` says whether it may.",
    source="language reference, forward; Linux, ip_route_input: RTN_LOCAL",
    bad=WAN + LAN + _ROUTER + "forward https from wan to router\n",
    good=WAN + LAN + _ROUTER + "allow https from wan to gateway\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each forward whose host is the gateway."""
    for forward in context.policy.forwards:
        if forward.target in context.own_or_loopback:
            yield Diagnostic(
                RULE,
                f"`{forward.host.name}` is the gateway itself",
                Label(forward.host_span, f"{show_place(forward.target)} is its own address"),
                help=_way_out(forward),
                fix=_allowed(forward),
            )


def _way_out(forward: Forward) -> str:
    """The `allow` of what arrives for the same address."""
    at = None if forward.at is None else forward.at.text
    where = at if at and not at[0].isalpha() else "gateway"
    protocols = " ".join(forward.protocols.span.text.split())
    allow = f"`allow {protocols} from {side_text(forward.source)} to {where}`"
    if forward.port is None:
        return f"write {allow}"
    port = forward.l4.first() & 0xFFFF
    return f"let the gateway's own service listen on {port}, and write {allow}"


def _allowed(forward: Forward) -> Fix | None:
    """The statement as an `allow`, where it says nothing that only a forward can."""
    options = forward.options
    if forward.at or forward.port or options.hairpin or options.spi:
        return None
    verb = Span(forward.span.file, forward.span.start, forward.protocols.span.start)
    return Fix((Edit(verb, "allow "), Edit(forward.host_span, "gateway")), Safety.UNSAFE)
