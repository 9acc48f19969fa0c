"""Nodes of which the first that matches counts: rules while they are few, look-ups of many.

A rule says what it is for; but the cost of a packet must not grow with the number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import (
    Channel,
    Element,
    Kind,
    Match,
    Origin,
    Row,
    Rule,
    Shape,
    Table,
    tabulate,
    tiers,
)
from tunnelgate_targets.nftables.sets import ANY_CHANNEL, VERDICT, Entry, NamedSet, key, named_sets
from tunnelgate_targets.nftables.words import channel_matches, digest, join

#: So many statements of one kind are rules of their own.
FEW = 8
#: So many networks that are asked for the same ports have a set of their own.
_MANY = 512


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
    rows: dict[tuple[Ending, str, Shape], list[Entry]] = defaultdict(list)
    for table in tables:
        if not key(table.shape) or table.shape.family != family:
            # of another family no packet comes here
            rest |= set() if table.shape.family else {row.origin for row in table.rows}
        else:
            for words, part in by_channels(table, lambda row: row.origin):
                for row in part.rows:
                    end = endings.get(row.origin) or ending(of[row.origin])
                    endings[row.origin] = end
                    entry = Entry(row.element, end.value, row.origin.text)
                    rows[end._replace(value=""), words, part.shape].append(entry)
    found: list[Lookup] = []
    for (end, words, shape), some in rows.items():
        name = ".".join((end.word, ends, *([digest(words)] if words else ())))
        for made in named_sets(name, shape, some, end.typeof):
            rule = end.rule.format(key=made.key, name=made.name)
            found.append(Lookup(made, join(words, rule)))
    return found, rest


def by_channels(
    table: Table, told_by: Callable[[Row], Hashable] = lambda _: None
) -> Iterator[tuple[str, Table]]:
    """A table, or what of it asks many networks for the same ports, each with the match of these:
    looking up a range costs as much as there are rows, and fields in a row (nft_set_pipapo.c).

    Rows between the same networks are one, if what they are `told_by` is the same, too.
    """
    ports: dict[tuple[Element, Hashable], list[Row]] = defaultdict(list)
    for row in table.rows:
        if table.shape.kind is Kind.PORT and not row.element.is_exact:
            ports[row.element._replace(channel=ANY_CHANNEL), told_by(row)].append(row)
    alike: dict[tuple[Channel, ...], list[Row]] = defaultdict(list)
    for (between, _), rows in ports.items():
        channels = tuple(row.element.channel for row in rows)
        alike[channels].append(Row(between, rows[0].origin))
    many = {channels: rows for channels, rows in alike.items() if len(rows) >= _MANY}
    told = {(row.element, told_by(row)) for rows in many.values() for row in rows}
    rest = [
        row
        for row in table.rows
        if (row.element._replace(channel=ANY_CHANNEL), told_by(row)) not in told
    ]
    if rest:
        yield "", Table(table.shape, tuple(rest))
    for channels, rows in many.items():
        l4 = Intervals.of(axes.l4(one.protocol, one.low, one.high) for one in channels)
        for words in channel_matches(l4):
            yield words, Table(table.shape._replace(kind=Kind.ANY), tuple(rows))
