"""What iptables cannot do is refused at its place, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunnelgate.diagnostics import targets as rules
from tunnelgate.plan import Plan
from tunnelgate.target import Layout, Setup
from tunnelgate_targets.iptables import TARGET

Planned = Callable[[str], Plan]

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host box = 192.168.1.10
}
"""
REFUSED = [
    ("TG402", "allow esp from lan to hq with tracking"),
    ("TG402", "forward esp from wan to box with spi 0x100-0x1ff"),
    ("TG404", f'allow ssh from lan to wan with log "{"x" * 30}"'),
    ("TG409", "set antispoof off\nnat from lan to wan"),
    ("TG409", "set antispoof off\nforward tcp/80 from wan to box with hairpin"),
]


@pytest.mark.parametrize(("code", "statement"), REFUSED)
def test_what_is_refused(planned: Planned, code: str, statement: str) -> None:
    found = TARGET.refuse(planned(f"{ZONES}{statement}\n"))
    assert [one.rule.code for one in found] == [code]
    [one] = found
    assert one.help and one.is_error
    span = one.primary.span
    assert span.file.text[span.start : span.end] == statement.splitlines()[-1]


@pytest.mark.parametrize("rule", [rules.TRACKING, rules.TOO_LONG, rules.NAT_NEEDS_NETWORK])
def test_the_examples_of_the_rules(planned: Planned, rule: rules.Rule) -> None:
    assert rule in [one.rule for one in TARGET.refuse(planned(rule.bad))]
    assert TARGET.refuse(planned(rule.good)) == []


@pytest.mark.parametrize(
    "statement",
    [
        f'allow ssh from lan to wan with log "{"x" * 29}"',
        "nat from lan to wan\nforward tcp/80 from wan to box with hairpin",
        "allow esp from lan to hq with single\nnat from lan to wan",
    ],
)
def test_what_is_not(planned: Planned, statement: str) -> None:
    assert TARGET.refuse(planned(f"{ZONES}{statement}\n")) == []


@pytest.mark.parametrize(
    ("statement", "layout", "needed", "before"),
    [
        ("allow ssh from lan to hq with limit 10001/second", "whole", "1.6.1", "1.6.0"),
        ("allow ssh from lan to hq with limit 600001/minute", "whole", "1.6.1", "1.6.0"),
        ("allow ssh from lan to hq", "shared", "1.6.2", "1.6.1"),
        ("allow ssh from lan to hq", "whole", "1.6.0", "1.4.21"),
    ],
)
def test_what_needs_a_newer_version(
    planned: Planned, statement: str, layout: Layout, needed: str, before: str
) -> None:
    plan = planned(f"{ZONES}{statement}\n")
    [one] = TARGET.refuse(plan, Setup(layout, before))
    assert (one.rule, one.message.split()[-1]) == (rules.TOO_OLD, needed)
    span = one.primary.span
    place = span.file.text[span.start : span.end]
    assert place == (statement if "limit" in statement else "wan")
    assert TARGET.refuse(plan, Setup(layout, needed)) == []


@pytest.mark.parametrize("limit", ["10000/second", "600000/minute"])
def test_limits_that_every_version_takes(planned: Planned, limit: str) -> None:
    plan = planned(f"{ZONES}allow ssh from lan to hq with limit {limit}\n")
    assert TARGET.refuse(plan, Setup("whole", "1.6.0")) == []
