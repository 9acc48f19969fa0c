"""Which systems run which dialect: `openbsd-7.6`, `freebsd-15`, `freebsd-14`, `macos-15`."""

from __future__ import annotations

from tunnelgate.target import release

#: The releases of each system that take a dialect: from the first one, up to before the second.
SERVED: dict[str, dict[str, tuple[tuple[int, ...], tuple[int, ...] | None]]] = {
    "pf": {"openbsd": ((5, 0), None), "freebsd": ((15,), None)},
    "pf-classic": {"freebsd": ((12,), (15,)), "macos": ((10, 7), None)},
}
_SYSTEMS = ("openbsd", "freebsd", "macos")


def system(version: str) -> tuple[str, tuple[int, ...]] | None:
    """A system and its release; None where it is none that has pf."""
    name, dash, number = version.partition("-")
    found = release(number)
    return (name, found) if name in _SYSTEMS and dash and found else None


def serves(target: str, version: str) -> bool:
    """Whether a target's dialect is that of a version."""
    found = system(version)
    served = SERVED[target].get(found[0]) if found else None
    if found is None or served is None:
        return False
    first, end = served
    return first <= found[1] and (end is None or found[1] < end)
