"""Which systems run which dialect: `openbsd-7.6`, `freebsd-15`, `freebsd-14`, `macos-15`."""

from __future__ import annotations

from tunnelgate.target import release

#: The first release of each system that takes a dialect. FreeBSD 15 takes both.
_SINCE: dict[str, dict[str, tuple[int, ...]]] = {
    "pf": {"openbsd": (5, 0), "freebsd": (15,)},
    "pf-classic": {"freebsd": (12,), "macos": (11,)},
}
SYSTEMS = {
    "pf": "OpenBSD from 5.0, FreeBSD from 15",
    "pf-classic": "FreeBSD from 12, macOS from 11",
}


def system(version: str) -> tuple[str, tuple[int, ...]] | None:
    """A system and its release; None where it is none that has pf."""
    name, dash, number = version.partition("-")
    found = release(number)
    return (name, found) if name in {"openbsd", "freebsd", "macos"} and dash and found else None


def oldest(target: str) -> tuple[tuple[str, str], ...]:
    """The first release of each system that takes a dialect, as text."""
    return tuple((name, ".".join(map(str, first))) for name, first in _SINCE[target].items())


def serves(target: str, version: str) -> bool:
    """Whether a target's dialect is that of a version."""
    found = system(version)
    since = _SINCE[target].get(found[0]) if found else None
    return found is not None and since is not None and found[1] >= since
