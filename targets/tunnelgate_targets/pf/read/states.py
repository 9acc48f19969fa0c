"""The options of `keep state`: which interface, and what limits or times it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tunnelgate_targets.pf.read.parts import Word
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import TableName

_BARE = frozenset({"sloppy", "no-sync", "pflow"})
_WITH_NUMBER = frozenset({"max", "max-src-conn", "max-src-nodes", "max-src-states"})
_TIMEOUT = re.compile(
    r"(?:tcp|udp|icmp|sctp|other|adaptive)\.[a-z]+|frag|interval|src\.track|tcp\.tsdiff"
)


class StateOptions:
    """Takes options one by one; `bound` is None where none says on which interface."""

    def __init__(self, items: Sequence[Any], line: int) -> None:
        self._items = list(items)
        self._line = line
        self.bound: bool | None = None
        self.options: list[str] = []
        while self._items:
            self._option(self._word())

    def _option(self, name: str) -> None:
        if name in {"if-bound", "floating"}:
            self.bound = name == "if-bound"
        elif name in _BARE:
            self.options.append(name)
        elif name in _WITH_NUMBER or _TIMEOUT.fullmatch(name):
            self.options.append(f"{name} {self._number()}")
        elif name == "max-src-conn-rate":
            self.options.append(f"{name} {self._number()}{self._slash()}{self._number()}")
        elif name == "source-track":
            word = self._word() if self._next() in {"rule", "global"} else "global"
            self.options.append(f"{name} {word}")
        elif name == "overload":
            self._overload()
        else:
            raise Refused(f"`{name}` is no option of a state that is known here", self._line)

    def _overload(self) -> None:
        table = self._items.pop(0) if self._items else None
        if not isinstance(table, TableName):
            raise Refused("`overload` needs a table", self._line)
        words = [f"overload <{table.name}>"]
        while self._next() in {"flush", "global"}:
            words.append(self._word())
        self.options.append(" ".join(words))

    def _next(self) -> str | None:
        item = self._items[0] if self._items else None
        return item.text if isinstance(item, Word) else None

    def _word(self) -> str:
        text = self._next()
        if text is None:
            raise Refused("an option of a state is missing", self._line)
        del self._items[0]
        return text

    def _number(self) -> int:
        text = self._word()
        if not text.isdigit():
            raise Refused(f"`{text}` is no number", self._line)
        return int(text)

    def _slash(self) -> str:
        if not self._items or str(self._items.pop(0)) != "/":
            raise Refused("a rate is connections, `/`, seconds", self._line)
        return "/"
