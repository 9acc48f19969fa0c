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

import sys
from functools import cached_property
from hashlib import sha256

from tunnelgate import __version__
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.variables import NONE, Variables
from tunnelgate_grammar.cache import Marks, program_files


class Remembered:
    """The marks of one user."""

    def __init__(self) -> None:
        self._marks = Marks("clean")

    def is_clean(self, policy: SourceFile, variables: Variables = NONE) -> bool:
        """Whether this program found this policy, and all that it reads, clean before."""
        mark = self._marks.read(self._name(policy, variables))
        if mark is None:
            return False
        try:
            lines = mark.decode("utf-8").split("\n")
        except ValueError:
            return False
        return all(_is_as_it_was(policy, line) for line in lines if line)

    def remember(self, policy: SourceFile, variables: Variables = NONE) -> None:
        """Mark a policy that was read and has no finding at all."""
        asked = policy.library.asked if policy.library is not None else {}
        lines = [_line(name, file) for name, file in asked.items()]
        self._marks.write(
            self._name(policy, variables), "\n".join(lines).encode("utf-8", "surrogatepass")
        )

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
    for entry in program_files(folder):
        about = entry.stat()
        found.append((entry.path, about.st_size, about.st_mtime_ns))
    return sorted(found)
