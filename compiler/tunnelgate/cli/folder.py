"""The folder of one target on disk: compared with what should stand in it, and written.

Everything is written aside and forced to the disk before the first file is replaced, so that a
full disk or a missing permission leaves every folder as it was. The files of one gateway are
replaced without a signal in between, the manifest last.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tunnelgate.cli.aside import aside_of, forget, not_written, write_aside
from tunnelgate.cli.exits import Problem
from tunnelgate.cli.signals import undisturbed
from tunnelgate.cli.unified import unified
from tunnelgate.records import record

if TYPE_CHECKING:
    from tunnelgate.manifest import Manifest

_MANIFEST = "manifest.json"
_OR_ELSE = "choose another folder with `-o`"


@record
class Difference:
    """A file that is not as it should be; `old` and `new` are None for no file."""

    path: Path
    old: bytes | None
    new: bytes | None

    def __str__(self) -> str:
        state = "missing" if self.old is None else "stale" if self.new is None else "differs"
        return f"{self.path}: {state}"

    def diff(self) -> str:
        """What writing it would change, as a unified diff."""
        old, new = ((text or b"").decode("utf-8", "replace") for text in (self.old, self.new))
        return unified(old, new, str(self.path))


def differences(folder: Path, files: Mapping[str, str]) -> list[Difference]:
    """How a folder differs from what should stand in it. Files that nobody knows are let be.

    Raises:
        Problem: something there cannot be read.
    """
    wanted = {name: text.encode() for name, text in files.items()}
    names = [*(name for name in wanted if name != _MANIFEST), *_stale(folder, wanted)]
    # The manifest last: where it is new, everything else is.
    found = (
        Difference(folder / name, _content(folder / name), wanted.get(name))
        for name in [*names, _MANIFEST]
    )
    return [one for one in found if one.old != one.new]


def write(gateways: Iterable[Sequence[Difference]]) -> None:
    """Make the changes of all these gateways, or none.

    What is interrupted while files are replaced leaves whole gateways: each is as it was, or as it
    should be.

    Raises:
        Problem: the disk does not take them.
    """
    gateways = list(gateways)
    made: list[Path] = []
    aside: dict[Path, Path] = {}
    try:
        for change in chain.from_iterable(gateways):
            if change.new is not None:
                made += _make_folder(change.path.parent)
                aside[change.path] = aside_of(change.path)  # known before it is there
                write_aside(aside[change.path], change.new)
    except BaseException as error:
        _forget(aside.values(), made)
        if isinstance(error, OSError):
            raise _problem(error, "nothing was changed") from error
        error.add_note("nothing was changed")
        raise
    done = 0
    try:
        for changes in gateways:
            with undisturbed():
                _replace(changes, aside)
                done += 1
    except BaseException as error:
        _forget(aside.values(), made)
        if isinstance(error, OSError):
            raise _problem(error, "some files may be new already; run it again") from error
        error.add_note(
            f"{done} of {len(gateways)} gateways were written, each as a whole; run it again"
        )
        raise


def others(output: Path, gateways: Container[str]) -> list[Path]:
    """The folders below `output` that tunnelgate wrote, by their manifests, for other gateways."""
    try:
        names = sorted(entry.name for entry in os.scandir(output) if entry.is_dir())
    except OSError:  # there is none yet
        return []
    return [
        manifest.parent
        for name in names
        if name not in gateways
        for manifest in sorted((output / name).glob(f"*/{_MANIFEST}"))
        if (found := _manifest(manifest)) is not None and found.gateway == name
    ]


def _replace(changes: Iterable[Difference], aside: Mapping[Path, Path]) -> None:
    for change in changes:
        if change.new is None:
            change.path.unlink(missing_ok=True)
        else:
            os.replace(aside[change.path], change.path)
    for folder in dict.fromkeys(change.path.parent for change in changes):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _stale(folder: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Files that an earlier run wrote, by its manifest, and this one has no more."""
    old = _manifest(folder / _MANIFEST)
    files = () if old is None else old.files
    return [name for name in files if name not in wanted and os.path.lexists(folder / name)]


def _manifest(path: Path) -> Manifest | None:
    """A manifest that an earlier run wrote; None where there is none of ours."""
    from pydantic import ValidationError

    from tunnelgate.manifest import Manifest

    try:
        return Manifest.model_validate_json(_content(path) or b"")
    except ValidationError:  # not ours, or of another version: then nothing is known about others
        return None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _problem(error, "nothing was changed") from error


def _make_folder(folder: Path) -> Iterator[Path]:
    """Make a folder and those above it; the ones that were not there, from the top."""
    missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
    for one in reversed(missing):
        one.mkdir()
        yield one
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def _forget(aside: Iterable[Path], made: list[Path]) -> None:
    """Take back what was written aside, and the folders made for it."""
    forget(aside)
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()


def _problem(error: OSError, consequence: str) -> Problem:
    return not_written(error, consequence, _OR_ELSE)
