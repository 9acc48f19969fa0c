"""What is common to the formats, and what the machine formats promise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Rule, Safety, Severity
from tunnelgate.diagnostics.render import FORMATS, Options, render, renderer
from tunnelgate.diagnostics.render.summary import counts, summary

ROOT = Path(__file__).parents[2]
CASES = sorted((Path(__file__).parent / "golden").iterdir())
Finding = Callable[..., Diagnostic]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas/findings.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_json_keeps_its_contract(
    case: Path, load_case: Callable[[Path], list[Diagnostic]], validator: Draft202012Validator
) -> None:
    validator.validate(json.loads(render("json", load_case(case))))


def test_json_without_findings(validator: Draft202012Validator) -> None:
    document = json.loads(render("json", []))
    validator.validate(document)
    assert document == {
        "version": 1,
        "findings": [],
        "summary": {"errors": 0, "warnings": 0, "advice": 0, "silenced": 0},
        "gateways": [],
    }


def _objects(schema: Any) -> list[dict[str, Any]]:
    """All parts of a schema that describe an object."""
    parts = schema.values() if isinstance(schema, dict) else schema
    below = [found for part in parts if isinstance(part, dict | list) for found in _objects(part)]
    return (
        [schema, *below] if isinstance(schema, dict) and schema.get("type") == "object" else below
    )


def test_schema_is_closed_and_complete(validator: Draft202012Validator) -> None:
    for part in _objects(validator.schema):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


def test_json_is_safe_on_a_terminal_and_exact(make_finding: Finding) -> None:
    message = "\x1b[2J \u202e \u2028 \ud800 東"
    text = render("json", [make_finding(message)])
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["findings"][0]["message"] == message


def test_json_says_how_safe_a_fix_is(make_finding: Finding) -> None:
    plain = make_finding()
    edit = Edit(plain.primary.span, "deny")
    [found] = json.loads(render("json", [make_finding(fix=Fix((edit,), Safety.UNSAFE))]))[
        "findings"
    ]
    assert found["fix"]["safety"] == "unsafe"
    assert [row["text"] for row in found["fix"]["edits"]] == ["deny"]


@pytest.mark.parametrize(
    ("severity", "command"),
    list(zip(Severity, ("error", "warning", "notice"), strict=True)),
)
def test_github_commands(severity: Severity, command: str, make_finding: Finding) -> None:
    assert render("github", [make_finding(severity=severity)]).startswith(f"::{command} ")


def test_github_escapes_as_the_toolkit_does(make_finding: Finding) -> None:
    finding = make_finding("50%, a:b\r\n%0A ::stop-commands::x\x1b", path="a,b:c%\n.tg")
    assert render("github", [finding]) == (
        "::error file=a%2Cb%3Ac%25%0A.tg,line=1,col=1,endLine=1,endColumn=6,"
        "title=TG201 esp-from-many-hosts"
        "::50%25, a:b%0D%0A%250A ::stop-commands::x<U+001B>\n"
    )


def test_github_shows_the_worst_first(make_finding: Finding) -> None:
    findings = [
        make_finding(f"{severity.value} {path}", path=path, severity=severity)
        for path in ("b.tg", "a.tg")
        for severity in reversed(Severity)
    ]
    messages = [line.rpartition("::")[2] for line in render("github", findings).splitlines()]
    assert messages == [
        f"{severity.value} {path}" for severity in Severity for path in ("a.tg", "b.tg")
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_findings_are_sorted_in_one_place(format: str, make_finding: Finding) -> None:
    findings = [make_finding(path=path) for path in ("b.tg", "c.tg", "a.tg")]
    expected = renderer(format)([findings[2], findings[0], findings[1]])
    assert render(format, iter(findings)) == expected
    assert [finding.primary.span.file.path for finding in findings] == ["b.tg", "c.tg", "a.tg"]


@pytest.mark.parametrize("format", ["full", "concise", "github"])
def test_no_findings_is_no_text(format: str) -> None:
    assert render(format, []) == ""


def test_unknown_format() -> None:
    with pytest.raises(KeyError):
        renderer("html")


@pytest.mark.parametrize(
    ("errors", "warnings", "advice", "expected"),
    [
        (0, 0, 0, "no findings"),
        (2, 1, 0, "2 errors, 1 warning"),
        (1, 0, 3, "1 error, 3 advice"),
    ],
)
def test_summary(
    errors: int, warnings: int, advice: int, expected: str, make_finding: Finding
) -> None:
    numbers = zip(Severity, (errors, warnings, advice), strict=True)
    findings = [make_finding(severity=severity) for severity, n in numbers for _ in range(n)]
    assert summary(findings) == expected
    assert summary(findings, silenced=2) == f"{expected} (2 silenced)"
    assert counts(findings) == {"errors": errors, "warnings": warnings, "advice": advice}


def test_a_milder_finding_shows_its_own_severity(make_finding: Finding) -> None:
    finding = make_finding(milder=Severity.ADVICE)
    assert render("concise", [finding]) == "p.tg:1:1: advice[TG201] m\n"
    assert render("full", [finding]).startswith("advice[TG201]: m\n")


def test_the_reason_in_this_case_replaces_the_general_one(
    make_finding: Finding, make_rule: Callable[..., Rule]
) -> None:
    text = render("full", [make_finding(why="two hosts share one address.")])
    assert "= why: two hosts share one address (RFC 3948 section 1; Linux, measured)\n" in text
    assert make_rule().why not in text


@pytest.mark.parametrize("width", [1, 40, 60, 100, 200])
def test_notes_keep_to_the_width(width: int, make_finding: Finding) -> None:
    finding = make_finding(why="word " * 100, help="言葉 " * 100)
    lines = render("full", [finding], Options(width=width)).splitlines()
    notes = [line for line in lines if "word" in line or "言" in line]
    longest = max(len(line) + line.count("言") + line.count("葉") for line in notes)
    assert max(width, 40) - 8 < longest <= max(width, 40 + len("  = "))
    assert all(line.startswith(("  = ", "    ")) for line in notes)


def test_a_huge_line_is_cheap_and_cut(make_finding: Finding) -> None:
    text = "\t\u202e\u0301漢" * 2_500_000
    finding = make_finding(f"unknown name `{text}`", text, help=text)
    assert all(len(line) < 30_000 for line in render("full", [finding]).splitlines())


def test_text_loads_no_heavy_library() -> None:
    heavy = {"pydantic", "jinja2", "lark", "rich", "json", "click"}
    code = (
        "import sys, tunnelgate.diagnostics.render.full;"
        f"print(sorted({heavy!r} & sys.modules.keys()))"
    )
    path = str(ROOT / "compiler")
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[]\n"
