"""The difference of first-match lists, asked of z3: a second prover that shares no idea with ours.

Coordinates are bit vectors, a list is a chain of if-then-else over the numbers of its labels, and
two sides differ where some stage that both reach has another number. No axis is split, nothing is
ordered, and nothing is remembered but the expression of a set.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Sequence

import z3

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.firstmatch import Row, Stage
from tunnelgate.flows.intervals import Intervals

#: What z3 may spend on one question, in its own units and no seconds.
_RLIMIT = 200_000_000


class Undecided(Exception):
    """z3 would have to spend more."""


class Question:
    """Two sides, and the points of a domain in which they differ.

    Args:
        one, other, domain, final: as of `firstmatch.differences`.
    """

    def __init__(
        self,
        one: Sequence[Stage],
        other: Sequence[Stage],
        domain: Box,
        final: Container[Hashable] = (),
    ) -> None:
        highest = (
            max(high for wanted in sets if wanted for _, high in wanted)
            for sets in _by_axis([*one, *other], domain)
        )
        self._axes = [
            z3.BitVec(f"axis{number}", value.bit_length() + 1)
            for number, value in enumerate(highest)
        ]
        self._known: dict[tuple[int, Intervals], z3.BoolRef] = {}
        self._numbers: dict[Hashable, int] = {}
        self._solver = z3.SolverFor("QF_BV")
        self._solver.set("rlimit", _RLIMIT)
        self._solver.add(self._holds(domain), self._differ(one, other, final))

    def point(self, outside: Iterable[Box] = ()) -> tuple[int, ...] | None:
        """A point in which the sides differ, and that is in none of these boxes; None: no such.

        Raises:
            Undecided: it is too much work.
        """
        self._solver.push()
        self._solver.add(*(z3.Not(self._holds(box)) for box in outside))
        found = self._solver.check()
        model = self._solver.model() if found == z3.sat else None
        self._solver.pop()
        if found == z3.unknown:
            raise Undecided(self._solver.reason_unknown())
        if model is None:
            return None
        return tuple(model.eval(axis, model_completion=True).as_long() for axis in self._axes)

    def _differ(
        self, one: Sequence[Stage], other: Sequence[Stage], final: Container[Hashable]
    ) -> z3.BoolRef:
        """Some stage differs, and none before it was final; equal ones end on both sides."""
        found: list[z3.BoolRef] = []
        reached: list[z3.BoolRef] = []
        width = sum(len(stage) for stage in (*one, *other)).bit_length()
        for left, right in zip(one, other, strict=True):
            said, told = self._label(left, width), self._label(right, width)
            found.append(z3.And(*reached, said != told))
            ends = [number for label, number in self._numbers.items() if label in final]
            reached += [said != number for number in ends]
        return z3.Or(*found)

    def _label(self, stage: Stage, width: int) -> z3.BitVecRef:
        *rows, last = stage
        said = self._number(last, width)
        for row in reversed(rows):
            said = z3.If(self._holds(row.sets), self._number(row, width), said)
        return said

    def _number(self, row: Row, width: int) -> z3.BitVecNumRef:
        return z3.BitVecVal(self._numbers.setdefault(row.label, len(self._numbers)), width)

    def _holds(self, sets: Sequence[Intervals | None]) -> z3.BoolRef:
        return z3.And(
            *(self._within(axis, wanted) for axis, wanted in enumerate(sets) if wanted is not None)
        )

    def _within(self, number: int, wanted: Intervals) -> z3.BoolRef:
        known = self._known.get((number, wanted))
        if known is None:
            axis = self._axes[number]
            known = self._known[number, wanted] = z3.Or(
                *(
                    axis == low if low == high else z3.And(z3.ULE(low, axis), z3.ULE(axis, high))
                    for low, high in wanted
                )
            )
        return known


def _by_axis(stages: Iterable[Stage], domain: Box) -> Iterable[tuple[Intervals | None, ...]]:
    return zip(domain, *(row.sets for stage in stages for row in stage), strict=True)
