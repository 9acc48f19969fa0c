"""Whole findings, from findings.toml: what a reader sees of each, and what its fix makes of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

DATA = tomllib.loads(Path(__file__).with_name("findings.toml").read_text("utf-8"))
every_case = pytest.mark.parametrize(
    "case", DATA["case"], ids=lambda case: f"{case['code']}: {case['message']}"
)


def policy(case: dict[str, Any]) -> str:
    """The zones that all cases share, and the statements of one."""
    zones: str = DATA["zones"]
    statements: str = case["statements"]
    return zones + statements


@every_case
def test_whole_finding(case: dict[str, Any], check_text, told) -> None:
    text = policy(case)
    finding = next(one for one in check_text(text) if one.rule.code == case["code"])
    seen = told(text, finding)
    assert seen.severity == case["severity"]
    assert seen.message == case["message"]
    assert list(seen.primary) == case["at"]
    assert [list(label) for label in seen.labels] == case.get("labels", [])
    assert seen.help == case["help"]
    assert list(seen.fixed) == case.get("fixed", [])


@every_case
def test_the_fix_takes_the_finding_away(case: dict[str, Any], check_text, apply_fix) -> None:
    text = policy(case)
    found = [one for one in check_text(text) if one.rule.code == case["code"]]
    assert (found[0].fix is not None) is ("fixed" in case)
    if found[0].fix is not None:
        after = check_text(apply_fix(text, found[0].fix))
        assert len([one for one in after if one.rule.code == case["code"]]) < len(found)
