"""What sarif, gitlab, junit and rdjson promise to the programs that read them."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Safety, Severity
from tunnelgate.diagnostics.render import DOCUMENTS, Options, render
from tunnelgate.source import SourceFile

CASES = sorted((Path(__file__).parent / "golden").iterdir())
Finding = Callable[..., Diagnostic]
Load = Callable[[Path], list[Diagnostic]]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)

TEXT = """\
zone wan { interface eth0 }  # outside
allow  esp from lan to wan  # "old" plant
"""


def about(text: str, word: str, make: Finding, path: str = "p.tg", **more: Any) -> Diagnostic:
    """A finding about the first place of a word."""
    start = text.index(word)
    place = SourceFile(text, path).span(start, start + len(word))
    plain = make(**more)
    return Diagnostic(plain.rule, plain.message, Label(place), help=plain.help, fix=plain.fix)


def mark(finding: Diagnostic) -> str:
    [found] = json.loads(render("gitlab", [finding]))
    return str(found["fingerprint"])


@pytest.mark.parametrize("format", sorted(DOCUMENTS))
def test_a_document_is_ascii_or_declares_itself(format: str, make_finding: Finding) -> None:
    text = render(format, [make_finding("\x1b[2J \u202e \ud800 東", help="\x00")])
    assert text.isascii() or text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    assert not {"\x1b", "\u202e", "\ud800", "\x00"} & set(text)


# Fingerprints


def test_a_fingerprint_outlives_what_happens_to_other_lines(make_finding: Finding) -> None:
    before = mark(about(TEXT, "esp", make_finding))
    assert mark(about("# new\n\n" + TEXT, "esp", make_finding)) == before
    assert mark(about(TEXT.replace("  #", " #"), "esp", make_finding)) == before
    assert mark(about(TEXT.replace("allow  esp", "allow esp"), "esp", make_finding)) == before
    assert mark(about(TEXT.replace("plant", "factory"), "esp", make_finding)) == before


def test_a_fingerprint_is_of_this_rule_this_file_and_these_words(
    make_finding: Finding, make_rule: Callable[..., Any]
) -> None:
    first = about(TEXT, "esp", make_finding)
    others = [
        about(TEXT, "esp", make_finding, path="q.tg"),
        about(TEXT.replace("to wan", "to hq"), "esp", make_finding),
        about(TEXT, "wan", make_finding),
        Diagnostic(make_rule(code="TG202"), "m", first.primary),
    ]
    assert len({mark(one) for one in (first, *others)}) == 5


def test_two_findings_never_share_a_fingerprint(make_finding: Finding) -> None:
    one = about(TEXT, "esp", make_finding)
    marks = [row["fingerprint"] for row in json.loads(render("gitlab", [one, one, one]))]
    assert len(set(marks)) == 3
    assert marks[0] == mark(one)


# SARIF


@pytest.fixture(scope="module")
def sarif() -> Any:
    """The specification's types."""
    path = Path(__file__).with_name("sarif_log.py")
    spec = importlib.util.spec_from_file_location("sarif_log", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sarif_log"] = module
    spec.loader.exec_module(module)
    return module


def log(findings: list[Diagnostic], **options: Any) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(render("sarif", findings, Options(**options)))["runs"][0]
    return run


@every_case
def test_sarif_follows_the_specification(case: Path, load_case: Load, sarif: Any) -> None:
    sarif.Log.model_validate_json(render("sarif", load_case(case)))


def test_sarif_without_findings_is_a_run_that_found_nothing(sarif: Any) -> None:
    found = sarif.Log.model_validate_json(render("sarif", []))
    assert found.runs[0].results == []


@pytest.mark.parametrize(
    ("path", "uri", "base"),
    [
        ("a b/100%.tg", "a%20b/100%25.tg", "%SRCROOT%"),
        ("./sub/../x#y?.tg", "x%23y%3F.tg", "%SRCROOT%"),
        ("../東.tg", "../%E6%9D%B1.tg", "%SRCROOT%"),
        ("<stdin>", "%3Cstdin%3E", "%SRCROOT%"),
        ("a:b.tg", "a%3Ab.tg", "%SRCROOT%"),
        ("/etc/a b.tg", "file:///etc/a%20b.tg", None),
    ],
)
def test_sarif_addresses(
    path: str, uri: str, base: str | None, make_finding: Finding, sarif: Any
) -> None:
    findings = [make_finding(path=path)]
    sarif.Log.model_validate_json(render("sarif", findings))
    place = log(findings)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (place["uri"], place.get("uriBaseId")) == (uri, base)


def test_sarif_columns_are_characters(make_finding: Finding) -> None:
    run = log([about("# 𐐀 東\n𐐀 東京 x", "東京", make_finding)])
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 5}


