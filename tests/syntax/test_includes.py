"""Included files: their statements stand in the policy, their findings in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunnelgate.source import SourceFile
from tunnelgate.syntax import Parsed, parse_with_includes
from tunnelgate.syntax.includes import DEEPEST


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(**files: str) -> Parsed:
    """Write files, `main` and others, and read the first."""
    for name, text in files.items():
        Path(f"{name}.tg").write_text(text)
    return parse_with_includes(SourceFile.read(Path("main.tg")))


def told(parsed: Parsed) -> list[tuple[str, str, str, str]]:
    return [
        (one.rule.code, one.primary.span.file.path, one.primary.span.text, one.message)
        for one in parsed.diagnostics
    ]


def test_the_statements_stand_where_the_include_stood(folder: Path) -> None:
    parsed = read(
        main='set reject on\ninclude "a.tg"\nset icmp none\n', a="set antispoof off\n# c\n"
    )
    names = [one.names[0].text for one in parsed.policy.statements]  # type: ignore[union-attr]
    assert names == ["reject", "antispoof", "icmp"]
    assert [comment.span.file.path for comment in parsed.policy.comments] == ["a.tg"]
    assert parsed.policy.file.path == "main.tg"


def test_a_finding_is_in_the_file_it_is_about(folder: Path) -> None:
    parsed = read(
        main='include "a.tg"\nset icmp none\n', a="set antispoof off\nalow ssh from a to b\n"
    )
    assert told(parsed) == [("TG001", "a.tg", "alow", "unknown statement `alow`")]
    assert len(parsed.policy.statements) == 2


@pytest.mark.parametrize(
    ("files", "place", "message"),
    [
        ({"main": 'include "main.tg"\n'}, ("main.tg", '"main.tg"'), "the policy includes itself"),
        (
            {"main": 'include "a.tg"\n', "a": 'include "b.tg"\n', "b": 'include "a.tg"\n'},
            ("b.tg", '"a.tg"'),
            "`a.tg` includes itself: `a.tg` → `b.tg` → `a.tg`",
        ),
        (
            {"main": 'include "a.tg"\ninclude "./a.tg"\n', "a": "set icmp none\n"},
            ("main.tg", '"./a.tg"'),
            "`a.tg` is included twice",
        ),
        (
            {
                "main": 'include "a.tg"\ninclude "b.tg"\n',
                "a": 'include "b.tg"\n',
                "b": "set icmp none\n",
            },
            ("main.tg", '"b.tg"'),
            "`b.tg` is included twice",
        ),
        ({"main": 'include "../main.tg"\n'}, ("main.tg", '"../main.tg"'), None),
    ],
)
def test_what_may_not_be_included(
    folder: Path, files: dict[str, str], place: tuple[str, str], message: str | None
) -> None:
    found = told(read(**files))
    assert [one[:3] for one in found] == [("TG016" if message else "TG002", *place)]
    assert message is None or found[0][3] == message


def test_a_file_that_is_not_there(folder: Path) -> None:
    assert told(read(main='include "a.tg"\nset icmp none\n')) == [
        ("TG002", "main.tg", '"a.tg"', "`a.tg` cannot be read: no such file or directory")
    ]


def test_an_empty_file_is_told_in_its_own_words(folder: Path) -> None:
    found = told(read(main='include "a.tg"\nset icmp none\n', a="# to do\n"))
    assert found == [("TG004", "a.tg", "", "the included file has no statement")]


@pytest.mark.parametrize(("depth", "findings"), [(DEEPEST, 0), (DEEPEST + 1, 1)])
def test_how_deep_files_may_include_files(folder: Path, depth: int, findings: int) -> None:
    files = {f"f{n}": f'include "f{n + 1}.tg"\n' for n in range(1, depth)}
    parsed = read(main='include "f1.tg"\n', **files, **{f"f{depth}": "set icmp none\n"})
    assert len(parsed.policy.statements) == 1 - findings
    assert [code for code, *_ in told(parsed)] == ["TG016"] * findings


def test_a_text_that_lies_in_no_folder() -> None:
    parsed = parse_with_includes(SourceFile('include "a.tg"\n'))
    assert [code for code, *_ in told(parsed)] == ["TG016"]
    assert parsed.diagnostics[0].help
