"""TG306: NAT of IPv6."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import WAN
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity
from tunnelgate.source import Span

_LAN = """\
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
}
allow ssh from lan to gateway
"""
RULE = Rule(
    code="TG306",
    name="nat66",
    severity=Severity.WARNING,
    summary="IPv6 is translated",
    why="IPv6 has addresses for every host, and a filter protects them as well as NAT would. "
    "Translating them brings back what NAT breaks: AH, bare ESP from several hosts, and addresses "
    "inside the payload.",
    source="RFC 4864 section 2; RFC 6296 section 1",
    bad=WAN.replace("203.0.113.1", "203.0.113.1, 2001:db8::1")
    + _LAN
    + "nat ipv6 from lan to wan\n",
    good=WAN + _LAN + "nat from lan to wan\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `nat ipv6`."""
    for nat in context.policy.nats:
        if nat.family == 6:
            found = re.match(r"nat\s+ipv6", nat.span.text)
            end = nat.span.end if found is None else nat.span.start + found.end()
            yield Diagnostic(
                RULE,
                "IPv6 is translated",
                Label(Span(nat.span.file, nat.span.start, end)),
                help="route a prefix of your own to the inside and filter it with `allow`",
            )
