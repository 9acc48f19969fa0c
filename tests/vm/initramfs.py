"""The archive that a kernel takes for its first file system: cpio in the format `newc`
(initramfs buffer format, Documentation/driver-api/early-userspace/buffer-format.rst)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

_TRAILER = "TRAILER!!!"
_CONSOLE = (5, 1)  # major and minor, Documentation/admin-guide/devices.txt


class Initramfs:
    """Files of many places under the names that they have in the guest; everything is root's."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count = 0
        self._folders: set[str] = set()

    def close(self) -> None:
        """The mark of the end."""
        self._entry(_TRAILER, 0, b"")

    def console(self) -> None:
        """What the kernel opens for the first process."""
        self.folder("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, b"", _CONSOLE)

    def folder(self, name: str) -> None:
        """A folder, and those that it is in."""
        if name in {"", "."} or name in self._folders:
            return
        self.folder(str(Path(name).parent))
        self._folders.add(name)
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def add(self, name: str, source: Path) -> None:
        """A file, as it is, or a symbolic link."""
        self.folder(str(Path(name).parent))
        mode = source.lstat().st_mode
        content = os.readlink(source).encode() if source.is_symlink() else source.read_bytes()
        self._entry(name, mode, content)

    def tree(self, name: str, source: Path, without: tuple[str, ...] = ()) -> None:
        """A file, or all that a folder holds, but for the folders that are named."""
        if source.is_file():
            self.add(name, source)
        for folder, folders, files in os.walk(source):
            here = Path(folder)
            inner = here.relative_to(source)
            folders[:] = sorted(one for one in folders if str(inner / one) not in without)
            self.folder(os.path.normpath(f"{name}/{inner}").lstrip("/"))
            for one in sorted(files) + [one for one in folders if (here / one).is_symlink()]:
                self.add(os.path.normpath(f"{name}/{inner}/{one}").lstrip("/"), here / one)

    def _entry(
        self, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)
    ) -> None:
        self._count += 1
        encoded = name.encode() + b"\0"
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        self._file.write(header + bytes(-len(header) % 4))
        self._file.write(content + bytes(-len(content) % 4))
