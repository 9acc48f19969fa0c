"""A parser is built once and its tables are kept, where that is safe; else it is built again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lark
import pytest

from tunnelgate_grammar import open_grammar


class Spans:
    """A transformer that tells whether it was called."""

    def NAME(self, token: lark.Token) -> tuple[str, int | None]:
        return str(token), token.start_pos

    def gateway(self, children: list[Any]) -> object:
        return children[1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each parser that is built from its grammar."""
    made: list[str] = []
    build = lark.Lark._build_parser

    def count(self: lark.Lark) -> Any:
        made.append("built")
        return build(self)

    monkeypatch.setattr(lark.Lark, "_build_parser", count)
    return made


def read() -> object:
    """Open the grammar and use it, transformer and all."""
    seen: list[str] = []

    def callback(token: lark.Token) -> lark.Token:
        seen.append(str(token))
        return token

    callbacks = {"COMMENT": callback}
    parser = open_grammar("policy", Spans(), start=("policy",), lexer_callbacks=callbacks)
    tree = parser.parse("gateway x # why")
    assert tree.children == [("x", 8)]
    assert seen == ["# why"]
    return parser


def tables(home: Path) -> Path:
    (path,) = (home / "tunnelgate").iterdir()
    return path


def test_built_once(home: Path, built: list[str]) -> None:
    read()
    read()
    assert built == ["built"]
    assert tables(home).stat().st_mode & 0o777 == 0o600
    assert (home / "tunnelgate").stat().st_mode & 0o777 == 0o700


def test_start_makes_other_tables(home: Path, built: list[str]) -> None:
    open_grammar("policy", start=("policy",))
    open_grammar("policy", start=("question",)).parse("esp from a to b")
    assert len(built) == 2
    assert len(list((home / "tunnelgate").iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x05."])
def test_damaged_tables_are_built_again(home: Path, built: list[str], content: bytes) -> None:
    read()
    tables(home).write_bytes(content)
    read()
    read()
    assert len(built) == 2


def test_truncated_tables_are_built_again(home: Path, built: list[str]) -> None:
    read()
    whole = tables(home).read_bytes()
    tables(home).write_bytes(whole[: len(whole) // 2])
    read()
    assert len(built) == 2


def open_to_others(home: Path) -> None:
    (home / "tunnelgate").mkdir(parents=True)
    (home / "tunnelgate").chmod(0o755)


def a_link(home: Path) -> None:
    (home / "elsewhere").mkdir(parents=True, mode=0o700)
    (home / "tunnelgate").symlink_to(home / "elsewhere")


def a_file(home: Path) -> None:
    home.mkdir()
    (home / "tunnelgate").write_text("")


def no_folder(home: Path) -> None:
    home.write_text("")


@pytest.mark.parametrize("prepare", [open_to_others, a_link, a_file, no_folder])
def test_a_folder_not_to_be_trusted_is_not_used(
    home: Path, built: list[str], prepare: Callable[[Path], None]
) -> None:
    prepare(home)
    before = sorted(home.rglob("*"))
    read()
    read()
    assert len(built) == 2
    assert sorted(home.rglob("*")) == before


def test_tables_open_to_others_are_not_read(home: Path, built: list[str]) -> None:
    read()
    tables(home).chmod(0o666)
    read()
    assert len(built) == 2
    assert tables(home).stat().st_mode & 0o777 == 0o600


def test_tables_of_somebody_else_are_not_read(
    home: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    read()
    assert len(built) == 2


def test_a_folder_that_cannot_be_written(
    home: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even root may not write to a disk that is full or read-only."""

    def refuse(*_: object, **__: object) -> tuple[int, str]:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    read()
    assert built == ["built"]


def test_a_relative_cache_folder_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    read()
    assert list(tmp_path.iterdir()) == []


def test_unknown_grammar() -> None:
    with pytest.raises(FileNotFoundError):
        open_grammar("poetry")
