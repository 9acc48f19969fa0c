"""Files written aside: whole and safe on the disk before one of them takes another's place."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tunnelgate.cli.exits import Problem

_WAYS_OUT = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room in your quota",
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`)",
    errno.ENOTDIR: "a file stands where a folder should be: move it",
    errno.EEXIST: "a file stands where a folder should be: move it",
    errno.EISDIR: "a folder stands where a file should be: move it",
}


def aside_of(path: Path) -> Path:
    """A name beside `path` that nothing has."""
    return path.with_name(f".{path.name}.{os.urandom(6).hex()}")


def write_aside(aside: Path, content: bytes, like: os.stat_result | None = None) -> None:
    """Make a file with this content, safe on the disk.

    Args:
        aside: its path, where nothing is yet.
        content: what is to stand in it.
        like: whose owner, group and mode it gets; those of any new file, by the umask, without.

    Raises:
        OSError: the disk does not take it.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(aside, flags, 0o666 if like is None else 0o600)
    with os.fdopen(handle, "wb") as file:
        if like is not None:
            _be_like(file.fileno(), like)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _be_like(handle: int, like: os.stat_result) -> None:
    if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):  # then it is ours from now on
            os.fchown(handle, like.st_uid, like.st_gid)
    os.fchmod(handle, like.st_mode & 0o7777)


def forget(aside: Iterable[Path]) -> None:
    """Take back what was written aside, and did not take its place yet."""
    for path in aside:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def not_written(error: OSError, consequence: str, or_else: str = "") -> Problem:
    """What to say where the disk did not take a file.

    Args:
        error: what the system said.
        consequence: what that means for the files of the run.
        or_else: another way out than to mend the disk, if there is one.
    """
    reason = (error.strerror or str(error)).lower()
    way_out = _WAYS_OUT.get(error.errno or 0, "check its permissions")
    way_out += f", or {or_else}" if or_else else ""
    return Problem(f"`{error.filename}` cannot be written: {reason}; {consequence}", way_out)
