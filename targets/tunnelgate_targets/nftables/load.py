"""Asking the running kernel about a ruleset, without root and without changing anything.

A dry run in a user and network namespace of its own: libnftables through the distribution's Python
module where it is there (also from a virtual environment, by its path), else the `nft` program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tunnelgate.target import Validation
from tunnelgate_targets.nftables.dry_run import REFUSED

#: Where distributions put the module that PyPI does not have.
_PLACES = (
    "/usr/lib/python3/dist-packages",
    "/usr/lib/python3.*/site-packages",
    "/usr/lib64/python3.*/site-packages",
    "/usr/local/lib/python3.*/dist-packages",
)
_CHILD = Path(__file__).with_name("dry_run.py")
_PROGRAM_PLACES = "/usr/sbin:/sbin:/usr/local/sbin"
_SECONDS = 120
#: What netlink answers beyond the socket buffer, which only root may widen (socket(7)).
_TOO_MUCH = "Message too long"


def module_path() -> Path | None:
    """The file of the distribution's python3-nftables, None where it is not installed."""
    for place in _PLACES:
        pattern = f"{place.lstrip('/')}/nftables/__init__.py"
        for found in sorted(Path("/").glob(pattern)):
            return found
    return None


def program_path() -> str | None:
    """The `nft` program, looked for in the folders of the system too."""
    return shutil.which("nft") or shutil.which("nft", path=_PROGRAM_PLACES)


def validate(text: str) -> str:
    """Let the kernel read a ruleset; says through what.

    Raises:
        Validation: it was not taken; the message is the kernel's.
        OSError: neither the module nor the program is there, or no namespace can be made.
    """
    module = module_path()
    if module is not None:
        return _run(
            [sys.executable, "-I", str(_CHILD), str(module)], text, "python-nftables (libnftables)"
        )
    return validate_with_program(text)


def validate_with_program(text: str) -> str:
    """The same through the `nft` program."""
    program = program_path()
    if program is None:
        raise OSError("neither python3-nftables nor nft is installed")
    return _run([sys.executable, "-I", str(_CHILD), "--program", program], text, f"nft ({program})")


def _run(command: list[str], text: str, through: str) -> str:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode == 0:
        return through
    if _TOO_MUCH in done.stdout and os.geteuid() != 0:
        raise OSError("the kernel takes a ruleset of this size at once from root only; ask as root")
    if done.returncode == REFUSED:
        raise Validation(done.stdout.strip())
    raise OSError(f"{through}: {done.stderr.strip() or f'ended with status {done.returncode}'}")
