"""The user's cache folder: what is written there is ours alone, and never an error.

Only a folder that nobody but the user can write to is used, because what is read back is trusted.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

#: More marks of one kind than these, and the oldest half goes.
_MANY = 4096
#: A queue would keep us waiting until somebody writes to it.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def cache_folder() -> Path | None:
    """The folder, made if need be; None where there is none we may trust."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "tunnelgate"
        if not base.is_absolute():  # to be ignored, says the XDG base directory specification
            return None
    except RuntimeError:  # a user without a home
        return None
    return _made(folder)


def _made(folder: Path) -> Path | None:
    """A folder that is there or is made, and is ours alone; else None."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return None
    return folder if _is_private(found, stat.S_ISDIR) else None


def _is_private(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Whether something is of that kind, ours, no link, and closed to everybody else."""
    if not hasattr(os, "geteuid"):
        return False  # no owners and modes to judge by
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def keep(data: bytes, path: Path) -> None:
    """Write a file aside, then rename it, so that nobody sees it half done."""
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(aside)


def read_ours(path: Path) -> bytes | None:
    """What is in a file that is the user's alone; None where there is no such file."""
    try:
        handle = os.open(path, _OPEN)
    except OSError:
        return None
    try:
        if _is_private(os.fstat(handle), stat.S_ISREG):
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read()
    except OSError:
        return None
    finally:
        os.close(handle)
    return None


class Marks:
    """Small files of one kind, a folder of its own; of too many the oldest half goes.

    Args:
        kind: the name of the folder.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @cached_property
    def _folder(self) -> Path | None:
        base = cache_folder()
        return None if base is None else _made(base / self._kind)

    def read(self, name: str) -> bytes | None:
        """What a mark of this name says; None where there is none that we may trust."""
        return None if self._folder is None else read_ours(self._folder / name)

    def write(self, name: str, data: bytes) -> None:
        """Leave a mark; what cannot be written is no error."""
        if self._folder is not None:
            keep(data, self._folder / name)
            _forget_old(self._folder)


def _forget_old(folder: Path) -> None:
    """Keep a folder small; other processes do the same, so what is gone is gone."""
    marks = list(os.scandir(folder))
    if len(marks) <= _MANY:
        return
    ages = []
    for mark in marks:
        with suppress(FileNotFoundError):
            ages.append((mark.stat().st_mtime, mark.path))
    for _, path in sorted(ages)[: len(marks) // 2]:
        Path(path).unlink(missing_ok=True)


def program_files(folder: str) -> Iterator[os.DirEntry[str]]:
    """The files below a folder that a program of ours is made of, in no order."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                yield from program_files(entry.path)
        elif entry.name.endswith((".py", ".lark")):
            yield entry
