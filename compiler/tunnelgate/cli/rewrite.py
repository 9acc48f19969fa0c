"""Policies written anew in their place: whole or not at all, with the mode they had."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tunnelgate.cli.exits import Problem


def rewrite(texts: Mapping[str, str]) -> None:
    """Give files, by their paths, other texts.

    Each is written aside and forced to the disk before the first is replaced, so that a full disk
    leaves all of them as they were. What a symbolic link leads to is replaced, not the link.

    Raises:
        Problem: the disk does not take them.
    """
    aside: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            path = Path(os.path.realpath(name))
            aside[path] = _write_aside(path, text.encode())
    except BaseException as error:
        _forget(aside)
        if isinstance(error, OSError):
            raise _problem(error, "nothing was changed") from error
        raise
    try:
        for path, written in aside.items():
            os.replace(written, path)
    except OSError as error:
        _forget(aside)
        raise _problem(error, "some files may be new already; run it again") from error


def _write_aside(path: Path, content: bytes) -> Path:
    """A file beside `path` with this content, and the owner and mode of that one."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # who may not write it may not replace it
    about = os.fstat(handle)
    os.close(handle)
    aside = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if (about.st_uid, about.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):  # then it is ours from now on
                    os.fchown(file.fileno(), about.st_uid, about.st_gid)
            os.fchmod(file.fileno(), about.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def _forget(aside: Mapping[Path, Path]) -> None:
    for path in aside.values():
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _problem(error: OSError, consequence: str) -> Problem:
    reason = (error.strerror or str(error)).lower()
    return Problem(
        f"`{error.filename}` cannot be written: {reason}; {consequence}",
        "check its permissions and the room on the disk",
    )
