"""Statements of one pair as rules of their own while they are few, and as rows of sets beyond that.

A rule says what it is for, a set does not; but the cost of a packet must not grow with the number
of statements. Nothing here depends on the family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.plan import (
    Channel,
    Kind,
    Match,
    Origin,
    Row,
    Rule,
    Shape,
    Table,
    channels,
    tabulate,
)

#: So many statements of one kind are rules of their own.
FEW = 8
#: Sets spread a range of ports into its members; a wider one is matched by a rule.
_MAX_SPREAD = 16
#: What ipset knows ports of (ipset(8), hash:ip,port); types of ICMP it knows only with their code.
SET_PORTS = {axes.TCP: "tcp", axes.UDP: "udp", axes.SCTP: "sctp", axes.UDPLITE: "udplite"}
_NOT_PORTLESS = frozenset({0, axes.ICMP, axes.ICMPV6, *SET_PORTS})


@dataclass(frozen=True, slots=True)
class Merged:
    """Channels of many statements that ask for no address."""

    l4: Intervals
    translated: bool
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Permissions without a limit, or denials, of one pair.

    Attributes:
        single: rules of their own.
        merged: of the many that ask for no address, all channels together.
        tables: of the many that ask for addresses, what sets can tell by address and channel.
        wide: and what they can tell by address only, with the channels that a rule has to match.
    """

    single: tuple[Rule, ...]
    merged: tuple[Merged, ...]
    tables: tuple[Table, ...]
    wide: tuple[tuple[Intervals, tuple[Table, ...]], ...]


def group(rules: Iterable[Rule]) -> Group:
    """Divide rules; logs, limits and counters are another's business."""
    single: list[Rule] = []
    without: list[Rule] = []
    with_addresses: list[Rule] = []
    for one in rules:
        bare = one if one.is_plain else _bare(one)
        if bare.decrypted:
            single.append(bare)
        elif bare.match.source == axes.ANY_ADDRESS == bare.match.destination:
            without.append(bare)
        else:
            with_addresses.append(bare)
    merged: tuple[Merged, ...] = ()
    if len(without) <= FEW:
        single += without
    else:
        merged = tuple(_merge(without))
    if len(with_addresses) <= FEW:
        return Group((*single, *with_addresses), merged, (), ())
    tables, alone = tabulate(_fitting(with_addresses))
    single += alone
    wide = tuple(_wide(with_addresses, single))
    return Group(tuple(single), merged, tuple(_joined(tables)), wide)


def _fitting(rules: list[Rule]) -> Iterator[Rule]:
    """The rules as far as sets can tell their channels."""
    for rule in rules:
        part = split(rule.match.l4)[0]
        if part:
            yield _with_l4(rule, part)


def _joined(tables: Iterable[Table]) -> Iterator[Table]:
    """Tables of ports and of protocols together: one set holds both."""
    rows: dict[Shape, list[Row]] = defaultdict(list)
    for table in tables:
        rows[table.shape._replace(kind=Kind.PORT)] += table.rows
    for shape, some in rows.items():
        yield Table(shape, tuple(some))


def _bare(rule: Rule) -> Rule:
    """The match of a rule alone."""
    return Rule(rule.match, rule.origin, translated=rule.translated, decrypted=rule.decrypted)


def _merge(rules: list[Rule]) -> Iterator[Merged]:
    for translated in (False, True):
        some = [rule for rule in rules if rule.translated is translated]
        if some:
            l4 = Intervals.union_of(rule.match.l4 for rule in some)
            yield Merged(l4, translated, tuple(rule.origin for rule in some))


def _wide(rules: list[Rule], single: list[Rule]) -> Iterator[tuple[Intervals, tuple[Table, ...]]]:
    """Tables of addresses for each set of channels that no set of ipset holds."""
    by_l4: dict[Intervals, list[Rule]] = defaultdict(list)
    for rule in rules:
        part = split(rule.match.l4)[1]
        if part:
            by_l4[part].append(_with_l4(rule, axes.ANY_L4))
    for l4 in sorted(by_l4, key=lambda one: one.items):
        tables, alone = tabulate(by_l4[l4])
        single += (_with_l4(rule, l4) for rule in alone)
        yield l4, tables


def _with_l4(rule: Rule, l4: Intervals) -> Rule:
    if rule.match.l4 == l4:
        return rule
    return replace(rule, match=Match(rule.match.source, rule.match.destination, l4))


@lru_cache(maxsize=4096)
def split(l4: Intervals) -> tuple[Intervals, Intervals]:
    """The channels that can be elements of a set, and those that cannot."""
    fitting = Intervals.of(interval_of(one) for one in channels(l4) if _fits(one))
    return fitting, l4 - fitting


def _fits(channel: Channel) -> bool:
    if channel.high - channel.low >= _MAX_SPREAD:
        return False
    if channel.kind is Kind.PORT:
        return channel.protocol in SET_PORTS
    members = range(channel.low, channel.high + 1)
    return channel.kind is Kind.PROTOCOL and _NOT_PORTLESS.isdisjoint(members)


def interval_of(channel: Channel) -> Interval:
    """The places of ports, or of protocols without any, on the axis of channels."""
    if channel.kind is Kind.PORT:
        return axes.l4(channel.protocol, channel.low, channel.high)
    return axes.l4(channel.low)[0], axes.l4(channel.high)[1]
