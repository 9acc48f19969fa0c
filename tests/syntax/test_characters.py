"""Characters that may not stand in a policy are told, and reading goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.syntax.characters import MANY

LINE = "allow esp from a to b\n"


@pytest.mark.parametrize(
    ("character", "kind", "fixed"),
    [
        ("\0", "control character U+0000", " "),
        ("\x1b", "control character U+001B", " "),
        ("\x7f", "control character U+007F", " "),
        ("\r", "control character U+000D", " "),
        ("\v", "line separator U+000B", " "),
        ("\x85", "line separator U+0085", " "),
        ("\u2028", "line separator U+2028", " "),
        ("\u2029", "line separator U+2029", " "),
        ("\u202e", "bidirectional control U+202E", ""),
        ("\u2066", "bidirectional control U+2066", ""),
        ("\ud800", "surrogate U+D800", " "),
    ],
)
def test_refused(told: Callable[[str], str], character: str, kind: str, fixed: str) -> None:
    """In a comment too; the statement above it is read all the same."""
    assert told(f"{LINE}# a{character}b\n") == (
        f"TG003 2:4 [{character}] {kind} in the text\n"
        "  help: remove it; where it stands for a blank, write a blank\n"
        f"  shown: {LINE.rstrip()}⏎# a{fixed}b"
    )


@pytest.mark.parametrize("text", ["\u00e4\u4e2d\U0001f9f1", "\u00a0", "a\tb", "\u200b", "\ufeff"])
def test_allowed_in_comments(told: Callable[[str], str], text: str) -> None:
    assert told(f"{LINE}# {text}\n") == ""


def test_many_are_summed_up(told: Callable[[str], str]) -> None:
    findings = parse(SourceFile(LINE + "#" + "\a" * (MANY + 7))).diagnostics
    assert len(findings) == MANY + 1
    assert findings[-1].message == "7 more such characters from here on"
    assert findings[-1].primary.span.position == (2, MANY + 2)
    assert told(LINE + "#" + "\a" * (MANY + 1)).count("1 more such character from here on") == 1


def test_windows_line_ends_are_one_finding(told: Callable[[str], str]) -> None:
    assert told("allow esp from a to b\r\n## doc\r\nallow ah from a to b\r\n") == (
        "TG003 1:22 [\r] the lines end as on Windows, with a carriage return\n"
        r"  help: convert them with `dos2unix` or `sed -i 's/\r$//'`, and tell the editor"
        "\n  safe: allow esp from a to b⏎## doc⏎allow ah from a to b"
    )


def test_windows_line_ends_change_nothing_else() -> None:
    policy = parse(SourceFile("## doc\r\nallow ike,\r\n  ah from a to b\r\n# c\r\n")).policy
    assert policy.statements[0].doc == "doc"
    assert policy.statements[0].span.text == "allow ike,\r\n  ah from a to b"
    assert [comment.text for comment in policy.comments] == ["# c"]


def test_byte_order_mark(told: Callable[[str], str]) -> None:
    assert told("\ufeff" + LINE) == (
        "TG003 1:1 [\ufeff] the file begins with a byte order mark\n"
        "  help: save it as UTF-8 without one\n"
        "  safe: allow esp from a to b"
    )


def test_other_findings_appear_in_the_same_run(told: Callable[[str], str]) -> None:
    found = told("\ufeffallow esp from a\u202e to b\r\nalow ah from a to b\r\n")
    assert [line[:10] for line in found.split("\n") if line.startswith("TG")] == [
        "TG003 1:1 ",
        "TG003 1:18",
        "TG003 1:24",
        "TG001 2:1 ",
    ]
