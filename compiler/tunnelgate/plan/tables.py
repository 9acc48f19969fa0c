"""Many rules as few tables: rows of one shape go into one set, map or ipset of a target.

A statement about host pairs is a row or a few, so that the number of rules, and the cost of a
packet, does not grow with the number of statements. A statement whose sources and destinations are
both lists would be a product of rows; it stays a rule of its own with two sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.plan.channels import Channel, Kind, channels
from tunnelgate.plan.model import Match, Origin, Rule

#: More rows than this from one statement, and it is a rule with sets instead.
_MAX_ROWS = 256


class Shape(NamedTuple):
    """What the rows of a table ask for. `family` 0: no address, so either."""

    family: int
    source: bool
    destination: bool
    kind: Kind
    translated: bool


class Element(NamedTuple):
    """One row: an interval where the shape asks for an address, None where it does not.

    Elements of one shape are in order as the tuples that they are: they have None in one place.
    """

    source: Interval | None
    destination: Interval | None
    channel: Channel

    @property
    def is_exact(self) -> bool:
        """Whether it is one point: a hash finds it."""
        return (
            (self.source is None or self.source[0] == self.source[1])
            and (self.destination is None or self.destination[0] == self.destination[1])
            and self.channel.low == self.channel.high
        )


class Row(NamedTuple):
    """An element and the statement it is there for."""

    element: Element
    origin: Origin


class Table(NamedTuple):
    """Rows of one shape, sorted, each element once."""

    shape: Shape
    rows: tuple[Row, ...]

    @property
    def is_exact(self) -> bool:
        """Whether every row is one point."""
        return all(row.element.is_exact for row in self.rows)


def tabulate(rules: Iterable[Rule]) -> tuple[tuple[Table, ...], tuple[Rule, ...]]:
    """Tables for the plain rules, and the rules that have to stay alone."""
    rows: dict[Shape, dict[Element, Origin]] = defaultdict(dict)
    alone: list[Rule] = []
    for rule in rules:
        if not rule.is_plain or not _tabulated(rule, rows):
            alone.append(rule)
    tables = [
        Table(shape, tuple(Row(element, found[element]) for element in sorted(found)))
        for shape, found in rows.items()
    ]
    tables.sort(key=lambda table: _shape_order(table.shape))
    return tuple(tables), tuple(alone)


def _tabulated(rule: Rule, rows: dict[Shape, dict[Element, Origin]]) -> bool:
    """Put a rule into the tables. Whether it could be."""
    parts = list(rule.match.families())
    split = channels(rule.match.l4)
    if any(_rows(part, len(split)) > _MAX_ROWS for _, part in parts):
        return False
    for family, part in parts:
        sources, destinations = asked(part.source), asked(part.destination)
        for channel in split:
            shape = Shape(
                family,
                sources != (None,),
                destinations != (None,),
                channel.kind,
                rule.translated,
            )
            if family and channel.kind is (Kind.ICMPV6 if family == 4 else Kind.ICMP):
                continue
            found = rows[shape]
            for source in sources:
                for destination in destinations:
                    found.setdefault(Element(source, destination, channel), rule.origin)
    return True


def asked(addresses: Intervals) -> tuple[Interval | None, ...]:
    """The intervals of a set of addresses; None alone where any will do."""
    return (None,) if addresses == axes.ANY_ADDRESS else addresses.items


def _rows(match: Match, split: int) -> int:
    """How many rows a match would be; one-sided lists are free, products count."""
    sources, destinations = len(asked(match.source)), len(asked(match.destination))
    return 0 if sources == 1 or destinations == 1 else sources * destinations * split


def _shape_order(shape: Shape) -> tuple[int, bool, bool, int, bool]:
    return (
        shape.family,
        shape.source,
        shape.destination,
        list(Kind).index(shape.kind),
        shape.translated,
    )
