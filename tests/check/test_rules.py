"""Every rule: its two examples, its page, and the fix of its example."""

from __future__ import annotations

import pytest

from tunnelgate.check.rules import RULES
from tunnelgate.diagnostics import Rule

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


@every_rule
def test_the_bad_example_has_the_finding(rule: Rule, check_text) -> None:
    found = [one for one in check_text(rule.bad, rule.files) if one.rule is rule]
    assert found
    assert found[0].severity is rule.severity


@every_rule
def test_the_good_example_has_not(rule: Rule, codes) -> None:
    assert rule.code not in codes(rule.good, rule.files)


@every_rule
def test_the_good_example_has_no_error(rule: Rule, codes) -> None:
    assert "error" not in codes(rule.good, rule.files).values()


@every_rule
def test_the_fix_mends_the_bad_example(rule: Rule, check_text, codes, apply_fix) -> None:
    for finding in check_text(rule.bad, rule.files):
        if finding.rule is rule and finding.fix is not None:
            assert rule.code not in codes(apply_fix(rule.bad, finding.fix))


@every_rule
def test_messages_follow_the_house_style(rule: Rule, check_text) -> None:
    for one in check_text(rule.bad, rule.files):
        for text in (one.message, one.help):
            assert text, one.rule.code
            assert not text.endswith(".")
            assert "\n" not in text


def test_codes_and_names_are_given_once() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert [rule.code for rule in RULES] == sorted(rule.code for rule in RULES)
