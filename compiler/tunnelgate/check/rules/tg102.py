"""TG102: AH forwarded to a host behind the gateway."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.portless import AH_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word, replace_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Safety, Severity

RULE = Rule(
    code="TG102",
    name="ah-forwarded",
    severity=Severity.ERROR,
    summary="AH is forwarded through destination NAT",
    why="AH authenticates the addresses of the packet: the host behind the gateway sees its own "
    "address where the sender wrote the gateway's, and drops the packet.",
    source="RFC 4302 section 3.3.3.1.1.1; RFC 3715 section 2.1",
    bad=NAT + "forward ipsec-nat-t, ah from hq to alice\nallow ipsec-nat-t from lan to wan\n",
    good=NAT + "forward ipsec-nat-t from hq to alice\nallow ipsec-nat-t from lan to wan\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_REPLACEABLE = frozenset({"ah", "ipsec-ah", "ip/51"})


def check(context: Context) -> Iterator[Diagnostic]:
    """Each forward that names AH."""
    for forward in context.policy.forwards:
        if AH_CHANNEL not in forward.protocols.named:
            continue
        word = protocol_word(forward.protocols, AH_CHANNEL)
        yield Diagnostic(
            RULE,
            f"`{word.text}` cannot be forwarded",
            Label(word, "its integrity check covers the addresses"),
            (Label(forward.host_span, "rewritten to this host's address"),),
            help="forward ESP in UDP, or give the host an address of its own outside",
            fix=replace_word(word, "ipsec-nat-t") if word.text in _REPLACEABLE else None,
        )
