"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tunnelgate.diagnostics import Diagnostic, Fix
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse, parse_flow

#: The policy of the language page.
SAMPLE = (Path(__file__).parents[2] / "examples" / "branch-office" / "branch.tg").read_text(
    encoding="utf-8"
)


def mend(text: str, fix: Fix) -> str:
    """The text after the edits of a fix."""
    for edit in sorted(fix.edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def tell(text: str, findings: tuple[Diagnostic, ...]) -> str:
    """Everything that findings say, one block of lines for each."""
    lines = []
    for finding in findings:
        span = finding.primary.span
        where = f"{span.position.line}:{span.position.column}"
        lines.append(f"{finding.rule.code} {where} [{span.text}] {finding.message}")
        lines += [f"  at [{label.span.text}] {label.text}" for label in finding.labels]
        if finding.help:
            lines.append(f"  help: {finding.help}")
        if finding.fix:
            fixed = mend(text, finding.fix).rstrip("\n").replace("\n", "⏎")
            lines.append(f"  {finding.fix.safety.value}: {fixed}")
    return "\n".join(lines)


@pytest.fixture
def sample() -> str:
    """The policy of the language's own page."""
    return SAMPLE


@pytest.fixture
def told() -> Callable[[str], str]:
    """What a policy's findings say."""
    return lambda text: tell(text, parse(SourceFile(text)).diagnostics)


@pytest.fixture
def told_of_flow() -> Callable[[str], str]:
    """What a question's findings say."""
    return lambda text: tell(text, parse_flow(SourceFile(text))[1])
