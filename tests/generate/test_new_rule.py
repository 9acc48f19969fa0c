"""A rule begun by the scaffold: in a copy of the project, it is run as it is, and then written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE, NAME = "TG699", "ping-to-the-world"


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    roots = [str(copy / name) for name in ("compiler", "grammar", "targets")]
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(roots)},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the scaffold writes to, and what the tests of one rule need."""
    unwanted = shutil.ignore_patterns("__pycache__", "kernel", "ansible", ".hypothesis")
    for name in ("compiler", "grammar", "targets", "tools", "tests/check", "tests/syntax"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unwanted)
    (tmp_path / "tests/kernel").mkdir()
    for name in ("tests/conftest.py", "tests/kernel/machine.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_rule_is_begun_and_written(copy: Path) -> None:
    made = run(copy, "tools/new_rule.py", CODE, NAME)
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[:2] == [
        "compiler/tunnelgate/check/rules/tg699.py",
        "tests/check/test_tg699.py",
    ]
    tests = (
        "-m",
        "pytest",
        "-q",
        "-k",
        CODE,
        "tests/check/test_rules.py",
        "tests/check/test_tg699.py",
    )
    begun = run(copy, *tests)
    assert "test_the_bad_example_has_the_finding[TG699]" in begun.stdout
    assert "2 failed" in begun.stdout, begun.stdout

    rule = copy / "compiler/tunnelgate/check/rules/tg699.py"
    rule.write_text(rule.read_text("utf-8").replace(f'_WORD = "{NAME}"', '_WORD = "ping"'))
    written = run(copy, *tests)
    assert written.returncode == 0, written.stdout
    told = run(copy, "-m", "tunnelgate", "rule", NAME)
    assert told.stdout.startswith(f"{CODE}")
    for tool in (("check", "-q"), ("format", "-q", "--check")):
        assert run(copy, "-m", "ruff", *tool, str(rule), "tests/check").returncode == 0


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("TG201", "something-new", "`TG201` is there already"),
        ("TG698", "esp-from-many-hosts", "`TG201` is there already"),
        ("TG001", "something-new", "no code of a check"),
        ("TG698", "Something", "no name of a rule"),
    ],
)
def test_what_cannot_be_begun(copy: Path, code: str, name: str, said: str) -> None:
    listing = copy / "compiler/tunnelgate/check/rules/__init__.py"
    before = listing.read_text("utf-8")
    done = run(copy, "tools/new_rule.py", code, name)
    assert (done.returncode, said in done.stderr) == (2, True)
    assert listing.read_text("utf-8") == before
