"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunnelgate.diagnostics import Diagnostic, Fix
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse, parse_flow

SAMPLE = """\
## Branch office gateway. Doc comments (##) travel into the report.
gateway branch

zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host  hq       = 192.0.2.10, 2001:db8:51::10
  group partners = 198.51.100.0/24
}

zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host concentrator = 192.168.1.10
  host alice        = 192.168.1.20
}

zone hq-net {
  ipsec over wan                 # packets the gateway's own IPsec protects
  network 10.20.0.0/16
}

nat from lan to wan              # masquerade; `as 203.0.113.1` for a fixed address

allow   ssh         from lan to gateway
allow   ipsec-nat-t from lan to wan
allow   pptp        from lan to wan   with helper
forward ipsec       from partners to concentrator
allow   ipsec       from hq to gateway
allow   any         from lan to hq-net
allow   any         from hq-net to lan
deny    tcp/25      from lan to wan   with log

expect allow ike from alice to hq
expect deny  ah  from alice to hq
expect esp from 198.51.100.200 to 203.0.113.1 reaches concentrator
expect ike from alice to hq leaves as 203.0.113.1
"""


def mend(text: str, fix: Fix) -> str:
    """The text after the edits of a fix."""
    for edit in sorted(fix.edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def tell(text: str, findings: tuple[Diagnostic, ...]) -> str:
    """Everything that findings say, one block of lines for each."""
    lines = []
    for finding in findings:
        span = finding.primary.span
        where = f"{span.position.line}:{span.position.column}"
        lines.append(f"{finding.rule.code} {where} [{span.text}] {finding.message}")
        lines += [f"  at [{label.span.text}] {label.text}" for label in finding.labels]
        if finding.help:
            lines.append(f"  help: {finding.help}")
        if finding.fix:
            fixed = mend(text, finding.fix).rstrip("\n").replace("\n", "⏎")
            lines.append(f"  {finding.fix.safety.value}: {fixed}")
    return "\n".join(lines)


@pytest.fixture
def sample() -> str:
    """The policy of the language's own page."""
    return SAMPLE


@pytest.fixture
def told() -> Callable[[str], str]:
    """What a policy's findings say."""
    return lambda text: tell(text, parse(SourceFile(text)).diagnostics)


@pytest.fixture
def told_of_flow() -> Callable[[str], str]:
    """What a question's findings say."""
    return lambda text: tell(text, parse_flow(SourceFile(text))[1])
