"""What rules put into sets and maps while packets pass, as far as verdicts hang on it.

Whether a packet finds an element there is not known: both can be. Known is one thing about two sets
that are kept together. If every rule that puts a key into the one has put that key, with what tells
the packet's host beside it, into the other before, and for the same time, then a packet that finds
the key in the one and not its own in the other has met what *another* host left there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tunnelgate_targets.nftables.read import build

Key = tuple[str, ...]
#: What tells hosts apart: their addresses, and the zones that stand for these.
_HOST = frozenset({"ct zone", "ip saddr"})


class Lookup(NamedTuple):
    """That a packet finds its key in a set, or does not."""

    key: Key
    name: str
    is_found: bool


class Learned:
    """The sets and maps of a table that its own rules change."""

    def __init__(self, sets: Mapping[str, build.Set], rules: Iterable[build.Rule]) -> None:
        self.sets = sets
        self.changes = [
            [part for part in rule.parts if isinstance(part, build.Change)] for rule in rules
        ]

    def is_filled(self, name: str) -> bool:
        """Whether a rule puts what a zone is into a map."""
        return any(
            one.name == name and one.is_put and one.element.data in {("ct zone",), ()}
            for some in self.changes
            for one in some
        )

    def is_anothers(self, lookups: Iterable[Lookup]) -> bool:
        """Whether no packet finds all this but where another host has left something."""
        found = [one for one in lookups if one.is_found]
        missing = [one for one in lookups if not one.is_found]
        return any(self._are_kept_together(one, other) for one in found for other in missing)

    def _are_kept_together(self, one: Lookup, other: Lookup) -> bool:
        host = set(other.key) - set(one.key)
        if len(other.key) != len(one.key) + 1 or not host <= _HOST or len(host) != 1:
            return False
        if self.sets[one.name].timeout != self.sets[other.name].timeout:
            return False
        return all(self._keeps(some, one.name, other.name, host) for some in self.changes)

    @staticmethod
    def _keeps(changes: list[build.Change], one: str, other: str, host: set[str]) -> bool:
        """Whether a rule changes both sets together, the narrower one first."""
        put: set[tuple[frozenset[str], str]] = set()
        taken: set[frozenset[str]] = set()
        for change in changes:
            key, timeout = frozenset(change.element.key), change.element.timeout
            if change.name == other:
                if change.is_put:
                    put.add((key, timeout))
                elif key - host not in taken:
                    return False
            elif change.name == one:
                if not change.is_put:
                    taken.add(key)
                elif (key | host, timeout) not in put:
                    return False
        return True
