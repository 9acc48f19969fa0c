"""Policies that this very program found clean: they need not be checked again.

A mark is a file in the user's cache folder, named by all that a check begins with: the bytes and
names of the policy and its variables, the program's files, the version of Python. It holds what
the policy read besides, included files and groups: each by the name it asked for, with what was
found under it. The same policy that finds the same asks for the same, so it is the same as a
whole. Only a policy without any finding is remembered, so a mark says nothing that could be shown
wrongly: it saves loading the parser and the rules, which is most of the time that checking one
file takes.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from tunnelgate import __version__
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.variables import NONE, Variables
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

    def is_clean(self, policy: SourceFile, variables: Variables = NONE) -> bool:
        """Whether this program found this policy, and all that it reads, clean before."""
        if self._folder is None or not is_ours(
            mark := self._folder / self._name(policy, variables)
        ):
            return False
        try:
            lines = mark.read_text("utf-8").split("\n")
            return all(_is_as_it_was(policy, line) for line in lines if line)
        except (OSError, ValueError):  # forgotten meanwhile
            return False

    def remember(self, policy: SourceFile, variables: Variables = NONE) -> None:
        """Mark a policy that was read and has no finding at all."""
        if self._folder is not None:
            asked = policy.library.asked if policy.library is not None else {}
            lines = [_line(name, file) for name, file in asked.items()]
            keep(
                "\n".join(lines).encode("utf-8", "surrogatepass"),
                self._folder / self._name(policy, variables),
            )
            self._forget()

    def _forget(self) -> None:
        """Keep the folder small; other processes do the same, so what is gone is gone."""
        assert self._folder is not None
        marks = list(os.scandir(self._folder))
        if len(marks) <= _MANY:
            return
        ages = []
        for mark in marks:
            with suppress(FileNotFoundError):
                ages.append((mark.stat().st_mtime, mark.path))
        for _, path in sorted(ages)[: len(marks) // 2]:
            Path(path).unlink(missing_ok=True)

    def _name(self, policy: SourceFile, variables: Variables) -> str:
        files = (policy, *variables.files)
        parts = (self._program, *(part for file in files for part in (file.path, file.text)))
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def _program(self) -> str:
        """The program as it lies on the disk: an edited rule forgets everything."""
        import tunnelgate
        import tunnelgate_grammar

        roots = [*tunnelgate.__path__, *tunnelgate_grammar.__path__]
        files = [f"{stamp}" for root in roots for stamp in _stamps(root)]
        return "\n".join((__version__, sys.version, *files))


def _line(name: str, file: SourceFile) -> str:
    """What was found under a name, which has no tab in it: which file of the folder, and its text.

    No JSON: importing it takes longer than all the rest.
    """
    found = f"{file.name}\0{file.text}".encode("utf-8", "surrogatepass")
    return f"{name}\t{sha256(found).hexdigest()}"


def _is_as_it_was(policy: SourceFile, line: str) -> bool:
    """Whether the policy would find under a name what it found when the line was written."""
    name, _, _ = line.partition("\t")
    if policy.library is None:
        return False
    try:
        return _line(name, policy.library.read(name)) == line
    except SourceError:
        return False


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