def test_sarif_words_of_a_policy_are_no_links_and_no_placeholders(
    make_finding: Finding, sarif: Any
) -> None:
    finding = make_finding("unknown `[x](http://h)`", help="write `{0}`", labels=())
    sarif.Log.model_validate_json(render("sarif", [finding]))
    [found] = log([finding])["results"]
    assert found["message"]["text"] == "Unknown `\\[x\\](http://h)`. Write `{{0}}`."


def test_sarif_has_the_other_places_and_the_fix(make_finding: Finding, sarif: Any) -> None:
    file = SourceFile(TEXT, "p.tg")
    edits = (Edit(file.span(30, 30), "x"), Edit(file.span(0, 4), ""))
    finding = make_finding(
        labels=(Label(file.span(5, 8), "here"), Label(file.span(0, 4))),
        fix=Fix(edits, Safety.UNSAFE),
        help="do it",
    )
    sarif.Log.model_validate_json(render("sarif", [finding]))
    [found] = log([finding])["results"]
    assert [place["id"] for place in found["relatedLocations"]] == [1, 2]
    assert found["relatedLocations"][0]["message"] == {"text": "here"}
    [fix] = found["fixes"]
    assert fix["properties"] == {"safety": "unsafe"}
    [change] = fix["artifactChanges"]
    assert [one.get("insertedContent") for one in change["replacements"]] == [None, {"text": "x"}]


def test_sarif_levels_and_pages(make_finding: Finding) -> None:
    findings = [make_finding(severity=severity) for severity in Severity]
    run = log(findings, pages="https://pages.test/rules/")
    assert [one["level"] for one in run["results"]] == ["error", "warning", "note"]
    [rule] = run["tool"]["driver"]["rules"]
    assert rule["helpUri"] == "https://pages.test/rules/TG201.md"
    assert "### Bad\n\n```\nallow esp from lan to hq\n```" in rule["help"]["markdown"]
    assert "helpUri" not in log(findings)["tool"]["driver"]["rules"][0]


# GitLab


def test_gitlab(make_finding: Finding) -> None:
    finding = about("x\n" + TEXT, "esp", make_finding, path="./sub/p.tg", help="do it")
    [found] = json.loads(render("gitlab", [finding]))
    assert found.pop("fingerprint").isalnum()
    assert found == {
        "description": "m; do it",
        "check_name": "TG201",
        "severity": "critical",
        "location": {"path": "sub/p.tg", "lines": {"begin": 3, "end": 3}},
    }


@pytest.mark.parametrize(
    ("severity", "word"), list(zip(Severity, ("critical", "minor", "info"), strict=True))
)
def test_gitlab_severities(severity: Severity, word: str, make_finding: Finding) -> None:
    assert json.loads(render("gitlab", [make_finding(severity=severity)]))[0]["severity"] == word


def test_gitlab_without_findings() -> None:
    assert render("gitlab", []) == "[]\n"


# JUnit

#: As Jenkins has it (xunit-plugin, junit-10.xsd): what an element must have, may have, may hold.
JUNIT: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, set(), {"testcase"}),
    "testcase": ({"name"}, {"classname"}, {"failure"}),
    "failure": (set(), {"message", "type"}, set()),
}


