"""The examples of the rules about targets: one is refused by some target, the other by none."""

from __future__ import annotations

import pytest

import tunnelgate
from tunnelgate.diagnostics import Rule
from tunnelgate.diagnostics.targets import RULES
from tunnelgate.target import BUILT_IN


def codes(text: str, rule: Rule) -> set[str]:
    findings = tunnelgate.check(text, targets=tuple(BUILT_IN), versions=dict(rule.versions))
    return {finding.rule.code for finding in findings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples(rule: Rule) -> None:
    assert rule.code in codes(rule.bad, rule)
    assert not {code for code in codes(rule.good, rule) if code.startswith("TG4")}
