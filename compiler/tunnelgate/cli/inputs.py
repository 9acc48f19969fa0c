"""From the paths of a command line to policies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunnelgate.cli.exits import Problem
from tunnelgate.source import SourceError, SourceFile

#: Stands for standard input.
DASH = "-"

#: What findings call it.
STDIN = "<stdin>"


def policies(paths: Iterable[str]) -> Iterator[SourceFile | SourceError]:
    """The policies that paths name, each once; a folder stands for those below it.

    Raises:
        Problem: a folder holds none.
    """
    seen: set[str] = set()
    for name in paths:
        for path in _files(name):
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield _read(path)


def _files(name: str) -> list[str]:
    """The files that a path stands for: itself, or the policies below it in sorted order."""
    if name == DASH or not Path(name).is_dir():
        return [name]
    found: list[str] = []
    for folder, inner, files in os.walk(name, onerror=_closed):
        inner[:] = sorted(one for one in inner if not one.startswith("."))
        found += (str(Path(folder, one)) for one in sorted(files) if one.endswith(".tg"))
    if not found:
        raise Problem(f"no policy in `{name}`", "a policy is a file whose name ends in `.tg`")
    return found


def _closed(error: OSError) -> None:
    reason = (error.strerror or str(error)).lower()
    raise Problem(f"folder `{error.filename}` cannot be read: {reason}", "check its permissions")


def _read(path: str) -> SourceFile | SourceError:
    try:
        if path == DASH:
            return SourceFile.decode(sys.stdin.buffer.read(), STDIN)
        return SourceFile.read(Path(path))
    except SourceError as error:
        return error
