"""From the paths of a command line to policies."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from tunnelgate.cli.exits import Problem
from tunnelgate.source import SourceError, SourceFile
from tunnelgate.variables import SUFFIXES, Variables, read_variables

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


def parts_of(policy: SourceFile) -> set[SourceFile]:
    """A policy and what it includes, told from the text alone, which needs no parser.

    What cannot be read is found out when it is parsed.
    """
    found = {policy}
    waiting = [policy] if policy.library is not None else []
    while waiting and policy.library is not None:
        for name in _INCLUDE.findall(waiting.pop().text):
            with suppress(SourceError):
                if (file := policy.library.read(name)) not in found:
                    found.add(file)
                    waiting.append(file)
    return found


def variables(files: Iterable[str], folder: str | None) -> list[Variables]:
    """The files of variables that are named, and those of a folder in sorted order.

    Raises:
        Problem: the folder cannot be read, or holds none.
    """
    names = list(files)
    if folder is not None:
        try:
            inside = sorted(os.listdir(folder))
        except OSError as error:
            _closed(error)
        found = [one for one in inside if Path(one).suffix.lower() in SUFFIXES]
        if not found:
            known = ", ".join(f"`{one}`" for one in sorted(SUFFIXES))
            raise Problem(f"no file of variables in `{folder}`", f"their names end in {known}")
        names += (os.path.join(folder, one) for one in found if not one.startswith("."))
    once = {os.path.realpath(name): name for name in reversed(names)}
    return [read_variables(Path(name)) for name in reversed(once.values())]


def _parts(found: dict[str, SourceFile | SourceError]) -> set[str]:
    """Which files are parts of others: included by one that no other includes.

    Files that include each other are all left, to be told of.
    """
    includes = {
        real: {os.path.join(os.path.dirname(real), part.name) for part in parts_of(file) - {file}}
        for real, file in found.items()
        if isinstance(file, SourceFile) and _INCLUDE.search(file.text)
    }
    every = set().union(*includes.values())
    return set().union(*(parts for real, parts in includes.items() if real not in every))


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


def _closed(error: OSError) -> NoReturn:
    reason = (error.strerror or str(error)).lower()
    raise Problem(f"folder `{error.filename}` cannot be read: {reason}", "check its permissions")


def _read(path: str) -> SourceFile | SourceError:
    try:
        if path == DASH:
            return SourceFile.decode(sys.stdin.buffer.read(), STDIN)
        return SourceFile.read(Path(path))
    except SourceError as error:
        return error
