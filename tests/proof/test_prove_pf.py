"""Emitted rulesets of pf mean their policies, and the proof notices when they do not."""

from __future__ import annotations

from random import Random

import pytest
from generator import policy_text
from judge import policy_of, without_refused
from test_judge import EXAMPLES, MIXTURE, SABOTAGE

from tunnelgate.plan import build
from tunnelgate.policy import Policy
from tunnelgate.proof import prove, refutations
from tunnelgate.source import SourceFile
from tunnelgate.target import Layout, Setup, find

TARGETS = ["pf", "pf-classic"]


def proves(policy: Policy, target: str, layout: Layout = "whole") -> bool:
    found, setup = find(target), Setup(layout)
    files = found.emit(build(policy), setup).files
    return prove(policy, found, files, setup) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize("target", TARGETS)
def test_examples_are_proved(target: str, layout: Layout) -> None:
    for path in EXAMPLES:
        assert proves(policy_of(without_refused(SourceFile.read(path), target)), target, layout)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", [0, 1, 2, 83])
def test_policies_made_up_are_proved(seed: int, target: str) -> None:
    assert proves(policy_of(without_refused(policy_text(Random(seed)), target)), target)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SABOTAGE)
def test_one_wrong_word_is_refuted(name: str, target: str) -> None:
    policy, found = policy_of(MIXTURE), find(target)
    text = SABOTAGE[name](found.emit(build(policy)).files["pf.conf"])
    assert any(refutations(policy, found.read({"pf.conf": text})))  # type: ignore[attr-defined]
