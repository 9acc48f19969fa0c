"""Policies of a few lines to check, and their findings taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest

from tunnelgate.check import check
from tunnelgate.diagnostics import Diagnostic, Fix
from tunnelgate.policy import Policy, resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax.parser import parse

Files = Iterable[tuple[str, str]]
Check = Callable[..., list[Diagnostic]]
Codes = Callable[..., dict[str, str]]
Apply = Callable[[str, Fix], str]


class Told(NamedTuple):
    """Everything of a finding that a reader sees, the underlined texts instead of the spans."""

    severity: str
    message: str
    primary: tuple[str, str]
    labels: tuple[tuple[str, str], ...]
    help: str
    fixed: tuple[str, ...]


class Shelf:
    """The files that a policy may name, by name: a library that reads no disk."""

    def __init__(self, files: Files) -> None:
        self._files = {name: SourceFile(text, name, library=self) for name, text in files}
        self.asked: dict[str, SourceFile] = {}

    def read(self, name: str) -> SourceFile:
        self.asked[name] = self._files[name]
        return self._files[name]


def _policy(text: str, files: Files = ()) -> Policy:
    policy, findings = resolve(parse(SourceFile(text, "policy.tg", library=Shelf(files))).policy)
    assert findings == (), [one.message for one in findings]
    return policy


def _check(text: str, files: Files = ()) -> list[Diagnostic]:
    return check(_policy(text, files))


def _codes(text: str, files: Files = ()) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in _check(text, files):
        worst = found.get(one.rule.code)
        if worst is None or one.is_error:
            found[one.rule.code] = one.severity.value
    return found


def _apply(text: str, fix: Fix) -> str:
    for edit in sorted(fix.edits, key=lambda one: one.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _told(text: str, finding: Diagnostic) -> Told:
    fixed = _apply(text, finding.fix) if finding.fix else text
    before = text.splitlines()
    return Told(
        finding.severity.value,
        finding.message,
        (finding.primary.span.text, finding.primary.text),
        tuple((label.span.text, label.text) for label in finding.labels),
        finding.help,
        tuple(line for line in fixed.splitlines() if line not in before),
    )


@pytest.fixture(scope="session")
def policy_of() -> Callable[[str], Policy]:
    """Resolves a policy that has nothing wrong so far."""
    return _policy


@pytest.fixture(scope="session")
def check_text() -> Check:
    """All findings of the checks about a policy."""
    return _check


@pytest.fixture(scope="session")
def codes() -> Codes:
    """The codes found in a policy, each with its worst severity."""
    return _codes


@pytest.fixture(scope="session")
def apply_fix() -> Apply:
    """The text that a fix makes of a policy."""
    return _apply


@pytest.fixture(scope="session")
def told() -> Callable[[str, Diagnostic], Told]:
    """What a reader sees of a finding; a fix as the lines that are new with it."""
    return _told
