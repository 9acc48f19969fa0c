#!/usr/bin/python3
"""The first process of the machine: it makes it ready, runs the tests, and turns it off."""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from pathlib import Path

RB_POWER_OFF = 0x4321FEDC  # linux/reboot.h
FILE_SYSTEMS = {"proc": "/proc", "sysfs": "/sys", "devtmpfs": "/dev", "tmpfs": "/tmp"}
TESTS, COMPILER = "/tests", "/compiler"
OPTIONS = ("-q", "-c", "/dev/null", "--rootdir", TESTS, "--tb=short", "--color=no")
UNUSED = ("-p", "no:cacheprovider")
LIBC = ctypes.CDLL(None, use_errno=True)


def ready() -> None:
    """What an ordinary system has before it runs programs."""
    for kind, place in FILE_SYSTEMS.items():
        Path(place).mkdir(exist_ok=True)
        if LIBC.mount(kind.encode(), place.encode(), kind.encode(), 0, None):
            raise OSError(ctypes.get_errno(), f"cannot mount {place}")
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["PYTHONPATH"] = TESTS
    os.environ["CI"] = "true"  # nothing that a test needs may be absent
    sys.path[:0] = TESTS, COMPILER
    os.chdir(TESTS)


def tested() -> int:
    """The exit status of the tests."""
    import pytest

    return pytest.main([*OPTIONS, *UNUSED, *sys.argv[1:]])


def main() -> None:
    """Whatever happens, say how it ended and turn the machine off."""
    status = 70  # EX_SOFTWARE of sysexits.h
    try:
        ready()
        status = tested()
    except BaseException:
        traceback.print_exc()
    print(f"exit status {status:d}", flush=True)
    LIBC.reboot(RB_POWER_OFF)


main()
