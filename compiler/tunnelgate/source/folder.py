"""The folder of a policy: the files that the policy names are read in it, and nowhere else.

A policy may come from anybody who can open a pull request, and findings show the lines they are
about. So a name is resolved first, links and `..` included; the result is checked; and then that
very file is opened, step by step from the folder, where no step may be a link any more. What is
swapped in between is an error.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tunnelgate.source.file import MAX_BYTES, OutsideError, SourceError, SourceFile, unreadable

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: A queue would keep us waiting until somebody writes to it, and a terminal would become ours.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Folder:
    """A `Library` on the disk.

    Args:
        root: the folder, without links on the way.
        shown: how findings call it; empty for the working folder.
    """

    def __init__(self, root: str, shown: str = "") -> None:
        self._root = root
        self._shown = shown
        self._files: dict[str, SourceFile] = {}
        self._asked: dict[str, SourceFile] = {}

    @classmethod
    def read_policy(cls, path: Path, shown: str) -> SourceFile:
        """Read a policy, which findings call `shown`, from wherever it lies.

        Raises:
            SourceError: it is missing, unreadable, a folder, too large, or no UTF-8.
        """
        try:
            if path.is_dir():
                raise SourceError(shown, "is a folder, not a file", "name a file in it")
            with path.open("rb") as handle:
                data = handle.read(MAX_BYTES + 1)
        except OSError as error:
            raise unreadable(shown, error) from error
        root, inside = os.path.split(os.path.realpath(path))
        folder = cls(root, os.path.dirname(shown))
        folder._files[inside] = SourceFile.decode(data, shown, library=folder)
        return folder._files[inside]

    @property
    def asked(self) -> Mapping[str, SourceFile]:
        """What was read so far, by the name it was asked for by; in that order."""
        return MappingProxyType(self._asked)

    def read(self, name: str) -> SourceFile:
        """The file of a name relative to the folder, read once.

        Raises:
            OutsideError: the name leads out of the folder.
            SourceError: it is missing, unreadable, no file, too large, no UTF-8, or it changed
                while it was read.
        """
        inside = self._resolve(name)
        if inside not in self._files:
            path = os.path.join(self._shown, inside)
            self._files[inside] = SourceFile.decode(self._bytes(inside, path), path, inside, self)
        self._asked[name] = self._files[inside]
        return self._files[inside]

    def _resolve(self, name: str) -> str:
        """The path from the folder to the file that a name means, without links on the way."""
        if os.path.isabs(name):
            raise OutsideError(name, "is a path of this machine", _INSIDE)
        try:
            real = os.path.realpath(os.path.join(self._root, name), strict=True)
        except OSError as error:
            raise unreadable(name, error) from error
        if os.path.commonpath((self._root, real)) != self._root:
            raise OutsideError(name, "is not below the policy's folder", _INSIDE)
        return os.path.relpath(real, self._root)

    def _bytes(self, inside: str, path: str) -> bytes:
        *steps, last = inside.split(os.sep)
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in steps:
                handle = _on(handle, os.open(step, _STEP, dir_fd=handle))
            _expect_file(os.stat(last, dir_fd=handle, follow_symlinks=False), path)
            handle = _on(handle, os.open(last, _OPEN, dir_fd=handle))
            return _read(handle, path)
        except OSError as error:
            if error.errno == errno.ELOOP:  # no link was there when the name was resolved
                raise _changed(path) from error
            raise unreadable(path, error) from error
        finally:
            os.close(handle)


_INSIDE = "name a file in the folder of the policy, or in one below it"


def _on(old: int, new: int) -> int:
    os.close(old)
    return new


def _expect_file(found: os.stat_result, path: str) -> None:
    """Refuse what is no plain file before it is opened: opening alone does something to some."""
    if stat.S_ISDIR(found.st_mode):
        raise SourceError(path, "is a folder, not a file", "name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(path, "is no plain file", "queues, sockets and devices are not read")


def _read(handle: int, path: str) -> bytes:
    before = os.fstat(handle)
    _expect_file(before, path)
    with os.fdopen(os.dup(handle), "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) <= MAX_BYTES and _stamp(os.fstat(handle)) != _stamp(before, len(data)):
        raise _changed(path)
    return data


def _stamp(found: os.stat_result, size: int | None = None) -> tuple[Any, ...]:
    return (found.st_size if size is None else size, found.st_mtime_ns, found.st_ctime_ns)


def _changed(path: str) -> SourceError:
    return SourceError(
        path,
        "changed while it was read",
        "run it again; write such a file aside and rename it, so that nobody sees half of it",
    )
