"""What rulesets write into the log of the kernel."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from machine import absent

#: Whether namespaces other than the first may log (Documentation/networking/nf_conntrack-sysctl).
_EVERYWHERE = Path("/proc/sys/net/netfilter/nf_log_all_netns")
_LOG = Path("/dev/kmsg")
_RECORD_BYTES = 8192


class KernelLog:
    """The messages since the last look. Other namespaces log too: a marker tells whose they are."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.lseek(descriptor, 0, os.SEEK_END)

    def lines(self, marker: str) -> list[str]:
        """The prefixes of the messages about packets that hold the marker, oldest first."""
        found = []
        while True:
            try:
                record = os.read(self._descriptor, _RECORD_BYTES).decode(errors="replace")
            except BlockingIOError:
                return found
            except BrokenPipeError:  # what was not yet read has been overwritten
                continue
            text = record.partition(";")[2].partition("\n")[0]
            if marker in text:
                found.append(text.partition("IN=")[0])


@contextmanager
def kernel_log() -> Iterator[KernelLog]:
    """Let namespaces log while it is read, where the kernel does."""
    if not (os.access(_EVERYWHERE, os.W_OK) and os.access(_LOG, os.R_OK)):
        absent("the kernel's log can be read by root alone")
    lock = Path(tempfile.gettempdir(), "tunnelgate-kernel-log.lock")
    with lock.open("w") as one_at_a_time:
        flock(one_at_a_time, LOCK_EX)  # who is done takes the log from all others
        before = _EVERYWHERE.read_text("ascii")
        descriptor = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK)
        try:
            _EVERYWHERE.write_text("1\n", "ascii")
            yield KernelLog(descriptor)
        finally:
            os.close(descriptor)
            _EVERYWHERE.write_text(before, "ascii")
