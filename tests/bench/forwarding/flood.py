"""The generator: `flood.c`, compiled where it is needed, and started in a namespace."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.topology import enter_namespace

_SOURCE = Path(__file__).parent / "flood.c"


class NoCompiler(Exception):
    """There is no gcc here to build the generator with."""


def compile_flood(folder: Path) -> Path:
    """The program, built in a folder. Raises NoCompiler."""
    gcc = shutil.which("gcc")
    if gcc is None:
        raise NoCompiler("gcc is not installed: it builds the generator of packets")
    program = folder / "flood"
    subprocess.run([gcc, "-O2", "-Wall", "-Werror", "-o", program, _SOURCE], check=True)
    return program


class Flood:
    """A generator on one interface of a namespace, which is given as an open descriptor."""

    def __init__(self, program: Path, namespace: int, interface: str) -> None:
        self._process = subprocess.Popen(
            [program, interface],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: enter_namespace(namespace),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Of the process, by which the counters of its namespace are found below /proc."""
        return self._process.pid

    def send(self, frames: Sequence[bytes], packets: int) -> int:
        """Send so many packets, the frames in turn; the CPU time that it took, in nanoseconds."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        parts = [struct.pack("=II", packets, len(frames))]
        for frame in frames:
            parts += struct.pack("=I", len(frame)), frame
        stdin.write(b"".join(parts))
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise ChildProcessError("the generator of packets has ended")
        return int(answer)
