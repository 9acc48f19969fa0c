"""What the tests of this target share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tunnelgate.plan import Plan, build
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate_targets.iptables import TARGET


def _planned(text: str) -> Plan:
    parsed = parse(SourceFile(text, "policy.tg"))
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, (*parsed.diagnostics, *findings)
    return build(policy)


@pytest.fixture(scope="session")
def planned() -> Callable[[str], Plan]:
    """The plan of a policy's text, which has no findings of reading."""
    return _planned


@pytest.fixture(scope="session")
def emitted() -> Callable[[str], Mapping[str, str]]:
    """The files of a policy's text."""
    return lambda text: TARGET.emit(_planned(text)).files
