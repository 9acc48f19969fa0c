"""Policies written anew in their place: whole or not at all, with the mode they had."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tunnelgate.cli.aside import aside_of, forget, not_written, write_aside
from tunnelgate.cli.signals import undisturbed


def rewrite(texts: Mapping[str, str]) -> None:
    """Give files, by their paths, other texts.

    Each is written aside and forced to the disk before the first is replaced, so that a full disk
    leaves all of them as they were, and they are replaced without a signal in between. What a
    symbolic link leads to is replaced, not the link.

    Raises:
        Problem: the disk does not take them.
    """
    aside: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            path = Path(os.path.realpath(name))
            like = _writable(path)
            aside[path] = aside_of(path)  # known before it is there
            write_aside(aside[path], text.encode(), like)
    except BaseException as error:
        forget(aside.values())
        if isinstance(error, OSError):
            raise not_written(error, "nothing was changed") from error
        raise
    try:
        with undisturbed():
            for path, written in aside.items():
                os.replace(written, path)
    except OSError as error:
        forget(aside.values())
        raise not_written(error, "some files may be new already; run it again") from error


def _writable(path: Path) -> os.stat_result:
    """What is known of a file that we may write: who may not write it may not replace it."""
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        return os.fstat(handle)
    finally:
        os.close(handle)
