"""A pf ruleset as values: macros and lists are expanded, names are numbers, nothing is text.

Addresses are places on the axis of `tunnelgate.flows.axes`. What only a machine knows (the
addresses of an interface, its groups) stays a name. Source of every meaning: pf.conf(5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals

ANY_PORT = Intervals.span(0, axes.PORTS - 1)


class Dialect(Enum):
    """What a text is written in."""

    MODERN = "modern"
    """OpenBSD, and FreeBSD from 15."""
    CLASSIC = "classic"
    """FreeBSD up to 14, and macOS."""


class Direction(Enum):
    """Which way a packet crosses an interface, seen from the machine."""

    IN = "in"
    OUT = "out"


class Action(Enum):
    """What a filter rule decides; a `match` decides nothing, and does what it says at once."""

    PASS = "pass"
    BLOCK = "block"
    MATCH = "match"


class Kind(Enum):
    """A translation rule of the classic dialect."""

    NAT = "nat"
    RDR = "rdr"
    BINAT = "binat"


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface or a group of them; `any` is every one but a loopback."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses of one family: both ends, on the axis of addresses."""

    interval: Interval

    @property
    def family(self) -> int:
        """4 or 6."""
        return axes.family(self.interval[0])


@dataclass(frozen=True, slots=True)
class OfInterface:
    """Addresses of an interface, a group, or the machine (`self`).

    Attributes:
        name: the interface's.
        part: "" for its addresses, `network` for those on the wire, `broadcast` or `peer`.
        primary: without aliases (`:0`).
        length: of the prefix around each, None for the address alone.
        dynamic: in parentheses: as they are when a packet comes. Else as they were at load.
    """

    name: str
    part: str = ""
    primary: bool = False
    length: int | None = None
    dynamic: bool = True


@dataclass(frozen=True, slots=True)
class TableName:
    """What a table holds. One that nothing defines holds nothing, and pfctl says nothing."""

    name: str


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Addresses that no route leads to."""


Address = Span | OfInterface | TableName | NoRoute


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a packet; no address is any. Ports are asked of TCP and UDP alone."""

    address: Address | None = None
    negated: bool = False
    ports: Intervals = ANY_PORT


@dataclass(frozen=True, slots=True)
class Icmp:
    """Type and code; None is any code."""

    kind: int
    code: int | None


@dataclass(frozen=True, slots=True)
class Flags:
    """TCP flags: of those in `among`, exactly these are on. Both empty: any."""

    on: frozenset[str] = frozenset()
    among: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tag a packet must have, or must not."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a rule asks; None, 0 and empty is anything.

    Attributes:
        family: 4, 6, or 0 for both.
        received: the interface the packet came in by.
    """

    direction: Direction | None = None
    interface: Interface | None = None
    family: int = 0
    protocol: int | None = None
    source: Side = Side()
    destination: Side = Side()
    icmp: Icmp | None = None
    flags: Flags = Flags()
    tagged: Tagged | None = None
    received: Interface | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """What an address is translated to.

    Attributes:
        addresses: more than one, or an interface's all: which one is chosen for each flow.
        ports: the first and last port, None where the text says none.
        static: the source port stays what it is.
        choice: how one of several is chosen, "" where there is one.
        sticky: the same for all flows of a source.
    """

    addresses: tuple[Address, ...]
    ports: tuple[int, int] | None = None
    static: bool = False
    choice: str = ""
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A connection is remembered, and its further packets ask no rule.

    Attributes:
        how: `keep`, `modulate` or `synproxy`.
        bound: only on the interface where it was made.
        options: what limits or times it, in words; says nothing about a first packet.
    """

    how: str = "keep"
    bound: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A `pass`, `block` or `match`.

    Attributes:
        quick: no rule behind it is asked.
        state: None where none is kept; a `block` and a `match` keep none.
        tag: what a packet that matches is tagged with, even if another rule decides.
        nat, rdr: what source or destination become; a `binat-to` is two rules, one of each.
        allow_options: also packets with IP options.
        answer: what a `block` sends back, `drop` for nothing.
        actions: queues, priorities, normalization, in words; no verdict.
    """

    line: int
    action: Action
    criteria: Criteria
    quick: bool = False
    log: bool = False
    state: State | None = None
    tag: str | None = None
    label: str | None = None
    nat: Pool | None = None
    rdr: Pool | None = None
    allow_options: bool = False
    answer: str = "drop"
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Translation:
    """A `nat`, `rdr` or `binat` of the classic dialect: the first one that matches.

    Attributes:
        exempt: `no nat`, `no rdr`, `no binat`: what matches stays as it is.
        passes: `rdr pass`: the filter of this interface is not asked.
        pool: None exactly for an exemption.
    """

    line: int
    kind: Kind
    criteria: Criteria
    exempt: bool = False
    passes: bool = False
    log: bool = False
    tag: str | None = None
    pool: Pool | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """Rules of their own for what matches; `rules` is None where another text holds them."""

    line: int
    name: str | None
    criteria: Criteria
    quick: bool
    rules: tuple[Rule | Anchor, ...] | None
    tag: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Addresses under a name; of two entries that hold an address the longer prefix counts."""

    line: int
    name: str
    entries: tuple[tuple[Span | OfInterface, bool], ...]
    """Each with whether it is an exception (`!`)."""


@dataclass(frozen=True, slots=True)
class Scrub:
    """Normalization of the classic dialect, in words; no verdict."""

    line: int
    criteria: Criteria
    exempt: bool
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that say something about a packet, and the words of those that do not."""

    skip: tuple[str, ...] = ()
    reassemble: bool | None = None
    others: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Ruleset:
    """A whole text."""

    dialect: Dialect
    options: Options
    tables: Mapping[str, Table]
    scrubs: tuple[Scrub, ...]
    translations: tuple[Translation, ...]
    rules: tuple[Rule | Anchor, ...]
    macros: Mapping[str, str] = field(default_factory=dict)
