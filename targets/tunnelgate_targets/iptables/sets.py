"""Sets for ipset: addresses, and the rows of many statements.

The name of a set holds a digest of its content, so a set never changes: while a new ruleset is
loaded the rules in force go on with theirs, and loading twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tunnelgate.flows import Intervals
from tunnelgate_targets.iptables.names import set_name
from tunnelgate_targets.iptables.quote import plain
from tunnelgate_targets.iptables.words import all_prefixes, known

_DIRECTION = {"s": "src", "d": "dst"}
_INET = {4: "inet", 6: "inet6"}
#: ipset(8): the prefix size 0 is not accepted by hash types that take prefixes.
_HALVES = {
    "0.0.0.0/0": ("0.0.0.0/1", "128.0.0.0/1"),
    "::/0": ("::/1", "8000::/1"),
}
#: What ipset takes by itself; said only where it is not enough (ipset(8), maxelem and hashsize).
_MAXELEM = 65536
_HASHSIZE = 1024


Parts = Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Ipset:
    """One set.

    Attributes:
        parts: its elements, by the statement they are there for ("" where it is one place's).
        size: how many the kernel will hold, ranges of ports spread.
    """

    name: str
    kind: str
    family: int
    parts: Parts
    size: int

    def lines(self) -> Iterator[str]:
        """The lines of `ipset restore` that make it."""
        options = f"family {_INET[self.family]}"
        if self.size > _HASHSIZE:
            options += f" hashsize {1 << (self.size - 1).bit_length()}"
        if self.size > _MAXELEM:
            options += f" maxelem {self.size}"
        yield f"create {self.name} {self.kind} {options}"
        for about, elements in self.parts:
            if about:
                yield f"# {plain(about)}"
            for element in elements:
                yield f"add {self.name} {element}"


class Sets:
    """The sets of a ruleset, each once, in the order in which rules ask for them."""

    def __init__(self) -> None:
        self._sets: dict[str, Ipset] = {}

    def __iter__(self) -> Iterator[Ipset]:
        return iter(self._sets.values())

    def __bool__(self) -> bool:
        return bool(self._sets)

    def add(self, label: str, kind: str, family: int, parts: Parts, size: int) -> str:
        """The name of the set with these elements."""
        elements = (element for _, some in parts for element in some)
        name = set_name(family, label, "\n".join((kind, *elements)))
        if name not in self._sets:
            self._sets[name] = Ipset(name, kind, family, parts, size)
        return name

    def match(self, side: str, addresses: Intervals, family: int, label: str) -> str | None:
        """The match of a source (`side` "s") or destination ("d") of one family.

        "" where any address will do, None where none does. One prefix stands in the rule itself.
        What has fewer parts outside than inside is told by what is outside.
        """
        everything = known(family)
        wanted = addresses & everything
        if not wanted:
            return None
        rest = everything - wanted
        if not rest:
            return ""
        is_negated = len(rest.items) < len(wanted.items)
        found = all_prefixes(rest if is_negated else wanted)
        no = "! " if is_negated else ""
        if len(found) == 1:
            return f"{no}-{side} {found[0]}"
        kind = "hash:net" if any("/" in text for text in found) else "hash:ip"
        name = self.add(label, kind, family, (("", found),), len(found))
        return f"-m set {no}--match-set {name} {_DIRECTION[side]}"


def halved(texts: Iterable[str]) -> Iterator[str]:
    """Prefixes that hash types take: the whole family as two halves."""
    for text in texts:
        yield from _HALVES.get(text, (text,))
