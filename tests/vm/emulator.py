"""A machine that is emulated: it boots a kernel, says what it says on its console, and ends."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from debian import Unpacked

#: No hardware that one has to own, one processor: what is sent has travelled when others look.
_HARDWARE = ("-machine", "pc", "-accel", "tcg", "-smp", "1", "-m", "1024")
_BARE = ("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio")
#: The first process is a Python that must not wait for randomness; a panic ends the machine; how
#: fast an emulated timer ticks says nothing (`no_timer_check`).
_COMMAND_LINE = "console=ttyS0 quiet panic=-1 no_timer_check PYTHONHASHSEED=0"
_STATUS = re.compile(r"^exit status (\d+)\r?$", re.MULTILINE)


class Lost(Exception):
    """The machine ended without a word about the tests, or did not end."""


def run(
    qemu: Unpacked,
    kernel: Path,
    initramfs: Path,
    console: Path,
    seconds: int,
    arguments: Sequence[str] = (),
) -> int:
    """Boot it and wait until it turns itself off; the exit status that its first process said.

    console: where all that it says is written to.
    arguments: of its first process, without spaces in them.
    """
    share = qemu.folder / "usr/share"
    argv = qemu.command(
        "usr/bin/qemu-system-x86_64",
        *("-L", str(share / "qemu"), "-L", str(share / "seabios")),
        *(*_HARDWARE, *_BARE, "-append", " ".join((_COMMAND_LINE, "--", *arguments))),
        *("-kernel", str(kernel), "-initrd", str(initramfs)),
    )
    modules = qemu.folder / "usr/lib/x86_64-linux-gnu/qemu"
    with console.open("wb") as out:
        try:
            subprocess.run(
                argv,
                env=os.environ | {"QEMU_MODULE_DIR": str(modules)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise Lost(f"it did not end within {seconds} s") from error
        except subprocess.CalledProcessError as error:
            raise Lost(f"qemu ended with status {error.returncode}") from error
    said = _STATUS.findall(console.read_text(errors="replace"))
    if not said:
        raise Lost("it ended before the tests did")
    return int(said[-1])
