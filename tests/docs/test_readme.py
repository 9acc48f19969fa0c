"""What README shows is what the program does."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import tunnelgate
from tunnelgate.cli.main import app
from tunnelgate.diagnostics.render import render

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]


def block(language: str) -> str:
    found = re.search(
        rf"^```{language}\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S
    )
    assert found, f"README has no block of {language}"
    return found[1]


def test_policy_becomes_the_ruleset_shown() -> None:
    ruleset = tunnelgate.compile(block("tunnelgate")).files["ruleset.nft"].splitlines()
    place = 0
    for line in block("nft").splitlines():
        assert line in ruleset[place:], f"not in the ruleset, or not in this order: {line}"
        place = ruleset.index(line, place) if line.strip() not in {"", "}"} else place


def test_finding_is_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    findings = tunnelgate.check(Path("examples/branch-office/broken.tg"))
    assert block("text") in render("full", findings)


def test_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    test = doctest.DocTestParser().get_doctest(block("pycon"), {}, "README.md", "README.md", 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def command_lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for shown in re.findall(r"^```console\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S):
            for line in re.findall(r"^[$#] (tunnelgate [^\n]*)", shown, re.M):
                yield str(page.relative_to(ROOT)), line


@pytest.mark.parametrize(("page", "line"), list(command_lines()))
def test_command_line_exists(page: str, line: str) -> None:
    """Its command exists, and takes these flags; it is not run."""
    name, *arguments = shlex.split(line, comments=True)[1:]
    context = click.Context(app)
    command = app.get_command(context, name)
    assert command is not None, f"{page}: no command `{name}`"
    command.make_context(name, arguments)


def test_every_example_is_listed() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for folder in (ROOT / "examples").iterdir():
        if (folder / "README.md").is_file():
            assert f"(examples/{folder.name}/README.md)" in text
