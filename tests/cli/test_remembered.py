"""A policy that was found clean is not checked again, and nothing else is remembered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CLEAN = "zone wan {\n  interface eth0\n}\nallow ssh from wan to gateway\n"
LOUD = CLEAN.replace("ssh", "ssssh")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tunnelgate" / "clean"


def check(path: Path, *flags: str) -> tuple[int, set[str]]:
    """The exit code of a check, and the modules it imported."""
    script = (
        "import sys; from tunnelgate.cli.main import main; code = main(['check', *sys.argv[1:]]);"
        "print('\\n'.join(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *flags, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.returncode, set(done.stderr.splitlines())


def test_the_second_check_of_a_clean_policy_loads_neither_parser_nor_rules(
    cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clean.tg"
    path.write_text(CLEAN)
    assert "lark" in check(path)[1]
    code, modules = check(path)
    assert code == 0
    assert not {"lark", "tunnelgate.syntax", "tunnelgate.policy", "tunnelgate.check"} & modules


def test_a_changed_policy_is_checked(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "clean.tg"
    path.write_text(CLEAN)
    check(path)
    path.write_text(LOUD)
    assert check(path)[0] == 1
    assert check(path)[0] == 1


def test_what_has_findings_is_not_remembered(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "loud.tg"
    path.write_text(LOUD)
    assert check(path)[0] == 1
    assert not list(cache.iterdir())


def test_targets_are_always_asked(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "clean.tg"
    path.write_text(CLEAN)
    check(path)
    assert "tunnelgate_targets.nftables" in check(path, "-t", "nftables")[1]


def test_a_cache_that_others_may_write_to_is_not_believed(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "clean.tg"
    path.write_text(CLEAN)
    check(path)
    cache.parent.chmod(0o777)
    assert "lark" in check(path)[1]


def test_a_folder_that_cannot_be_made_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    path = tmp_path / "clean.tg"
    path.write_text(CLEAN)
    assert check(path)[0] == 0


def _with_parts(folder: Path) -> Path:
    """A clean policy with an included file and a group's file."""
    path = folder / "main.tg"
    path.write_text(
        'zone wan {\n  interface eth0\n  group admins from "admins"\n}\ninclude "part.tg"\n'
    )
    (folder / "admins").write_text("192.0.2.1\n")
    (folder / "part.tg").write_text("allow ssh from admins to gateway\n")
    return path


def test_a_policy_of_several_files_is_remembered(cache: Path, tmp_path: Path) -> None:
    path = _with_parts(tmp_path)
    assert check(path)[0] == 0
    assert "lark" not in check(path)[1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("part.tg", "allow ssssh from admins to gateway\n"),
        ("admins", "nonsense!\n"),
        ("admins", ""),
    ],
)
def test_a_changed_part_is_checked(cache: Path, tmp_path: Path, name: str, text: str) -> None:
    path = _with_parts(tmp_path)
    check(path)
    (tmp_path / name).write_text(text)
    assert check(path)[0] == 1
    (tmp_path / name).unlink()
    assert check(path)[0] == 2


def test_two_names_that_become_one_file_are_checked(cache: Path, tmp_path: Path) -> None:
    """The same texts under the same names, and yet another policy: one file twice is an error."""
    path = tmp_path / "main.tg"
    path.write_text(CLEAN + 'include "a.tg"\ninclude "b.tg"\n')
    (tmp_path / "a.tg").write_text("deny ping from wan to gateway\n")
    (tmp_path / "b.tg").write_text("deny ping from wan to gateway\n")
    first = check(path)[0]
    (tmp_path / "b.tg").unlink()
    (tmp_path / "b.tg").symlink_to("a.tg")
    assert (first, check(path)[0]) == (0, 1)
