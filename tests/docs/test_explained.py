"""What the pages show of `tunnelgate explain` is what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tunnelgate.cli.exits import Exit
from tunnelgate.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/explain.md")


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


SHOWN = [
    (page, asked, answer)
    for page in PAGES
    for asked, _, answer in (block.partition("\n") for block in blocks(page, "console"))
    if asked.startswith("$ tunnelgate explain ") and answer
]


def test_there_are_some() -> None:
    assert {page for page, *_ in SHOWN} == set(PAGES)


@pytest.mark.parametrize(("page", "asked", "answer"), SHOWN)
def test_an_answer_is_that_of_the_program(
    page: str,
    asked: str,
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    if page == "README.md":  # its policy is its first block
        monkeypatch.chdir(tmp_path)
        Path("branch.tg").write_text(blocks(page, "tunnelgate")[0])
    assert main(shlex.split(asked)[2:]) == Exit.CLEAN
    assert capsys.readouterr().out == answer
