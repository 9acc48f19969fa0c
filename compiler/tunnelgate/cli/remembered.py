"""Policies that this very program found clean: they need not be checked again.

A mark is an empty file in the user's cache folder, named by all that a check depends on: the
policy's bytes and name, the program's files, the version of Python. Only a policy without any
finding is remembered, so a mark says nothing that could be shown wrongly: it saves loading the
parser and the rules, which is most of the time that checking one file takes.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from tunnelgate import __version__
from tunnelgate.source import SourceFile
from tunnelgate_grammar.cache import cache_folder, is_ours, keep

#: More marks than these, and the oldest half goes.
_MANY = 4096


class Remembered:
    """The marks of one user."""

    @cached_property
    def _folder(self) -> Path | None:
        base = cache_folder()
        if base is None:
            return None
        folder = base / "clean"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            return None
        return folder

    def is_clean(self, policy: SourceFile) -> bool:
        """Whether this program found this policy clean before."""
        return self._folder is not None and is_ours(self._folder / self._name(policy))

    def remember(self, policy: SourceFile) -> None:
        """Mark a policy that has no finding at all."""
        if self._folder is not None:
            keep(b"", self._folder / self._name(policy))
            self._forget()

    def _forget(self) -> None:
        """Keep the folder small; another process may do the same, so what is gone is gone."""
        assert self._folder is not None
        marks = [(entry.stat().st_mtime, entry.path) for entry in os.scandir(self._folder)]
        if len(marks) > _MANY:
            for _, path in sorted(marks)[: len(marks) // 2]:
                Path(path).unlink(missing_ok=True)

    def _name(self, policy: SourceFile) -> str:
        parts = (self._program, policy.path, policy.text)
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def _program(self) -> str:
        """The program as it lies on the disk: an edited rule forgets everything."""
        import tunnelgate
        import tunnelgate_grammar

        roots = [*tunnelgate.__path__, *tunnelgate_grammar.__path__]
        files = [f"{stamp}" for root in roots for stamp in _stamps(root)]
        return "\n".join((__version__, sys.version, *files))


def _stamps(folder: str) -> list[tuple[str, int, int]]:
    """Name, size and time of change (nanoseconds) of every file of the program below a folder."""
    found = []
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                found += _stamps(entry.path)
        elif entry.name.endswith((".py", ".lark")):
            about = entry.stat()
            found.append((entry.path, about.st_size, about.st_mtime_ns))
    return sorted(found)
