"""The user's cache folder: what is written there is ours alone, and never an error.

Only a folder that nobody but the user can write to is used, because what is read back is trusted.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path | None:
    """The folder, made if need be; None where there is none we may trust."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "tunnelgate"
        if not base.is_absolute():  # to be ignored, says the XDG base directory specification
            return None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None
    return folder if _is_private(folder, stat.S_ISDIR) else None


def _is_private(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether a path is of that kind, ours, no link, and closed to everybody else."""
    if not hasattr(os, "geteuid"):
        return False  # no owners and modes to judge by
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def keep(data: bytes, path: Path) -> None:
    """Write a file aside, then rename it, so that nobody sees it half done."""
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(aside)


def is_ours(path: Path) -> bool:
    """Whether a file is there, and is the user's alone."""
    return _is_private(path, stat.S_ISREG)
