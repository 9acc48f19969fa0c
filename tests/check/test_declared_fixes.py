"""A rule declares how safe its fixes are: no other kind is offered, and each of them is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.diagnostics import Rule, Safety, catalogue
from tunnelgate.target import BUILT_IN

TESTS = Path(__file__).parents[1]


def policies() -> list[str]:
    """What has findings: examples of rules, whole findings, and the mistakes that people make."""
    cases = tomllib.loads((TESTS / "check/findings.toml").read_text("utf-8"))
    mistakes = (TESTS / "syntax/mistakes.txt").read_text("utf-8").split("\n>>> ")[1:]
    return [
        *(rule.bad for rule in catalogue.rules().values()),
        *(cases["zones"] + case["statements"] for case in cases["case"]),
        *(block.replace("\n... ", "\n").partition("\nTG")[0] for block in mistakes),
        "zone wan { interface eth0 }\r\n",
        "zone wan { interface eth0 }\nallow ssh from wan to gateway with lgo\n",
        'param spot : name = "wan"\nzone wan { interface eth0 }\nallow ssh from $spt to gateway\n',
    ]


@pytest.fixture(scope="module")
def offered() -> dict[Rule, set[Safety]]:
    found: dict[Rule, set[Safety]] = {rule: set() for rule in catalogue.rules().values()}
    for text in policies():
        for finding in tunnelgate.check(text, targets=tuple(BUILT_IN)):
            if finding.fix is not None:
                found[finding.rule].add(finding.fix.safety)
    return found


@pytest.mark.parametrize("code", catalogue.rules())
def test_what_is_declared_is_offered(code: str, offered: dict[Rule, set[Safety]]) -> None:
    rule = catalogue.rules()[code]
    assert set(rule.fixes) == offered[rule]
    assert len(set(rule.fixes)) == len(rule.fixes)


@pytest.mark.parametrize("code", catalogue.rules())
def test_it_is_of_a_version_that_is_or_will_be(code: str) -> None:
    def parts(version: str) -> list[int]:
        return [int(part) for part in version.split(".")]

    assert parts(catalogue.rules()[code].since) <= parts(tunnelgate.__version__)
