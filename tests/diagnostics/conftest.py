"""Findings to render: single ones by a builder, whole cases from golden/<case>/."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Rule, Safety, Severity
from tunnelgate.source import SourceFile, Span

GOLDEN = Path(__file__).parent / "golden"

RULE: dict[str, Any] = {
    "code": "TG201",
    "name": "esp-from-many-hosts",
    "summary": "bare ESP from many hosts behind NAT",
    "why": "Connection tracking tells ESP apart by its two addresses only.",
    "source": "RFC 3948 section 1; Linux, measured",
    "bad": "allow esp from lan to hq\n",
    "good": "allow ipsec-nat-t from lan to hq\n",
    "fixes": tuple(Safety),
    "since": "0.1.0",
}


@pytest.fixture
def make_rule() -> Callable[..., Rule]:
    """Makes a rule of the fields that matter to a test."""

    def make(**fields: Any) -> Rule:
        return Rule(**{"severity": Severity.ERROR, **RULE, **fields})

    return make


@pytest.fixture
def make_finding(make_rule: Callable[..., Rule]) -> Callable[..., Diagnostic]:
    """Makes a finding about the whole of a text."""

    def make(
        message: str = "m", text: str = "allow", path: str = "p.tg", **more: Any
    ) -> Diagnostic:
        severity = more.pop("severity", Severity.ERROR)
        place = Label(SourceFile(text, path).span(0, len(text)))
        return Diagnostic(make_rule(severity=severity), message, place, **more)

    return make


@pytest.fixture
def apply_fix() -> Callable[[str, Fix], str]:
    """The text that a fix makes of a file."""

    def apply(text: str, fix: Fix) -> str:
        for edit in sorted(fix.edits, key=lambda one: one.span.start, reverse=True):
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
        return text

    return apply


@pytest.fixture
def load_case() -> Callable[[Path], list[Diagnostic]]:
    """Reads the findings of a golden case."""
    return _load_case


def _load_case(folder: Path) -> list[Diagnostic]:
    """The findings of `findings.toml`, whose places are texts of the `.tg` files beside it."""
    data = tomllib.loads((folder / "findings.toml").read_text("utf-8"))
    files = {
        path.stem: SourceFile(path.read_bytes().decode(), path.name) for path in folder.glob("*.tg")
    }
    rule = {**RULE, **data.get("rule", {})}
    return [_finding(row, rule, files) for row in data["finding"]]


def _finding(row: dict[str, Any], rule: dict[str, Any], files: dict[str, SourceFile]) -> Diagnostic:
    def label(place: dict[str, Any]) -> Label:
        return Label(_span(place, files), place.get("text", ""))

    edits = tuple(Edit(_span(edit, files), edit["text"]) for edit in row.get("fix", []))
    return Diagnostic(
        Rule(severity=Severity(row.get("severity", "error")), **rule),
        row["message"],
        label(row["primary"]),
        tuple(map(label, row.get("labels", []))),
        why=row.get("why", ""),
        help=row.get("help", ""),
        fix=Fix(edits) if edits else None,
    )


def _span(place: dict[str, Any], files: dict[str, SourceFile]) -> Span:
    """`at`: that text; `after`: the empty span behind it; `nth`: which of several, from 1."""
    file = files[place.get("file", "policy")]
    wanted: str = place["at"] if "at" in place else place["after"]
    start = -1
    for _ in range(place.get("nth", 1)):
        start = file.text.index(wanted, start + 1)
    end = start + len(wanted)
    return file.span(start, end) if "at" in place else file.span(end, end)
