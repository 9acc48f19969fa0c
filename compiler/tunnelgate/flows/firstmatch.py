"""First-match lists, and the exact difference of two of them.

A list is rows in order: a box, and what happens to a point in it that no row before it holds. A
policy or a ruleset is a few such lists, its *stages*, asked about the same point: the verdict, then
the translation. A label that is final ends the question, so that the translation of what is dropped
is nobody's concern.

The comparison walks the axes in order over the rows still alive. An axis is split into the parts
that each set on it holds wholly or not at all; parts that leave the same rows alive are one, and
what was found for the same rows at the same axis is remembered. This is a firewall decision diagram
(Gouda and Liu, Structured firewall design, 2007) that is never built, and it is exact.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import groupby, pairwise, takewhile
from typing import NamedTuple

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.intervals import Intervals, parted

#: Nodes and parts that one comparison may look at: a count and no clock, so that what is answered
#: here is answered everywhere. 10,000 statements about pairs of hosts take some 150,000.
BUDGET = 20_000_000

#: A set of more intervals than this is large: it is split by itself, once.
_LARGE = 64

#: So many splits of an axis are remembered, then those in few parts are forgotten: of thousands of
#: pairs of hosts most are met once, and take more memory than time.
_REMEMBERED = 1024


class Row(NamedTuple):
    """What happens in a box.

    Attributes:
        sets: one for each axis; None where the axis is not asked.
        label: what happens; two lists are equal where their labels are.
        cause: whose row it is, for people; never compared.
    """

    sets: tuple[Intervals | None, ...]
    label: Hashable
    cause: object = None


Stage = Sequence[Row]
"""A first-match list; its last row asks nothing, so that every point has an answer."""


class Difference(NamedTuple):
    """A box in whose every point the two sides differ, and the rows that decide on each side."""

    box: Box
    one: tuple[Row, ...]
    other: tuple[Row, ...]


class BudgetExceeded(Exception):
    """The comparison would look at more nodes than it may; nothing is known."""


def differences(
    one: Sequence[Stage],
    other: Sequence[Stage],
    domain: Box,
    *,
    final: Iterable[Hashable] = (),
    budget: int = BUDGET,
) -> list[Difference]:
    """Where two sides differ: disjoint boxes that together are every such point of the domain.

    Args:
        one, other: the stages of each side, as many on both; each ends with a row of no set.
        domain: the points that are looked at.
        final: labels behind which no further stage is asked.
        budget: how many nodes and parts may be looked at.

    Raises:
        BudgetExceeded: more would have to be.
    """
    if not all(domain):
        return []
    return _Comparison((one, other), domain, frozenset(final), budget).run()


def cases(
    stages: Sequence[Stage],
    domain: Box,
    *,
    final: Iterable[Hashable] = (),
    budget: int = BUDGET,
) -> list[tuple[Box, tuple[Row, ...]]]:
    """A domain in disjoint boxes, each with the row of each stage that decides in all of it.

    Arguments and exceptions are those of `differences`; no stage stands behind a final label.
    """
    # Every point differs from a list that no other is equal to.
    nobody = [Row((None,) * len(domain), _Nobody.LABEL)]
    found = differences(
        stages, [nobody for _ in stages], domain, final=[*final, _Nobody.LABEL], budget=budget
    )
    return [(one.box, one.one) for one in found]


def meetings(
    stages: Sequence[Stage],
    domain: Box,
    *,
    final: Iterable[Hashable] = (),
    budget: int = BUDGET,
) -> list[tuple[Row, ...]]:
    """The rows of `cases`, each once and without the boxes: in a fraction of the time.

    Arguments and exceptions are those of `differences`.
    """
    if not all(domain):
        return []
    return _Meeting([stages], domain, frozenset(final), budget).run()


def within(stage: Stage, domain: Box) -> list[Row]:
    """The rows of a stage that a point of a domain can meet; the last one stays.

    Of a question about few points it takes less to look at every row once than at all their sets.
    """
    *rows, last = stage
    return [*(row for row in rows if _meets(row, domain)), last]


def _meets(row: Row, domain: Box) -> bool:
    for wanted, space in zip(row.sets, domain, strict=True):
        if wanted is not None and not wanted.overlaps(space):
            return False
    return True


class _Nobody(Enum):
    """A label of its own."""

    LABEL = "nobody's"


class _Found(NamedTuple):
    """A difference from some axis on: the sets of the axes behind it, and who decides."""

    sets: Box
    one: tuple[int, ...]
    other: tuple[int, ...]


class _Search:
    """Rows are numbers here, in the order of sides, stages and lists."""

    def __init__(
        self, sides: Sequence[Sequence[Stage]], domain: Box, final: frozenset[Hashable], budget: int
    ) -> None:
        self.domain = domain
        self.final = final
        self.budget = budget
        self.rows: list[Row] = []
        self.stage: list[tuple[int, int]] = []
        for side, stages in enumerate(sides):
            for number, rows in enumerate(stages):
                assert set(rows[-1].sets) == {None}, "the last row of a stage asks nothing"
                self.rows += rows
                self.stage += [(side, number)] * len(rows)
        self.axes = [_Axis(space) for space in domain]
        self.keys = [
            [axis.key(row.sets[depth]) for row in self.rows] for depth, axis in enumerate(self.axes)
        ]
        self.open_from = [self._open_from(row) for row in range(len(self.rows))]

    def _open_from(self, row: int) -> int:
        """The axis from which on a row asks nothing."""
        asked = [depth for depth, keys in enumerate(self.keys) if keys[row] >= 0]
        return asked[-1] + 1 if asked else 0

    def _reachable(self, depth: int, live: tuple[int, ...]) -> tuple[int, ...]:
        """The rows that may still decide.

        Not those behind one, in their stage, that holds all that is left, nor the stages of a side
        behind one that can only be final.
        """
        kept: list[int] = []
        for side, stage in groupby(live, self.stage.__getitem__):
            if kept and self._ended(kept, side[0]):
                continue
            for row in stage:
                kept.append(row)
                if self.open_from[row] <= depth:
                    break
        return tuple(kept)

    def _ended(self, kept: list[int], side: int) -> bool:
        """Whether the rows of the last stage kept are of this side and all final, and equal."""
        last = self.stage[kept[-1]]
        label = self.rows[kept[-1]].label
        if last[0] != side or label not in self.final:
            return False
        return all(
            self.rows[row].label == label
            for row in takewhile(lambda row: self.stage[row] == last, reversed(kept))
        )

    def _parts(self, depth: int, live: tuple[int, ...]) -> Iterator[tuple[_Part, tuple[int, ...]]]:
        """The parts of an axis, each with the rows that are alive in it."""
        keys, axis = self.keys[depth], self.axes[depth]
        always: list[int] = []
        asking: dict[int, list[int]] = {}
        for row in live:
            if keys[row] < 0:
                always.append(row)
            else:
                asking.setdefault(keys[row], []).append(row)
        parts = axis.parts(tuple(sorted(asking)))
        self.budget -= 1 + len(parts)
        if self.budget < 0:
            raise BudgetExceeded
        for part in parts:
            alive = always.copy()
            for key in part.held:
                alive += asking[key]
            alive.sort()
            yield part, tuple(alive)


class _Comparison(_Search):
    """Where two sides differ."""

    def run(self) -> list[Difference]:
        self.memo: list[dict[tuple[int, ...], tuple[_Found, ...]]] = [{} for _ in self.domain]
        found = self._walk(0, tuple(range(len(self.rows))))
        rows = self.rows
        return [
            Difference(one.sets, tuple(rows[i] for i in one.one), tuple(rows[i] for i in one.other))
            for one in found
        ]

    def _walk(self, depth: int, live: tuple[int, ...]) -> tuple[_Found, ...]:
        """The differences of the rows alive, from an axis on."""
        live = self._reachable(depth, live)
        one, other = self._decided(live, 0), self._decided(live, 1)
        if one is not None and other is not None:
            if self._labels(one) == self._labels(other):
                return ()
            if len(live) == len(one) + len(other):
                return (_Found(self.domain[depth:], one, other),)
        known = self.memo[depth].get(live)
        if known is None:
            known = self.memo[depth][live] = self._split(depth, live)
        return known

    def _decided(self, live: tuple[int, ...], side: int) -> tuple[int, ...] | None:
        """A row of each stage of a side, if all rows alive agree with it; else None."""
        heads: list[int] = []
        for (where, _), stage in groupby(live, self.stage.__getitem__):
            if where != side:
                continue
            head, *others = stage
            label = self.rows[head].label
            if any(self.rows[row].label != label for row in others):
                return None
            heads.append(head)
        return tuple(heads)

    def _labels(self, rows: tuple[int, ...]) -> list[Hashable]:
        return [self.rows[row].label for row in rows]

    def _split(self, depth: int, live: tuple[int, ...]) -> tuple[_Found, ...]:
        """The differences, part by part of this axis; equal ones of several parts are one."""
        found: dict[_Found, list[Intervals]] = {}
        for part, alive in self._parts(depth, live):
            for one in self._walk(depth + 1, alive):
                found.setdefault(one, []).append(part.intervals())
        return tuple(
            _Found((Intervals.union_of(where), *one.sets), one.one, one.other)
            for one, where in found.items()
        )


class _Meeting(_Search):
    """Which rows of a side decide together somewhere."""

    def run(self) -> list[tuple[Row, ...]]:
        self.known: list[set[tuple[int, ...]]] = [set() for _ in self.domain]
        self.found: set[tuple[int, ...]] = set()
        self._walk(0, tuple(range(len(self.rows))))
        return [tuple(self.rows[row] for row in some) for some in sorted(self.found)]

    def _walk(self, depth: int, live: tuple[int, ...]) -> None:
        """Find those of the rows alive, from an axis on."""
        live = self._reachable(depth, live)
        if all(self.stage[one] != self.stage[other] for one, other in pairwise(live)):
            self.found.add(live)
        elif live not in self.known[depth]:
            self.known[depth].add(live)
            for _, alive in self._parts(depth, live):
                self._walk(depth + 1, alive)


class _Part(NamedTuple):
    """A part of an axis: which sets hold it, and what it is the intersection of."""

    held: tuple[int, ...]
    pieces: tuple[Intervals, ...]

    def intervals(self) -> Intervals:
        """The part itself: looked up only where something differs in it."""
        first, *others = self.pieces
        for one in others:
            first &= one
        return first


class _Axis:
    """The distinct sets that rows ask of one axis, by number, and how they split its space."""

    def __init__(self, space: Intervals) -> None:
        self.space = self.hull = space
        self.sets: list[Intervals] = []
        self.bound: tuple[int, ...] = ()
        if len(space.items) > _LARGE:  # then it is a large set itself, of its hull
            self.hull = Intervals.span(space.first(), space.items[-1][1])
            self.sets.append(space)
            self.bound = (0,)
        self._keys: dict[Intervals, int] = {}
        self._parts: dict[tuple[int, ...], list[_Part]] = {}

    def key(self, wanted: Intervals | None) -> int:
        """The number of a set; -1 where nothing is asked, for the set holds all the space."""
        if wanted is None:
            return -1
        number = self._keys.get(wanted)
        if number is None:
            number = -1 if self.space <= wanted else len(self.sets)
            self._keys[wanted] = number
            if number >= 0:
                self.sets.append(wanted)
        return number

    def parts(self, keys: tuple[int, ...]) -> list[_Part]:
        """The space in parts that each set holds wholly or not at all; no two held by the same.

        Large sets are split once, and what small ones leave of them is looked up: a set of 10,000
        addresses that stands beside 10,000 small ones is not walked 10,000 times.
        """
        if not self.bound:
            return self._of_hull(keys)
        bound = len(self.bound)
        return [
            part._replace(held=part.held[bound:])
            for part in self._of_hull(self.bound + keys)
            if part.held[:bound] == self.bound
        ]

    def _of_hull(self, keys: tuple[int, ...]) -> list[_Part]:
        found = self._parts.get(keys)
        if found is None:
            large = tuple(key for key in keys if len(self.sets[key].items) > _LARGE)
            if large and len(large) < len(keys):
                small = tuple(key for key in keys if key not in large)
                found = list(_common(self._of_hull(large), self._of_hull(small)))
            else:
                found = self._split(keys)
            if len(self._parts) == _REMEMBERED:
                self._parts = {key: some for key, some in self._parts.items() if len(some) > _LARGE}
            self._parts[keys] = found
        return found

    def _split(self, keys: tuple[int, ...]) -> list[_Part]:
        """The parts of the hull, by the sets that hold them."""
        found = parted(self.hull, [self.sets[key] for key in keys])
        return [_Part(tuple(sorted(keys[one] for one in held)), (part,)) for held, part in found]


def _common(some: Iterable[_Part], others: Sequence[_Part]) -> Iterator[_Part]:
    """The parts that two ways to split a space make together."""
    for one in some:
        for other in others:
            if one.pieces[0].overlaps(other.pieces[0]):
                yield _Part((*one.held, *other.held), (*one.pieces, *other.pieces))
