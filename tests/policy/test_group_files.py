"""Groups from files: what they hold, and what is said of each bad line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.policy import Policy, resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

POLICY = """zone lan {
  interface eth1
  network   10.0.0.0/8, fd00::/16
  host box = 10.1.1.1
  group some from "some"
}
"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Resolves a policy with a group from a file of this text."""
    monkeypatch.chdir(tmp_path)

    def with_group(text: str, policy: str = POLICY) -> tuple[Policy, list[Diagnostic]]:
        Path("some").write_text(text)
        Path("main.tg").write_text(policy)
        made, found = resolve(parse(SourceFile.read(Path("main.tg"))).policy)
        return made, list(found)

    return with_group


def told(found: list[Diagnostic]) -> list[tuple[str, str, int, str]]:
    spans = [one.primary.span for one in found]
    return [
        (one.rule.code, span.file.path, span.position.line, span.text)
        for one, span in zip(found, spans, strict=True)
    ]


def test_it_holds_what_the_same_entries_hold_in_the_policy(read) -> None:
    text = """# a comment
10.0.0.1
  10.2.0.0/16   # another
\t10.3.0.5-10.3.0.9

fd00:1::/64
fd00::7
box
"""
    entries = "10.0.0.1, 10.2.0.0/16, 10.3.0.5-10.3.0.9, fd00:1::/64, fd00::7, box"
    made, found = read(text)
    same, _ = read("", POLICY.replace('from "some"', f"= {entries}"))
    assert not found
    assert made.groups[0].addresses == same.groups[0].addresses
    assert [file.name for file in made.files] == ["main.tg", "some"]


def test_each_bad_line_is_a_finding_in_the_file(read) -> None:
    text = "10.0.0.1\n010.0.0.1\n10.0.0.1 10.0.0.2\n10.0.0.1/8\nnobody\n-x\n10.0.0.1,\n300.0.0.1\n"
    _, found = read(text)
    assert told(found) == [
        ("TG007", "some", 2, "010.0.0.1"),
        ("TG007", "some", 3, "10.0.0.1 10.0.0.2"),
        ("TG007", "some", 4, "10.0.0.1/8"),
        ("TG007", "some", 6, "-x"),
        ("TG007", "some", 7, "10.0.0.1,"),
        ("TG007", "some", 8, "300.0.0.1"),
        ("TG006", "some", 5, "nobody"),
    ]


def test_entries_outside_the_zone_are_findings_in_the_file(read) -> None:
    _, found = read("10.0.0.1\n192.0.2.1 # no\n10.0.0.2\nfe80::1\n")
    assert told(found) == [("TG011", "some", 2, "192.0.2.1"), ("TG011", "some", 4, "fe80::1")]


def test_characters_that_may_not_stand_in_a_policy(read) -> None:
    _, found = read("10.0.0.1 # \u202e\n10.0.0.2\x00\n")
    assert [code for code, *_ in told(found)] == ["TG003", "TG003"]


def test_many_bad_lines_end_the_reading(read) -> None:
    _, found = read("nonsense!\n" * 1000)
    assert len(found) == 101
    assert found[-1].message == "stopped after 100 mistakes; the rest of the file was not read"


@pytest.mark.parametrize("text", ["", "\n  \n"])
def test_an_empty_file_may_be_a_failed_download(read, text: str) -> None:
    _, found = read(text)
    assert told(found) == [("TG004", "some", 1, "")]


def test_a_file_that_says_nobody_is_meant(read) -> None:
    policy, found = read("# nobody yet\n")
    assert not found
    assert not policy.groups[0].addresses


@pytest.mark.parametrize(
    ("name", "code"), [("none", "TG002"), ("../some", "TG002"), (".", "TG002"), ("/some", "TG016")]
)
def test_a_file_that_is_not_read_is_a_finding_at_its_name(read, name: str, code: str) -> None:
    _, found = read("10.0.0.1\n", POLICY.replace('"some"', f'"{name}"'))
    assert told(found) == [(code, "main.tg", 5, f'"{name}"')]


def test_a_hundred_thousand_entries(read) -> None:
    text = "".join(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(0, 200_000, 2))
    made, found = read(text)
    assert not found
    assert made.groups[0].addresses.size() == 100_000
