"""TG501: PPTP, whose encryption is broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.passing import Passing, handed, passing
from tunnelgate.check.portless import GRE, GRE_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, says
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule, Zone

RULE = Row(
    code="TG501",
    name="pptp",
    severity=Severity.WARNING,
    summary="PPTP, whose encryption is broken",
    why="PPTP makes its keys of an MS-CHAPv2 login, which is no harder to break than one DES key: "
    "who records a connection finds the password's hash within a day, and reads all of it.",
    source="Microsoft Security Advisory 2743314; RFC 3079 section 3",
    bad=NAT + "allow pptp from lan to hq with helper\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\n",
    since="0.1.0",
)
CONTROL = axes.TCP << 16 | 1723
_CONTROL = Intervals.single(CONTROL)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that says PPTP's port, where GRE follows it outside the gateway's IPsec."""
    for rule in context.allows:
        if says(rule.protocols, CONTROL) and any(
            _carries(context, rule, flow) for flow in passing(context, rule, _CONTROL)
        ):
            yield _tell(rule)
    yield from map(_tell, _forwarded(context))


def _carries(context: Context, rule: Rule, flow: Passing) -> bool:
    """Whether data can follow the login, and nothing else protects it."""
    if flow.ingress.over or flow.egress.over:
        return False
    flows = (flow.sources, flow.destinations, GRE)
    return rule.options.helper or bool(context.permitted(flow.pair, flows))


def _forwarded(context: Context) -> Iterator[Forward]:
    """The forwards that hand PPTP's port to a host which gets its GRE too."""
    saying = [one for one in context.policy.forwards if says(one.protocols, CONTROL)]
    data: dict[tuple[Zone, int], list[Intervals]] = defaultdict(list)
    if not all(one.options.helper for one in saying):
        for forward, entry, sources in handed(context, GRE_CHANNEL):
            data[entry.zone, forward.target].append(sources)
    seen = set()
    for forward, entry, sources in handed(context, CONTROL, saying):
        follows = (sources.overlaps(one) for one in data[entry.zone, forward.target])
        if forward in seen or entry.zone.over is not None:
            continue
        if forward.options.helper or any(follows):
            seen.add(forward)
            yield forward


def _tell(statement: Rule | Forward) -> Diagnostic:
    return Diagnostic(
        RULE,
        "PPTP can be decrypted by whoever records it",
        Label(protocol_word(statement.protocols, CONTROL)),
        help="move to a tunnel whose encryption holds: `ipsec-nat-t`, `wireguard`, `openvpn`",
    )
