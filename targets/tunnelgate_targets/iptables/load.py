"""Asking the running kernel about a ruleset, without root and without changing anything.

`iptables-restore --test` never asks the kernel (kernel facts, Loading), so the files are loaded for
real, in a user and network namespace of their own that ends with the question.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tunnelgate.target import Validation
from tunnelgate_targets.iptables.emit import LOADERS

_SECONDS = 120
_SYSTEM = "/usr/sbin:/sbin:/usr/local/sbin"
_NAMESPACE = ("unshare", "--map-root-user", "--net")
_FLAVOURS = ("", "nft", "legacy")


def validate(files: Mapping[str, str], flavour: str = "") -> str:
    """Load the files where nobody sees it; says through what. `flavour` is `nft`, `legacy`, or "" for
    the one that the system calls iptables.

    Raises:
        Validation: they were not taken; the message is that of the program.
        OSError: a program is missing, or no namespace can be made.
    """
    if flavour not in _FLAVOURS:
        raise ValueError(f"no flavour of iptables: {flavour}")
    program = f"iptables-{flavour}-restore" if flavour else "iptables-restore"
    with TemporaryDirectory(prefix="tunnelgate-") as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        version = _run(folder, f"{program} --version")
        if version.returncode != 0:
            raise OSError(version.stderr.strip() or f"{program} cannot be run")
        commands = [command for name, command in LOADERS.items() if name in files]
        script = " && ".join(commands).replace("tables-restore", f"tables-{flavour}-restore") if (
            flavour
        ) else " && ".join(commands)
        done = _run(folder, script)
    if done.returncode != 0:
        raise Validation(done.stderr.strip() or f"ended with status {done.returncode}")
    return version.stdout.strip()


def _run(folder: str, script: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM}",
        "LC_ALL": "C.UTF-8",
        # /run/xtables.lock belongs to the real root
        "XTABLES_LOCKFILE": str(Path(folder, "lock")),
    }
    return subprocess.run(
        [*_NAMESPACE, "sh", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
