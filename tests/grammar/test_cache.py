"""The user's cache folder: what is believed of it, and what is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tunnelgate_grammar import cache
from tunnelgate_grammar.cache import Marks, read_ours


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That of the marks `some`, of which there is one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Marks("some").write("name", b"text")
    return tmp_path / "tunnelgate" / "some"


def test_a_mark_is_read_back(folder: Path) -> None:
    assert Marks("some").read("name") == b"text"
    assert Marks("some").read("other") is None
    assert Marks("others").read("name") is None
    assert (folder / "name").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def through_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def as_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def as_a_queue(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    "change",
    [
        through_a_link,
        as_a_folder,
        as_a_queue,
        lambda path: path.chmod(0o602),
        lambda path: path.chmod(0o660),
        lambda path: path.chmod(0o604),
        lambda path: path.unlink(),
    ],
)
def test_what_is_not_the_users_alone_is_not_read(
    folder: Path, change: Callable[[Path], None]
) -> None:
    change(folder / "name")
    assert read_ours(folder / "name") is None
    assert Marks("some").read("name") is None
    Marks("some").write("name", b"new")  # and is no error


def test_a_file_of_somebody_else_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = os.fstat

    def foreign(handle: int) -> os.stat_result:
        mode, inode, device, links, owner, *rest = plain(handle)
        return os.stat_result((mode, inode, device, links, owner + 1, *rest))

    monkeypatch.setattr(cache.os, "fstat", foreign)
    assert Marks("some").read("name") is None


@pytest.mark.parametrize("level", [0, 1])
def test_a_folder_that_others_may_use_is_not_used(folder: Path, level: int) -> None:
    shared = (folder, *folder.parents)[level]
    shared.chmod(0o777)
    assert Marks("some").read("name") is None
    Marks("some").write("more", b"text")
    assert not (folder / "more").exists()


def test_a_folder_behind_a_link_is_not_used(folder: Path) -> None:
    through_a_link(folder)
    assert Marks("some").read("name") is None


def test_of_many_marks_the_oldest_half_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MANY", 4)
    for age, name in enumerate(("name", "a", "b", "c")):
        Marks("some").write(name, b"")
        os.utime(folder / name, (age, age))
    Marks("some").write("d", b"")
    assert sorted(os.listdir(folder)) == ["b", "c", "d"]


def test_a_mark_that_another_process_takes_away_meanwhile_is_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = os.scandir

    def scandir(where: Path) -> list[os.DirEntry[str]]:
        found = sorted(plain(where), key=lambda entry: entry.name)
        os.unlink(found[0].path)
        return found

    for number in range(2):
        Marks("some").write(str(number), b"")
    monkeypatch.setattr(cache, "_MANY", 2)
    monkeypatch.setattr(cache.os, "scandir", scandir)
    cache._forget_old(folder)
    assert len(os.listdir(folder)) == 1
