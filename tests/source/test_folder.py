"""The folder of a policy: what is read in it, and what is not."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import IO

import pytest
from machine import absent

from tunnelgate.source import OutsideError, SourceError, SourceFile, folder


@pytest.fixture
def policy(tmp_path: Path) -> SourceFile:
    """A policy in a folder beside another one that holds a secret."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "policies-too").mkdir()
    (tmp_path / "policies-too" / "secret").write_text("secret")
    inside = tmp_path / "policies"
    (inside / "lists").mkdir(parents=True)
    (inside / "lists" / "a").write_text("a")
    (inside / "main.tg").write_text("main")
    return SourceFile.read(inside / "main.tg")


def read(policy: SourceFile, name: str) -> SourceFile:
    assert policy.library is not None
    return policy.library.read(name)


def test_a_file_below_the_folder(policy: SourceFile) -> None:
    file = read(policy, "lists/a")
    assert (file.text, file.name, file.path) == (
        "a", "lists/a", os.path.join(os.path.dirname(policy.path), "lists/a")
    )  # fmt: skip


@pytest.mark.parametrize("name", ["lists/a", "./lists//a", "lists/../lists/a", "link"])
def test_one_file_is_one_object_whatever_it_is_called(policy: SourceFile, name: str) -> None:
    Path(policy.path).with_name("link").symlink_to("lists/a")
    assert read(policy, name) is read(policy, "lists/a")
    assert policy.library is not None
    assert list(policy.library.asked) == list(dict.fromkeys((name, "lists/a")))


def test_the_policy_itself_is_one_of_its_files(policy: SourceFile) -> None:
    assert read(policy, "main.tg") is policy


@pytest.mark.parametrize(
    "name",
    ["../secret", "lists/../../secret", "../policies-too/secret", "/etc/passwd", "out", "outdir/x"],
)
def test_nothing_outside_is_read(policy: SourceFile, name: str) -> None:
    folder = Path(policy.path).parent
    (folder / "out").symlink_to("../secret")
    (folder / "outdir").symlink_to("../policies-too")
    (folder.parent / "policies-too" / "x").write_text("secret")
    with pytest.raises(OutsideError):
        read(policy, name)


def test_the_folder_is_where_the_policy_really_lies(policy: SourceFile, tmp_path: Path) -> None:
    link = tmp_path / "link.tg"
    link.symlink_to("policies/main.tg")
    assert read(SourceFile.read(link), "lists/a").text == "a"
    with pytest.raises(SourceError, match="no such file"):
        read(SourceFile.read(link), "secret")


@pytest.mark.parametrize("name", ["lists", ".", "queue", "socket", "missing", "loop", "lists/a/b"])
def test_what_is_no_plain_file_is_not_opened(policy: SourceFile, name: str) -> None:
    folder = Path(policy.path).parent
    os.mkfifo(folder / "queue")
    (folder / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        with pytest.raises(SourceError) as raised:
            read(policy, name)
    assert not isinstance(raised.value, OutsideError)
    assert raised.value.help


def test_a_device_is_not_opened(policy: SourceFile) -> None:
    try:
        os.mknod(Path(policy.path).with_name("device"), 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        absent("only root makes devices")
    with pytest.raises(SourceError, match="no plain file"):
        read(policy, "device")


def test_a_step_swapped_for_a_link_after_it_was_resolved(
    policy: SourceFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the name was resolved to is opened without following any link."""
    inside = Path(policy.path).parent
    monkeypatch.setattr(folder.Folder, "_resolve", lambda _self, name: name)
    (inside / "a").symlink_to("../secret")
    (inside / "b").symlink_to("../policies-too")
    for name in ("a", "b/secret"):
        with pytest.raises(SourceError):
            read(policy, name)


def test_a_file_that_grows_while_it_is_read(
    policy: SourceFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it grows after it was opened and before it is read."""
    target = Path(policy.path).with_name("lists") / "a"
    fdopen = os.fdopen

    def late(handle: int, mode: str) -> IO[bytes]:
        with target.open("a") as other:
            other.write("b")
        return fdopen(handle, mode)

    monkeypatch.setattr(os, "fdopen", late)
    with pytest.raises(SourceError, match="changed while it was read"):
        read(policy, "lists/a")


def test_too_large(policy: SourceFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunnelgate.source.file.MAX_BYTES", 0)
    with pytest.raises(SourceError, match="is larger than"):
        read(policy, "lists/a")
