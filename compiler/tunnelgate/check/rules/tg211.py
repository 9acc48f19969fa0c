"""TG211: ESP of a host that gets it by SPI goes another way too."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check import apart
from tunnelgate.check.context import Context
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import protocol_word
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity

RULE = Rule(
    code="TG211",
    name="esp-past-its-spi",
    severity=Severity.ERROR,
    summary="ESP of a host that gets it by SPI goes another way too",
    why="A host that gets ESP by SPI has connections of its own, in a conntrack zone: what arrives "
    "is told by peer, address and SPI, what leaves by host and peer. What the same peers send it "
    "another way, or what it sends them as another address, is answered where nobody knows it.",
    source="Linux, measured (targets page, Portless protocols)",
    bad=NAT
    + "allow ipsec-nat-t from alice, bob to wan\n"
    + "forward esp from wan to alice with spi 0x1000-0x1fff\nallow esp from hq to alice\n",
    good=NAT
    + "allow ipsec-nat-t from alice, bob to wan\n"
    + "forward esp from wan to alice with spi 0x1000-0x1fff\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement that takes ESP of such a host past its forward, once for each host."""
    told = set()
    for one in apart.past(context):
        forward = one.own.forward
        if (one.statement, forward.target) in told:
            continue
        told.add((one.statement, forward.target))
        word = protocol_word(one.statement.protocols, ESP_CHANNEL)
        whom = context.describe(one.peers)
        yield Diagnostic(
            RULE,
            f"ESP of `{forward.host.name}` with {whom} {one.how}",
            Label(word),
            () if one.statement is forward else (Label(forward.span, "gets it by SPI"),),
            help="leave these peers or this host out, or let `forward … with spi` be the only way",
            milder=None if ESP_CHANNEL in one.statement.protocols.named else Severity.ADVICE,
        )
