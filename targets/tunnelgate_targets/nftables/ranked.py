"""Nodes of which the first that matches counts: rules while they are few, look-ups of many.

A rule says what it is for; but the cost of a packet must not grow with the number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from tunnelgate.plan import Match, Origin, Rule, Shape, tabulate, tiers
from tunnelgate_targets.nftables.sets import VERDICT, Entry, NamedSet, key, named_sets

#: So many statements of one kind are rules of their own.
FEW = 8


class _Stated(Protocol):
    @property
    def match(self) -> Match: ...

    @property
    def origin(self) -> Origin: ...


Node = TypeVar("Node", bound=_Stated)


class Ending(NamedTuple):
    """What is done with the packets that a node matches.

    Attributes:
        word: begins the name of the set or map that they are looked up in.
        rule: what a rule does with it, told `key` and `name`.
        value: of the map; a set has none.
        typeof: of such values.
    """

    word: str
    rule: str
    value: str = ""
    typeof: str = ""


def act(word: str, action: str) -> Ending:
    """The ending of nodes that all do one thing: they are in a set."""
    return Ending(word, f"{{key}} @{{name}} {action}")


def goto(word: str, chain: str) -> Ending:
    """The ending of a node that has a chain of its own."""
    return calls(word, f"goto {chain}")


def calls(word: str, verdict: str) -> Ending:
    """The same, by a `jump` or `goto` to the chain."""
    return Ending(word, "{key} vmap @{name}", verdict, VERDICT)


class Lookup(NamedTuple):
    """A set or map, and the end of the rule that looks packets up in it."""

    made: NamedSet
    rule: str


def ranked(
    nodes: Sequence[Node],
    effect: Callable[[Node], Hashable],
    rules: Callable[[Node], Iterator[str]],
    look_ups: Callable[[Sequence[Node], str], Iterator[str]],
) -> Iterator[str]:
    """The lines of nodes of one path, in order; `look_ups` is told the number of a tier, too."""
    whole = [nodes] if len(nodes) <= FEW else tiers(nodes, effect)
    for number, tier in enumerate(whole, start=1):
        if len(tier) <= FEW:
            for node in tier:
                yield from rules(node)
        else:
            yield from look_ups(tier, "" if number == 1 else f".{number}")


def lookups(
    ends: str, family: int, nodes: Sequence[Node], ending: Callable[[Node], Ending]
) -> tuple[list[Lookup], set[Origin]]:
    """The sets and maps of a tier, and the statements whose nodes have to stay rules.

    Args:
        ends: of the path, in the names of sets.
        family: of all nodes, 0 for either; what they match of another is not looked up.
    """
    of = {node.origin: node for node in nodes}
    endings: dict[Origin, Ending] = {}
    tables, alone = tabulate([Rule(node.match, node.origin) for node in nodes])
    rest = {rule.origin for rule in alone}
    rows: dict[tuple[Ending, Shape], list[Entry]] = defaultdict(list)
    for table in tables:
        if not key(table.shape) or table.shape.family != family:
            # of another family no packet comes here
            rest |= set() if table.shape.family else {row.origin for row in table.rows}
        else:
            for row in table.rows:
                end = endings.get(row.origin) or ending(of[row.origin])
                endings[row.origin] = end
                entry = Entry(row.element, end.value, row.origin.text)
                rows[end._replace(value=""), table.shape].append(entry)
    found = [
        Lookup(made, end.rule.format(key=made.key, name=made.name))
        for (end, shape), some in rows.items()
        for made in named_sets(f"{end.word}.{ends}", shape, some, end.typeof)
    ]
    return found, rest
