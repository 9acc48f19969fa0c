"""Policies as pf gets them: what the tests of the emitter share."""

from __future__ import annotations

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import Plan, build
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import Output, Setup
from tunnelgate_targets.pf import CLASSIC, MODERN

TARGETS = {"pf": MODERN, "pf-classic": CLASSIC}
ZONES = """zone wan {
  interface em0
  address   203.0.113.1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface em1
  network   192.168.1.0/24, fd00:1::/64
  host box   = 192.168.1.10, fd00:1::10
  host alice = 192.168.1.20
}
"""
SITE = """zone site {
  ipsec over wan
  network 10.20.0.0/16
}
"""


def planned(text: str) -> Plan:
    parsed = parse(SourceFile(text, "policy.tg"))
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, (*parsed.diagnostics, *findings)
    return build(policy)


def refused(text: str, target: str = "pf", setup: Setup | None = None) -> list[Diagnostic]:
    return TARGETS[target].refuse(planned(text), setup or Setup())


def output(text: str, target: str = "pf", layout: str = "whole") -> Output:
    setup = Setup("shared" if layout == "shared" else "whole")
    plan = planned(text)
    assert not TARGETS[target].refuse(plan, setup)
    return TARGETS[target].emit(plan, setup)


def lines(text: str, target: str = "pf", layout: str = "whole") -> list[str]:
    """The lines of the ruleset that say something."""
    files = output(text, target, layout).files
    (ruleset,) = (made for name, made in files.items() if name != "sysctl.conf")
    return [line for line in ruleset.splitlines() if line and not line.startswith("#")]