def junit(findings: list[Diagnostic]) -> ET.Element:
    root = ET.fromstring(render("junit", findings).encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        must, may, inside = JUNIT[element.tag]
        assert must <= set(element.attrib) <= must | may
        assert {child.tag for child in element} <= inside
    for suite in root:
        cases = list(suite)
        failed = [case for case in cases if case.find("failure") is not None]
        assert (suite.get("tests"), suite.get("failures")) == (str(len(cases)), str(len(failed)))
        assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    return root


@every_case
def test_junit_follows_its_schema(case: Path, load_case: Load) -> None:
    findings = load_case(case)
    assert len(list(junit(findings).iter("failure"))) == len(findings)


def test_junit_a_suite_for_each_file(make_finding: Finding) -> None:
    findings = [make_finding(path=path) for path in ("a.tg", "b.tg", "a.tg")]
    suites = {suite.get("name"): suite.get("tests") for suite in junit(findings)}
    assert suites == {"a.tg": "2", "b.tg": "1"}


def test_junit_without_findings_has_a_test_that_passed() -> None:
    root = junit([])
    assert (root.get("tests"), root.get("failures")) == ("1", "0")


def test_junit_is_safe_from_a_policy(make_finding: Finding) -> None:
    said = "]]> </failure> & \" ' <!-- \x00 \ud800"
    failure = next(junit([make_finding(said, said, path=said)]).iter("failure"))
    shown = said.replace("\x00", "<U+0000>").replace("\ud800", "<U+D800>")
    assert failure.get("message") == shown
    assert failure.text is not None
    assert shown in failure.text


# rdjson


def rdjson(findings: list[Diagnostic], **options: Any) -> list[dict[str, Any]]:
    document = json.loads(render("rdjson", findings, Options(**options)))
    assert document["source"] == {"name": "tunnelgate"}
    rows: list[dict[str, Any]] = document["diagnostics"]
    return rows


def test_rdjson_columns_are_bytes(make_finding: Finding) -> None:
    [found] = rdjson([about("\na𐐀b", "b", make_finding)])
    assert found["location"]["range"] == {
        "start": {"line": 2, "column": 6},
        "end": {"line": 2, "column": 7},
    }


def test_rdjson(make_finding: Finding) -> None:
    [found] = rdjson([make_finding("x", help="y", severity=Severity.ADVICE)], pages="https://h/r")
    assert found["message"] == "x\nhelp: y"
    assert found["severity"] == "INFO"
    assert found["code"] == {"value": "TG201", "url": "https://h/r/TG201.md"}
    assert "suggestions" not in found


def test_rdjson_is_text_where_it_is_shown_as_markdown(make_finding: Finding) -> None:
    attack = "`a` ``b` ![x](https://e/p.png) <img src=x> @all GH-1 #1 www.e.org `](x)` *c* ~~d~~"
    [found] = rdjson([make_finding(f"`{attack}` is no name", help=f"write `{attack}`")])
    first, _, second = found["message"].partition("\nhelp: ")
    for text in (first, second):
        words = re.sub(r"`(?:[^`]|``)+`|<code>[^<]*</code>", "", text)
        assert not re.search(r"[@#]|www|GH|//", words), words
        assert not re.search(r"[`*_\[\]()<>!|~:&]", re.sub(r"\\[!-/:-@\[-`{-~]", "", words)), words
        shown = re.sub(r"</?code>|\\(?=[!-/:-@\[-`{-~])", "", text)
        assert html.unescape(shown).replace("`", "") in (
            f"{attack} is no name".replace("`", ""),
            f"write {attack}".replace("`", ""),
        )


@every_case
def test_rdjson_suggests_the_whole_fix(
    case: Path, load_case: Load, apply_fix: Callable[[str, Fix], str]
) -> None:
    findings = load_case(case)
    for finding, found in zip(findings, rdjson(findings), strict=True):
        if finding.fix is None:
            continue
        [suggestion] = found["suggestions"]
        file = finding.fix.edits[0].span.file
        lines = file.text.encode().split(b"\n")

        def offset(place: dict[str, int], lines: list[bytes] = lines) -> int:
            before = sum(len(line) + 1 for line in lines[: place["line"] - 1])
            return before + place["column"] - 1

        start, end = (offset(suggestion["range"][side]) for side in ("start", "end"))
        data = file.text.encode()
        mended = data[:start] + suggestion["text"].encode() + data[end:]
        assert mended.decode() == apply_fix(file.text, finding.fix)
