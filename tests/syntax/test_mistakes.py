"""Each mistake is told once, at its place, in the reader's words: `mistakes.txt` says how."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tunnelgate.diagnostics import Diagnostic, Fix
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

CASES = Path(__file__).with_name("mistakes.txt")


def cases() -> list[tuple[str, str]]:
    """The policies of the file, and what is told of each."""
    found = []
    for block in CASES.read_text(encoding="utf-8").split("\n>>> ")[1:]:
        lines = block.rstrip("\n").split("\n")
        policy = [lines.pop(0)]
        while lines and lines[0].startswith("..."):
            policy.append(lines.pop(0)[4:])
        found.append(("\n".join(policy), "\n".join(lines)))
    return found


@pytest.mark.parametrize(("policy", "expected"), cases())
def test_mistake(told: Callable[[str], str], policy: str, expected: str) -> None:
    assert told(policy) == expected


POLICIES = [policy for policy, _ in cases()]


@pytest.mark.parametrize("policy", POLICIES)
def test_messages_follow_the_style(policy: str) -> None:
    """One clause that begins in lowercase, without a full stop, without names of tokens."""
    for finding in findings(policy):
        for message in (finding.message, finding.help):
            assert not message.endswith((".", "!"))
            assert message[:1] == message[:1].lower()
            assert not re.search(r"\b_?(FROM|COMMA|NAME|LITERAL|END)\b|Token|\$", unquoted(message))


@pytest.mark.parametrize("policy", POLICIES)
def test_fixes_mend(policy: str) -> None:
    """After its fix a finding is gone, and no line before it is the worse for it."""
    before = findings(policy)
    for finding in before:
        if finding.fix is not None:
            after = findings(mend(policy, finding.fix))
            places = [(found.message, found.primary.span.start) for found in after]
            assert (finding.message, finding.primary.span.start) not in places
            assert len(after) <= len(before)


def findings(policy: str) -> tuple[Diagnostic, ...]:
    return parse(SourceFile(policy)).diagnostics


def mend(text: str, fix: Fix) -> str:
    for edit in sorted(fix.edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def unquoted(message: str) -> str:
    return re.sub("`[^`]*`", "", message)


HARD_TO_SEE = {
    "allow esp from\u00a0a to b": """\
TG001 1:15 [\u00a0] unexpected character U+00A0 (no-break space)
  help: write a blank
  safe: allow esp from a to b""",
    'allow esp from a to b with log "x\ty"': """\
TG001 1:32 ["x\ty"] a string may not hold a tab
  help: write blanks""",
    f"allow {'a' * 100}! from b to c": f"""\
TG001 1:7 [{"a" * 100}!] `{"a" * 40}…` is no name
  help: a name is a letter, then letters, digits, `_`, and `-` between letters or digits""",
}


@pytest.mark.parametrize(("policy", "expected"), HARD_TO_SEE.items())
def test_mistake_that_is_hard_to_see(
    told: Callable[[str], str], policy: str, expected: str
) -> None:
    assert told(policy) == expected


def test_one_finding_a_line(told: Callable[[str], str]) -> None:
    """Two mistakes in one line are one finding: what stands behind the first is guesswork."""
    assert told("allow esp form lan too hq").count("TG001") == 1


QUESTIONS = {
    "esp from alice": """\
TG001 1:15 [] expected `to` after the source
  help: a question is written `PROTOCOL from PLACE to PLACE`""",
    "": """\
TG001 1:1 [] expected a protocol
  help: a question is written `PROTOCOL from PLACE to PLACE`""",
    "esp form alice to hq": """\
TG001 1:5 [form] expected `from` after the protocol
  help: did you mean `from`?
  unsafe: esp from alice to hq""",
    "esp from alice to hq\r\n": """\
TG003 1:21 [\r] the lines end as on Windows, with a carriage return
  help: convert them with `dos2unix` or `sed -i 's/\\r$//'`, and tell the editor
  safe: esp from alice to hq""",
    "esp from alice to hq\nesp from bob to hq": """\
TG001 2:1 [esp] unexpected `esp` after the destination
  help: a question is written `PROTOCOL from PLACE to PLACE`""",
}


@pytest.mark.parametrize(("question", "expected"), QUESTIONS.items())
def test_question(told_of_flow: Callable[[str], str], question: str, expected: str) -> None:
    assert told_of_flow(question) == expected
