"""Each built-in target answers for each case; a target is a folder of answers beside this file.

`TUNNELGATE_GOLDEN=write pytest tests/targets/conformance` writes them anew; `git diff` is the
review.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate import conformance
from tunnelgate.conformance import Case
from tunnelgate.plan import Feature
from tunnelgate.target import BUILT_IN, find

HERE = Path(__file__).parent
WRITES = os.environ.get("TUNNELGATE_GOLDEN") == "write"


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("case", conformance.CASES, ids=str)
def test_a_target_conforms(case: Case, target: str) -> None:
    if WRITES:
        conformance.write(find(target), case, HERE / target)
    assert conformance.problems(find(target), case, HERE / target) == []


@pytest.mark.parametrize("target", BUILT_IN)
def test_there_is_no_answer_without_a_case(target: str) -> None:
    names = {case.name for case in conformance.CASES}
    assert {path.name for path in (HERE / target).iterdir()} == names


@pytest.mark.parametrize("case", conformance.CASES, ids=str)
def test_a_case_is_a_policy_without_errors(case: Case) -> None:
    assert not [str(one) for one in tunnelgate.check(case.text) if one.is_error]


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
def test_each_feature_is_set_where_it_is_asked_for_and_nowhere_else(feature: Feature) -> None:
    [case] = (one for one in conformance.CASES if one.feature is feature)
    [origin] = case.plan.features[feature]
    assert origin.span.file.text == case.text
    assert case.before is not None
    assert feature not in case.before[0].features
