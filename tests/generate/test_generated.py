"""Generated policies: read, written and read again; checked; compiled for every target."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable

import pytest
from generator import draft, policy_text, profile, render, untidy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tunnelgate
from tunnelgate.check import check
from tunnelgate.plan import build
from tunnelgate.policy import Policy, resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.syntax.formatting import format_policy
from tunnelgate.target import BUILT_IN, find

COUNT = int(os.environ.get("TUNNELGATE_POLICIES", "40"))
modestly = settings(max_examples=COUNT, suppress_health_check=[HealthCheck.too_slow])
generated = given(st.integers(0, 2**32).map(random.Random))


def read(text: str) -> Policy:
    parsed = parse(SourceFile(text))
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings
    return policy


@modestly
@generated
def test_a_tree_is_what_is_written_of_it(choose: random.Random) -> None:
    given = parse(SourceFile(untidy(draft(choose).text, choose)))
    assert not given.diagnostics
    again = parse(SourceFile(render(given.policy)))
    assert not again.diagnostics
    assert again.policy == given.policy


@modestly
@generated
def test_the_canonical_form_says_the_same_and_is_one(choose: random.Random) -> None:
    given = SourceFile(untidy(draft(choose).text, choose))
    tidy = format_policy(given).text
    assert parse(SourceFile(tidy)).policy == parse(given).policy
    assert format_policy(SourceFile(tidy)).text == tidy


@modestly
@generated
def test_whatever_is_wrong_with_a_draft_has_a_place(choose: random.Random) -> None:
    text = draft(choose).text
    for finding in tunnelgate.check(text, targets=BUILT_IN):
        assert finding.message and finding.primary.span.text
        if finding.fix is not None:
            assert all(edit.span.file.text == text for edit in finding.fix.edits)


@modestly
@generated
def test_the_order_of_statements_never_matters(choose: random.Random) -> None:
    found = draft(choose)
    other = list(found.statements)
    choose.shuffle(other)
    shuffled = type(found)(found.ground, tuple(other))
    # of two statements that collide the later one has the finding, so how many there are may differ
    wrong = [
        {one.rule.code for one in _findings(text) if one.is_error}
        for text in (found.text, shuffled.text)
    ]
    assert wrong[0] == wrong[1]


def _findings(text: str) -> list[tunnelgate.Diagnostic]:
    policy, findings = resolve(parse(SourceFile(text)).policy)
    return list(findings or check(policy))


@pytest.mark.parametrize("target", BUILT_IN)
@modestly
@generated
def test_what_is_not_refused_compiles_and_its_order_makes_no_difference(
    target: str, choose: random.Random
) -> None:
    text = policy_text(choose, like=profile(target))
    plan, one = build(read(text)), find(target)
    if one.refuse(plan):
        return
    head, *statements = text.rpartition("}\n")
    lines = statements[-1].strip().splitlines()
    choose.shuffle(lines)
    again = build(read(head + "}\n" + "\n".join(lines) + "\n"))
    assert one.emit(plan).files == one.emit(again).files


@pytest.mark.parametrize("target", BUILT_IN)
@modestly
@generated
def test_what_check_lets_pass_compiles_and_nothing_else_does(
    target: str, choose: random.Random
) -> None:
    """For a policy without errors, only what a target refuses stands between it and a ruleset."""
    like = profile(target)
    text = policy_text(choose, like=like) if choose.random() < 0.7 else draft(choose).text
    is_right = not any(one.is_error for one in tunnelgate.check(text))
    found = tunnelgate.check(text, [target])
    wrong = [one for one in found if one.is_error]
    assert not is_right or all(one.rule.group == "targets" for one in wrong)
    if wrong:
        with pytest.raises(tunnelgate.PolicyError) as raised:
            tunnelgate.compile(text, target)
        assert _seen(raised.value.diagnostics) == _seen(found)
    else:
        made = tunnelgate.compile(text, target)
        assert made.files and _seen(made.diagnostics) == _seen(found)


def _seen(findings: Iterable[tunnelgate.Diagnostic]) -> list[tuple[str, str, int]]:
    return [(one.rule.code, one.message, one.primary.span.start) for one in findings]
