"""A file of text: its characters, its lines, and the way from offsets to positions."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePath
from typing import Protocol

from tunnelgate.source.span import Position, Span

#: Larger files are refused: a group of a million entries has 12 to 20 MB.
MAX_BYTES = 24 * 1024 * 1024


class SourceError(Exception):
    """A file that cannot be read as a policy at all; `reason` says why, `help` what to do."""

    def __init__(self, path: str, reason: str, help: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.help = help


class OutsideError(SourceError):
    """A file that a policy names and may not read, since it is not below the policy's folder."""


class Library(Protocol):
    """Reads the files that a policy names: those below the policy's own folder, and no others.

    `Folder` reads them from the disk. Whatever else holds policies, as a revision of a repository,
    offers the same.
    """

    @property
    def asked(self) -> Mapping[str, SourceFile]:
        """What was read so far, by the name it was asked for by; in that order."""

    def read(self, name: str) -> SourceFile:
        """The file of a name, which is relative to the policy's folder.

        The same file is read once, whatever it is called: what comes back is then the same object.

        Raises:
            OutsideError: the name leads out of the folder.
            SourceError: there is no such file, or it cannot be read.
        """


class SourceFile:
    """The text of one file and its name as people know it.

    Compared by identity: two files with the same text are still two places.

    Attributes:
        text: its characters.
        path: how findings call it.
        name: its path from the policy's folder, which is the same on every machine.
        library: reads the files that it names; None for a text that has no folder.
    """

    __slots__ = ("__dict__", "library", "name", "path", "text")

    def __init__(
        self,
        text: str,
        path: str = "<policy>",
        name: str | None = None,
        library: Library | None = None,
    ) -> None:
        self.text = text
        self.path = path
        self.name = PurePath(path).name if name is None else name
        self.library = library

    def __repr__(self) -> str:
        return f"SourceFile({self.path!r})"

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> SourceFile:
        """Read a policy; line ends and a byte order mark are left for the parser.

        The files that it names are read from the folder that it really lies in.

        Raises:
            SourceError: it is missing, unreadable, too large, or no UTF-8.
        """
        from tunnelgate.source.folder import Folder  # which makes files itself

        return Folder.read_policy(path, str(path) if name is None else name)

    @classmethod
    def decode(
        cls,
        data: bytes,
        path: str = "<policy>",
        name: str | None = None,
        library: Library | None = None,
    ) -> SourceFile:
        """Make a file of bytes. Raises SourceError where they are no UTF-8, or too many."""
        if len(data) > MAX_BYTES:
            raise SourceError(
                path, f"is larger than {MAX_BYTES >> 20} MiB", "is this the file you meant?"
            )
        try:
            return cls(data.decode("utf-8"), path, name, library)
        except UnicodeDecodeError as error:
            raise SourceError(
                path,
                f"is no UTF-8 text: byte {data[error.start]:#04x} at offset {error.start}",
                "a policy is plain text; save it as UTF-8",
            ) from error

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """The offset of the first character of each line. Only `\\n` ends a line."""
        starts = array("I", [0])
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Line and column (from 1, in characters) of an offset."""
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line_text(self, line: int) -> str:
        """The text of a line (from 1), without its end."""
        starts = self.line_starts
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].removesuffix("\r")

    def span(self, start: int, end: int) -> Span:
        """The span of two offsets of this file."""
        return Span(self, start, end)


def unreadable(path: str, error: OSError) -> SourceError:
    """What the system said of a file, in its words."""
    reason = (error.strerror or str(error)).lower()
    return SourceError(path, f"cannot be read: {reason}", "check the name and its permissions")
