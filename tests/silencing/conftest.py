"""Policies with comments that silence, and what is left of their findings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tunnelgate.check import check
from tunnelgate.policy import resolve
from tunnelgate.silencing import Silenced, Trust, silence
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

#: One line a finding: TG607 (warning) of an `allow … to v6`, TG101 (error) of an `allow ah`.
ZONES = """\
zone wan { interface eth0 }
zone lan {
  interface eth1
  network   192.168.1.0/24
}
zone v6 {
  interface eth2
  network   2001:db8:9::/48
}
nat from lan to wan
allow ntp from lan to wan
allow ssh from lan, v6 to gateway
"""
TODAY = date(2026, 5, 31)

Review = Callable[..., Silenced]


def _review(
    statements: str, trust: Trust | None = None, was_run: Callable[[str], bool] = lambda _: True
) -> Silenced:
    parsed = parse(SourceFile(ZONES + statements, "p.tg"))
    policy, unresolved = resolve(parsed.policy)
    findings = [*parsed.diagnostics, *unresolved, *check(policy)]
    return silence(findings, policy.files, TODAY, was_run, trust)


@pytest.fixture(scope="session")
def review() -> Review:
    """Checks statements below zones, and silences what their comments say."""
    return _review


@pytest.fixture(scope="session")
def codes() -> Callable[[str], tuple[list[str], list[str]]]:
    """The codes that are left of the findings of statements, and those that are silenced."""

    def parted(statements: str) -> tuple[list[str], list[str]]:
        found = _review(statements)
        return tuple(sorted(one.rule.code for one in part) for part in (found.left, found.silenced))

    return parted
