"""A file of text: its characters, its lines, and the way from offsets to positions."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from pathlib import Path

from tunnelgate.source.span import Position, Span

#: Larger files are refused: a policy of 100,000 statements is about 5 MB.
MAX_BYTES = 64 * 1024 * 1024


class SourceError(Exception):
    """A file that cannot be read as a policy at all; `reason` says why, `help` what to do."""

    def __init__(self, path: str, reason: str, help: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
        self.help = help


class SourceFile:
    """The text of one file and its name as people know it.

    Compared by identity: two files with the same text are still two places.
    """

    __slots__ = ("__dict__", "path", "text")

    def __init__(self, text: str, path: str = "<policy>") -> None:
        self.text = text
        self.path = path

    def __repr__(self) -> str:
        return f"SourceFile({self.path!r})"

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> SourceFile:
        """Read a file of UTF-8 text; line ends and a byte order mark are left for the parser.

        Raises:
            SourceError: it is missing, unreadable, too large, or no UTF-8.
        """
        name = str(path) if name is None else name
        try:
            if path.is_dir():
                raise SourceError(name, "is a folder, not a policy", "name a `.tg` file in it")
            if path.stat().st_size > MAX_BYTES:
                raise SourceError(
                    name, f"is larger than {MAX_BYTES >> 20} MiB", "is this the file you meant?"
                )
            data = path.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SourceError(
                name, f"cannot be read: {reason}", "check the name and its permissions"
            ) from error
        return cls.decode(data, name)

    @classmethod
    def decode(cls, data: bytes, name: str = "<policy>") -> SourceFile:
        """Make a file of bytes. Raises SourceError where they are no UTF-8."""
        try:
            return cls(data.decode("utf-8"), name)
        except UnicodeDecodeError as error:
            raise SourceError(
                name,
                f"is no UTF-8 text: byte {data[error.start]:#04x} at offset {error.start}",
                "a policy is plain text; save it as UTF-8",
            ) from error

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of the first character of each line. Only `\\n` ends a line."""
        starts = [0]
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
