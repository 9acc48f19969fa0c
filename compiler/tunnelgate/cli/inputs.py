"""From the paths of a command line to policies."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tunnelgate.cli.exits import Problem
from tunnelgate.source import SourceError, SourceFile

#: Stands for standard input.
DASH = "-"

#: What findings call it.
STDIN = "<stdin>"

#: A statement is a line, so this is one wherever it stands.
_INCLUDE = re.compile(r'^[ \t]*include[ \t]+"([^"\n]*)"', re.MULTILINE)


def policies(paths: Iterable[str], *, with_parts: bool = False) -> list[SourceFile | SourceError]:
    """The policies that paths name, each once; a folder stands for those below it.

    In a folder, a file that a policy there includes is no policy of its own: it is left out unless
    asked for `with_parts`.

    Raises:
        Problem: a folder holds none.
    """
    found: dict[str, SourceFile | SourceError] = {}
    named: set[str] = set()
    for name in paths:
        files = _files(name)
        for path in files:
            real = os.path.realpath(path)
            if real not in found:
                found[real] = _read(path)
            if files == [name]:
                named.add(real)
    parts = set() if with_parts else _parts(found) - named
    return [file for real, file in found.items() if real not in parts]


def _parts(found: dict[str, SourceFile | SourceError]) -> set[str]:
    """Which files are parts of others: included by one that no other includes.

    Files that include each other are all left, to be told of.
    """
    includes = {
        real: _included(real, file) - {real}
        for real, file in found.items()
        if isinstance(file, SourceFile) and _INCLUDE.search(file.text)
    }
    every = set().union(*includes.values())
    return set().union(*(parts for real, parts in includes.items() if real not in every))


def _included(real: str, policy: SourceFile) -> set[str]:
    """What a policy includes, told from the text alone; what cannot be read is found out later."""
    folder, library = os.path.dirname(real), policy.library
    seen: set[SourceFile] = set()
    waiting = [policy] if library is not None else []
    while waiting:
        file = waiting.pop()
        if file in seen or library is None:
            continue
        seen.add(file)
        for name in _INCLUDE.findall(file.text):
            with suppress(SourceError):
                waiting.append(library.read(name))
    return {os.path.join(folder, file.name) for file in seen if file is not policy}


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
