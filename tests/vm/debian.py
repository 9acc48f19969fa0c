"""Packages of Debian, downloaded and unpacked into a folder: nothing is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: As if nothing were installed here, so that what is unpacked is whole.
_BARE = ("-o", "Dir::State::status=/dev/null", "-o", "APT::Install-Recommends=false")
_CHOSEN = re.compile(r"^Inst (\S+) \((\S+)", re.MULTILINE)
_LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")


class Unavailable(Exception):
    """This machine has no such package; the message says what apt said."""


@dataclass(frozen=True)
class Unpacked:
    """A folder that holds packages with all that they need."""

    folder: Path

    def command(self, program: str, *arguments: str) -> list[str]:
        """How to run a program of it here, with its own libraries."""
        libraries = ":".join(str(self.folder / name) for name in _LIBRARIES)
        loader = str(self.folder / "lib64/ld-linux-x86-64.so.2")
        path = self.folder / program
        if path.is_symlink():  # as /sbin/depmod is to /bin/kmod
            path = self.folder / os.readlink(path).lstrip("/")
        name = Path(program).name
        return [loader, "--library-path", libraries, "--argv0", name, str(path), *arguments]


def needed(*names: str) -> list[str]:
    """These packages and all that they depend on, each as `name=version`."""
    try:
        chosen = _said(["apt-get", "-s", *_BARE, "install", *names])
    except Unavailable:
        if os.geteuid():
            raise
        _said(["apt-get", "update"])
        chosen = _said(["apt-get", "-s", *_BARE, "install", *names])
    return ["=".join(found) for found in _CHOSEN.findall(chosen)]


def unpack(packages: Sequence[str], folder: Path) -> Unpacked:
    """The packages in a folder; it is left alone if they are what it holds."""
    held = folder.with_suffix(".list")
    text = "".join(f"{package}\n" for package in packages)
    if not held.exists() or held.read_text() != text:
        held.unlink(missing_ok=True)
        archives = folder.with_suffix(".archives")
        for old in (folder, archives):
            shutil.rmtree(old, ignore_errors=True)
        archives.mkdir(parents=True)
        _said(["apt-get", "download", "-q", *packages], archives)
        for archive in sorted(archives.iterdir()):
            _said(["dpkg-deb", "-x", str(archive), str(folder)])
        shutil.rmtree(archives)
        held.write_text(text)
    return Unpacked(folder)


def _said(argv: Sequence[str], folder: Path | None = None) -> str:
    """What a program of apt prints."""
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C.UTF-8"},
            text=True,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise Unavailable(f"{argv[0]} is not here: this needs Debian on amd64") from error
    if done.returncode:
        raise Unavailable(f"{' '.join(argv[:3])} …: {done.stderr.strip()}")
    return done.stdout
