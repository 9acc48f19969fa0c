"""Files as a command line names them: in the work tree, or in a revision of a git repository.

A policy of a revision reads what it includes from that revision too, below its own folder there and
nowhere else, as it would on the disk (source/folder.py).
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tunnelgate.cli.exits import Problem
from tunnelgate.source import OutsideError, SourceError, SourceFile

#: More links than these on the way to a file are a circle (path_resolution(7)).
_MOST_LINKS = 40
_LINK, _FOLDER = "120000", "040000"


def read(name: str) -> SourceFile:
    """The file of a name: one that is there, else `REV:path` as git reads it.

    Raises:
        Problem: there is no such file, or git has no such revision.
    """
    revision, colon, path = name.partition(":")
    try:
        if not colon or os.path.lexists(name):
            return SourceFile.read(Path(name))
        return Revision.read_policy(revision, path)
    except SourceError as error:
        raise Problem(f"`{name}` {error.reason}", error.help) from error


class Revision:
    """A `Library` in a commit.

    Args:
        commit: its name in hexadecimal.
        root: the folder of the policy, from the top of the repository; empty for the top itself.
        shown: how findings call the revision.
    """

    def __init__(self, commit: str, root: str, shown: str) -> None:
        self._commit = commit
        self._root = root
        self._shown = shown
        self._files: dict[str, SourceFile] = {}
        self._asked: dict[str, SourceFile] = {}

    @classmethod
    def read_policy(cls, revision: str, path: str) -> SourceFile:
        """The policy at a path of a revision, as `git show REV:path` names it.

        Raises:
            Problem: git knows no such revision, or cannot be run.
            SourceError: there is no such file, or it is no UTF-8.
        """
        commit = _commit(revision)
        if path.startswith(("./", "../")):
            prefix = _git("rev-parse", "--show-prefix") or b""
            path = posixpath.normpath(posixpath.join(os.fsdecode(prefix).strip(), path))
        found = cls(commit, posixpath.dirname(path), revision)
        return found.read(posixpath.basename(path))

    @property
    def asked(self) -> Mapping[str, SourceFile]:
        """What was read so far, by the name it was asked for by; in that order."""
        return MappingProxyType(self._asked)

    def read(self, name: str) -> SourceFile:
        """The file of a name relative to the folder, read once.

        Raises:
            OutsideError: the name leads out of the folder.
            SourceError: there is no such file in the revision, or it is no UTF-8.
        """
        inside = self._resolve(name)
        if inside not in self._files:
            path = posixpath.join(self._root, inside)
            shown = f"{self._shown}:{path}"
            data = _git("cat-file", "blob", f"{self._commit}:{path}")
            if data is None:
                raise self._missing(name)
            self._files[inside] = SourceFile.decode(data, shown, inside, self)
        self._asked[name] = self._files[inside]
        return self._files[inside]

    def _resolve(self, name: str) -> str:
        """The path from the folder to the file that a name means, its links followed."""
        at = name
        for _ in range(_MOST_LINKS):
            at = posixpath.normpath(at)
            if posixpath.isabs(at) or at.partition("/")[0] == "..":
                raise OutsideError(
                    name,
                    "is not below the policy's folder",
                    "name a file in the folder of the policy, or in one below it",
                )
            linked = self._first_link(name, at)
            if linked is None:
                return at
            at = linked
        raise SourceError(name, "is a link to itself", "name the file that is meant")

    def _first_link(self, name: str, at: str) -> str | None:
        """The path with the first link on it followed; None where there is none."""
        steps = at.split("/")
        for number in range(1, len(steps) + 1):
            here = "/".join(steps[:number])
            path = posixpath.join(self._root, here)
            entry = _git("ls-tree", "--full-tree", "-z", self._commit, "--", f":(literal){path}")
            if not entry:
                raise self._missing(name)
            mode = os.fsdecode(entry).partition(" ")[0]
            if mode == _LINK:
                to = os.fsdecode(_git("cat-file", "blob", f"{self._commit}:{path}") or b"")
                return posixpath.join(posixpath.dirname(here), to, *steps[number:])
            if mode == _FOLDER and number == len(steps):
                raise SourceError(name, "is a folder, not a file", "name a file in it")
        return None

    def _missing(self, name: str) -> SourceError:
        return SourceError(
            name,
            f"is not in revision `{self._shown}`",
            "the path begins at the top of the repository, or with `./` in the current folder",
        )


class Base:
    """Files of the work tree as they were in a commit.

    Args:
        revision: what git knows the commit by.
        folder: a folder of its repository.

    Raises:
        Problem: git knows no such revision, or cannot be run.
    """

    def __init__(self, revision: str, folder: Path) -> None:
        self._commit = _commit(revision, folder)
        self._folder = folder
        top = _git("rev-parse", "--show-toplevel", folder=folder) or b""
        self._top = os.path.realpath(os.fsdecode(top.rstrip(b"\n")))

    def read(self, path: Path) -> bytes | None:
        """What a file held; None where it was not there, or is not in the repository."""
        inside = os.path.relpath(os.path.realpath(path), self._top)
        if inside.partition(os.sep)[0] == "..":
            return None
        return _git("cat-file", "blob", f"{self._commit}:{inside}", folder=self._folder)


def _commit(revision: str, folder: Path | None = None) -> str:
    """The name in hexadecimal of a commit: what the revision means may change while this runs.

    Raises:
        Problem: git knows no such revision, or cannot be run.
    """
    if revision.startswith("-") or not revision.isprintable():
        raise Problem(
            f"`{revision}` is no revision", "name a commit, a branch or a tag, as `HEAD~1`"
        )
    wanted = ("--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    commit = _git("rev-parse", *wanted, folder=folder)
    if commit is None:
        raise Problem(
            f"git knows no revision `{revision}` here",
            "name a commit, a branch or a tag of the repository of the current folder; a clone "
            "that is shallow, or another user's, has none",
        )
    return os.fsdecode(commit).strip()


def _git(*arguments: str, folder: Path | None = None) -> bytes | None:
    """What git prints in a folder, run without a shell; None where it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise Problem(
            f"git cannot be run: {error.strerror}", "install it, or leave the revision out"
        ) from error
    return done.stdout if done.returncode == 0 else None
