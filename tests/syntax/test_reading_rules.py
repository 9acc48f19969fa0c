"""The examples of the rules about reading: the bad one has the finding, the good one has none."""

from __future__ import annotations

import pytest

from tunnelgate.diagnostics import Rule
from tunnelgate.diagnostics.reading import RULES, UNREADABLE
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse_with_includes


def codes(text: str) -> list[str]:
    return [finding.rule.code for finding in parse_with_includes(SourceFile(text)).diagnostics]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples(rule: Rule) -> None:
    assert codes(rule.good) == []
    assert codes(rule.bad) == [rule.code] or rule is UNREADABLE


def test_codes_are_in_order() -> None:
    assert [rule.code for rule in RULES] == ["TG001", "TG002", "TG003", "TG004", "TG016"]
