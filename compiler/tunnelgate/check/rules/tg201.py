"""TG201: bare ESP from many hosts behind one address to a common peer."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.telling import tell
from tunnelgate.check.words import without_esp
from tunnelgate.diagnostics import Diagnostic, Rule, Safety, Severity

RULE = Rule(
    code="TG201",
    name="esp-from-many-hosts",
    severity=Severity.ERROR,
    summary="bare ESP from many hosts behind NAT",
    why="connection tracking tells ESP apart by its two addresses only; the second host's packets "
    "vanish without an error",
    source="RFC 3715 section 2.1; Linux, measured",
    bad=NAT + "allow esp from lan to hq\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
_HELP = "let it be encapsulated in UDP, which any number of hosts may use"
_HELP_ANY = (
    "leave ESP out, so that hosts fall back on UDP; the second claimant is counted and dropped"
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement by which hosts share a peer."""
    for shared in context.shared(ESP_CHANNEL):
        help = _HELP if shared.claim.named else _HELP_ANY
        fix = without_esp(shared.rule)
        yield tell(context, RULE, shared, ESP_CHANNEL, "bare ESP", help, fix)
