"""Asking the running kernel about a ruleset, without root and without changing anything.

`iptables-restore --test` never asks the kernel (targets page, Loading), so the files are loaded for
real, in a network namespace of their own that ends with the question.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from tunnelgate.target import Validation
from tunnelgate_targets.iptables.emit import LOADERS, SCRIPT

Flavour = Literal["", "nft", "legacy"]

_SECONDS = 120
_SYSTEM = "/usr/sbin:/sbin:/usr/local/sbin"
#: A folder for the programs of the flavour that is asked for.
_PROGRAMS = "programs"
#: With a user namespace no privilege is needed, and root does not need one.
_NAMESPACES = (("unshare", "--net"), ("unshare", "--map-root-user", "--net"))
#: sh(1): the program was not found.
_NOT_FOUND = 127
#: EMSGSIZE: an ordinary user may not enlarge the buffer through which iptables-nft sends a whole
#: table at once (socket(7), SO_SNDBUFFORCE). 1.8.7 gives no reason then, as it does for a rule that
#: the kernel refuses.
_TOO_LONG = re.compile(r"Message too long|^\S+-restore: line \d+ failed$", re.MULTILINE)
#: What that flavour says of itself; legacy never gives a reason.
_IS_NFT = "nf_tables"


def validate(files: Mapping[str, str], flavour: Flavour = "") -> str:
    """Load the files where nobody sees it; says through what.

    Without a flavour the system's own iptables is asked. If that is of the nft flavour and the
    caller may not ask it about so many rules, the legacy flavour reads them.

    Raises:
        Validation: they were not taken; the message is that of the program.
        OSError: a program is missing, no namespace can be made, or the flavour that was asked for
            takes so many rules from root only.
    """
    with TemporaryDirectory(prefix="tunnelgate-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        namespace = _namespace(folder)
        if flavour:
            _link(folder / _PROGRAMS, flavour)
        version = _answer(_run(folder, [*namespace, "iptables-restore", "-V"]))
        script = "\n".join(_commands(files))
        done = _run(folder, [*namespace, "sh", "-ec", script])
    if _IS_NFT in version and _TOO_LONG.search(done.stderr):
        if flavour:
            raise OSError(done.stderr.strip())
        return validate(files, "legacy")
    if done.returncode == _NOT_FOUND:
        raise OSError(done.stderr.strip())
    if done.returncode != 0:
        raise Validation(done.stderr.strip() or f"ended with status {done.returncode}")
    return version


def _namespace(folder: Path) -> tuple[str, ...]:
    """The command that runs another in a namespace of its own."""
    tried = [_run(folder, [*one, "true"]) for one in _NAMESPACES]
    for one, done in zip(_NAMESPACES, tried, strict=True):
        if done.returncode == 0:
            return one
    raise OSError(f"no network namespace can be made: {tried[-1].stderr.strip()}")


def _commands(files: Mapping[str, str]) -> Iterator[str]:
    """How the files are loaded, in order."""
    if SCRIPT in files:
        yield f"sh {SCRIPT} load"
        return
    yield from (command for file, command in LOADERS.items() if file in files)


def _link(folder: Path, flavour: Flavour) -> None:
    """Programs of one flavour by the names that have none, for a folder that is looked at first.

    Raises:
        OSError: one is missing.
    """
    folder.mkdir()
    for family in ("iptables", "ip6tables"):
        for rest in ("", "-restore"):
            program = f"{family}-{flavour}{rest}"
            found = shutil.which(program) or shutil.which(program, path=_SYSTEM)
            if found is None:
                raise OSError(f"{program} is not installed")
            (folder / f"{family}{rest}").symlink_to(found)


def _answer(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
    return done.stdout.strip()


def _run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{folder / _PROGRAMS}:{os.environ.get('PATH', os.defpath)}:{_SYSTEM}",
        "LC_ALL": "C.UTF-8",
        # /run/xtables.lock belongs to the real root
        "XTABLES_LOCKFILE": str(folder / "lock"),
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
