"""The child process that `load.py` starts: a namespace of its own, and a dry run in it.

Standard input is the ruleset. Status 0: taken; 3: refused, the answer on standard output; anything
else: could not be asked, the reason on standard error. A process of its own, because a namespace is
entered for good, and because a thread may not enter a user namespace.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

REFUSED = 3
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def enter_namespace() -> None:
    """A new network namespace; without root in a new user namespace (user_namespaces(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNET | CLONE_NEWUSER):
        number = ctypes.get_errno()
        raise OSError(number, f"no network namespace can be made: {os.strerror(number)}")
    # without a user of its own there, a program would lose its rights when it is started
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def with_module(path: str, text: str) -> tuple[int, str]:
    """A dry run through libnftables, by the module in this file."""
    spec = importlib.util.spec_from_file_location("nftables", path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["nftables"] = module  # the package imports a part of itself
    spec.loader.exec_module(module)
    nft = module.Nftables()
    nft.set_dry_run(True)
    status, _, error = nft.cmd(text)
    return status, error


def with_program(path: str, text: str) -> tuple[int, str]:
    """A dry run through the `nft` program."""
    done = subprocess.run(
        [path, "-c", "-f", "-"], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


def main(arguments: list[str]) -> int:
    """Run; the arguments are a module's path, or `--program` and a program's."""
    try:
        text = sys.stdin.read()
        enter_namespace()
        if arguments[0] == "--program":
            status, answer = with_program(arguments[1], text)
        else:
            status, answer = with_module(arguments[0], text)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    if status == 0:
        return 0
    print(answer)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
