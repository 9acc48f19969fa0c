"""Pairs of first-match lists over the axes of flows that are nearly the same, or the same told
otherwise.

A pair begins as one list twice. Then one of the two is told otherwise, in ways that change no
point; and in most pairs an edge of it is changed or two, which may or may not show.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import (
    ANY_PORT,
    DROP,
    EVERYTHING,
    KEPT,
    MOVED,
    Delivered,
    Rate,
    Sets,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.flows.sets import common

Side = list[list[Row]]

_ZONES = Intervals.span(0, 5)
_SPACES: Box = (_ZONES, axes.ANY_L4, ANY_PORT, axes.ANY_ADDRESS, axes.ANY_ADDRESS)
_PUBLIC = axes.address_of("203.0.113.1")
#: What each stage says; as the lists of policies do, in their order.
_STAGES = (
    [
        DROP,
        Delivered("lan"),
        Delivered("wan"),
        Delivered("wan", axes.address_of("192.168.1.10"), 443),
        Delivered("wan", rates=frozenset([Rate(5, "minute", per_source=True)])),
    ],
    [None, _PUBLIC, _PUBLIC + 1, axes.unknown_address(1, 4)],
    [None, KEPT, MOVED],
    [None, "pptp", "tftp"],
)


class Pair(NamedTuple):
    """Two sides, the domain, and whether the other has a changed edge."""

    one: Side
    other: Side
    domain: Box
    is_edged: bool


def pair(seed: int) -> Pair:
    """The pair of a seed."""
    choose = random.Random(seed)
    used = choose.choice([1, 1, 2, 4])
    one = [_stage(choose, said, choose.choice([2, 5, 9, 14])) for said in _STAGES[:used]]
    other = [list(stage) for stage in one]
    for _ in range(choose.randrange(1, 5)):
        _change(choose, other, _SAME)
    edges = choose.choice([0, 1, 1, 2])
    for _ in range(edges):
        _change(choose, other, _EDGES)
    family = axes.family_axis(choose.choice([4, 4, 6]))
    domain = choose.choice([_SPACES, (*_SPACES[:3], family, family)])
    return Pair(one, other, domain, edges > 0)


# -- lists


def _stage(choose: random.Random, said: list[object], rows: int) -> list[Row]:
    sets = [_sets(choose) for _ in range(rows)]
    # some rows stand within others, so that order counts
    for at in range(1, rows):
        if choose.random() < 0.4:
            sets[at] = common(sets[at], sets[choose.randrange(at)]) or sets[at]
    found = [Row(one, choose.choice(said), at) for at, one in enumerate(sets)]
    return [*found, Row(EVERYTHING, choose.choice(said), rows)]


def _sets(choose: random.Random) -> Sets:
    makers = (_zones, _channels, _ports, _addresses, _addresses)
    likely = (0.15, 0.6, 0.15, 0.6, 0.6)
    return tuple(
        make(choose) if choose.random() < share else None
        for make, share in zip(makers, likely, strict=True)
    )


def _zones(choose: random.Random) -> Intervals:
    return Intervals.single(choose.randrange(6))


def _channels(choose: random.Random) -> Intervals:
    protocols = [axes.ICMP, axes.TCP, axes.UDP, axes.GRE, axes.ESP, axes.AH, axes.ICMPV6]
    found: list[Interval] = []
    for _ in range(choose.choice([1, 1, 2, 4])):
        protocol = choose.choice(protocols)
        port = choose.choice([22, 500, 1701, 4500, choose.randrange(65000)])
        last = choose.choice([port, port, port + choose.randrange(500)])
        found.append(choose.choice([axes.l4(protocol), axes.l4(protocol, port, last)]))
    return _perhaps_not(choose, Intervals.of(found), axes.ANY_L4)


def _ports(choose: random.Random) -> Intervals:
    return choose.choice([Intervals.single(500), Intervals.span(4501, 65535), Intervals.span(0, 4)])


def _addresses(choose: random.Random) -> Intervals:
    """Networks and hosts of both families, unknown ones, and now and then a large set of hosts."""
    if choose.random() < 0.05:
        start = axes.address_of(choose.choice(["10.0.0.0", "2001:db8::"]))
        many = choose.choice([30, 70, 150])
        return Intervals.of((start + 2 * i, start + 2 * i) for i in range(many))
    found = Intervals.of(_network(choose) for _ in range(choose.choice([1, 1, 1, 2, 5])))
    if choose.random() < 0.1:
        found |= Intervals.single(axes.unknown_address(choose.randrange(3), choose.choice([4, 6])))
    return _perhaps_not(choose, found, axes.ANY_ADDRESS)


def _network(choose: random.Random) -> Interval:
    base, bits = choose.choice(
        [("10.0.0.0", 24), ("192.168.0.0", 16), ("203.0.113.0", 8), ("2001:db8::", 96)]
    )
    free = choose.choice([0, 0, 1, bits // 3, bits // 2, bits])
    low = axes.address_of(base) + (choose.getrandbits(bits) >> free << free)
    return low, low + (1 << free) - 1


def _perhaps_not(choose: random.Random, found: Intervals, space: Intervals) -> Intervals:
    return space - found if choose.random() < 0.1 else found


# -- changes

Change = Callable[[random.Random, list[Row], int], bool]
"""Changes a row of a stage, never the last, and says whether it did; or a row is put there."""


def _change(choose: random.Random, side: Side, ways: tuple[Change, ...]) -> None:
    for _ in range(20):
        stage = choose.choice(side)
        if choose.choice(ways)(choose, stage, choose.randrange(len(stage) - 1)):
            return


def _split(choose: random.Random, stage: list[Row], at: int) -> bool:
    """A row in two that touch on some axis."""
    row = stage[at]
    axis = choose.randrange(len(row.sets))
    wanted = row.sets[axis] or _SPACES[axis]
    low, high = choose.choice(wanted.items)
    if low == high:
        return False
    middle = Intervals.span(low, choose.randrange(low, high))
    halves = [_with(row, axis, middle), _with(row, axis, wanted - middle)]
    choose.shuffle(halves)
    stage[at : at + 1] = halves
    return True


def _shadowed(choose: random.Random, stage: list[Row], at: int) -> bool:
    """A row that an earlier one hides."""
    box = common(stage[at].sets, _sets(choose))
    if box is None:
        return False
    label = choose.choice(stage).label
    stage.insert(choose.randrange(at + 1, len(stage)), Row(box, label, "hidden"))
    return True


def _swap_apart(_choose: random.Random, stage: list[Row], at: int) -> bool:
    """Two neighbours that have no point in common, or say the same, change places."""
    one, two = stage[at : at + 2]
    if two is stage[-1] or (one.label != two.label and common(one.sets, two.sets) is not None):
        return False
    stage[at : at + 2] = [two, one]
    return True


def _cut_hidden(_choose: random.Random, stage: list[Row], at: int) -> bool:
    """A row asks no more for what the row before it takes, on the one axis that they differ by."""
    one, two = stage[at : at + 2]
    differing = [
        axis for axis, both in enumerate(zip(one.sets, two.sets, strict=True)) if both[0] != both[1]
    ]
    if two is stage[-1] or len(differing) != 1:
        return False
    (axis,) = differing
    taken = one.sets[axis] or _SPACES[axis]
    left = (two.sets[axis] or _SPACES[axis]) - taken
    if not left:
        return False
    stage[at + 1] = _with(two, axis, left)
    return True


def _edge(choose: random.Random, stage: list[Row], at: int) -> bool:
    """A border of an interval by one."""
    row = stage[at]
    asked = [axis for axis, wanted in enumerate(row.sets) if wanted]
    if not asked:
        return False
    axis = choose.choice(asked)
    wanted = row.sets[axis]
    assert wanted is not None
    low, high = choose.choice(wanted.items)
    border = choose.choice([low - 1, low, high, high + 1])
    one = Intervals.single(border)
    changed = wanted - one if border in wanted else (wanted | one) & _SPACES[axis]
    if not changed:
        return False
    stage[at] = _with(row, axis, changed)
    return True


def _label(choose: random.Random, stage: list[Row], at: int) -> bool:
    """What a row says."""
    stage[at] = stage[at]._replace(label=choose.choice(stage).label)
    return True


def _order(_choose: random.Random, stage: list[Row], at: int) -> bool:
    """Two neighbours."""
    if at + 1 == len(stage) - 1:
        return False
    stage[at : at + 2] = stage[at + 1], stage[at]
    return True


def _axis(choose: random.Random, stage: list[Row], at: int) -> bool:
    """An axis is not asked any more."""
    axis = choose.randrange(len(stage[at].sets))
    if stage[at].sets[axis] is None:
        return False
    stage[at] = _with(stage[at], axis, None)
    return True


_SAME: tuple[Change, ...] = (_split, _shadowed, _swap_apart, _cut_hidden)
_EDGES: tuple[Change, ...] = (_edge, _edge, _edge, _edge, _label, _order, _axis)


def _with(row: Row, axis: int, wanted: Intervals | None) -> Row:
    return row._replace(sets=(*row.sets[:axis], wanted, *row.sets[axis + 1 :]))
