"""Every example: it has no error, its expectations hold, and its output is what is committed.

`TUNNELGATE_GOLDEN=write pytest tests/examples` writes the output anew; `git diff` is the review.
The manifest is left out: it names the version of tunnelgate. Where a target refuses an example,
`refused.txt` stands in the place of its files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate import config
from tunnelgate.cli.main import main
from tunnelgate.diagnostics.render import render
from tunnelgate.target import BUILT_IN

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Folders whose content other tests run.
ELSEWHERE = {"broken", "ansible", "fleet"}
#: A policy that is wrong on purpose, beside one that is right.
WRONG = "broken.tg"
TOPICS = sorted(
    folder.name for folder in EXAMPLES.iterdir() if folder.is_dir() and folder.name not in ELSEWHERE
)
REFUSED = "refused.txt"
WRITES = os.environ.get("TUNNELGATE_GOLDEN") == "write"


def policy_of(topic: str) -> Path:
    (policy,) = (file for file in (EXAMPLES / topic).glob("*.tg") if file.name != WRONG)
    return policy


def output_of(topic: str, target: str) -> Mapping[str, str]:
    """The files of an example; where its target refuses it, what it says in their place."""
    found = config.find(EXAMPLES / topic)
    own = config.interpret(found) if found else config.Config()
    layout, policy = own.layout or "whole", policy_of(topic)
    setup = {"layout": layout, "versions": own.versions}
    try:
        return tunnelgate.compile(policy, target, policy.name, **setup).files
    except tunnelgate.PolicyError as error:
        refused = [one for one in error.diagnostics if one.is_error]
        assert all(one.rule.group == "targets" for one in refused)
        return {REFUSED: render("concise", refused)}


@pytest.mark.parametrize("topic", TOPICS)
def test_has_no_error_and_keeps_its_expectations(topic: str) -> None:
    policy = policy_of(topic)
    assert tunnelgate.load(policy).expects
    findings = tunnelgate.check(policy)
    assert not [str(finding) for finding in findings if finding.is_error]


def test_every_warning_in_them_is_meant(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Advice too: what is found about an example is mended, or silenced by a comment that says why.

    Of the targets nftables alone is asked: others refuse what they cannot do.
    """
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    policies = [policy_of(topic) for topic in TOPICS]
    policies += sorted((EXAMPLES / "ansible" / "policies").glob("*.tg"))
    flags = ["--format", "concise", "--fail-level", "advice", "--target", "nftables"]
    code = main(["check", *flags, *map(str, policies)])
    assert (code, capsys.readouterr().out) == (0, "")


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("topic", TOPICS)
def test_output_is_what_is_committed(topic: str, target: str) -> None:
    files = output_of(topic, target)
    folder = EXAMPLES / topic / "expected" / target
    if WRITES:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in {file.name for file in folder.iterdir()} - set(files):
            (folder / stale).unlink()
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
    assert sorted(file.name for file in folder.iterdir()) == sorted(files)
    for name, text in files.items():
        assert (folder / name).read_bytes() == text.encode(), f"{folder / name} is not up to date"


@pytest.mark.parametrize("topic", TOPICS)
def test_tells_its_story(topic: str) -> None:
    story = (EXAMPLES / topic / "README.md").read_text("utf-8")
    assert policy_of(topic).name in story
    assert "tunnelgate compile" in story
    assert f"examples/{topic}/expected/nftables" in story or "expected/nftables" in story


def test_wrong_sibling_shows_what_it_says() -> None:
    policy = EXAMPLES / "branch-office" / WRONG
    announced = [
        line.split("#")[1].split(":")[0].strip()
        for line in policy.read_text("utf-8").splitlines()
        if line.lstrip().startswith("# TG")
    ]
    findings = tunnelgate.check(policy)
    assert announced
    assert sorted({finding.rule.code for finding in findings}) == sorted(set(announced))
