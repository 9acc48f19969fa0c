"""Expectations: decided over all their packets at once, by the exact difference of two lists.

The first-match lists of the policy (`flatten.py`), reduced to whether a row meets what is expected,
are compared with the list that always does. What differs is what the expectation fails on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import DESTINATION, DROP, EVERYTHING, L4, SOURCE, Arrival, Delivered
from tunnelgate.flows.firstmatch import BUDGET, BudgetExceeded, Row, differences, within
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import Decider, Outcome
from tunnelgate.meaning.flatten import Lists, flatten
from tunnelgate.meaning.questions import Part, parts
from tunnelgate.policy.model import Expect, ExpectKind, Policy
from tunnelgate.records import record

_MET, _UNMET = "met", "unmet"
_ALWAYS = [Row(EVERYTHING, _MET)]


@record
class Failure:
    """An expectation that does not hold.

    Attributes:
        expect: the expectation.
        outcome: the fate of a packet that shows it; None where no packet is meant at all.
        is_decided: false where it is too large to be decided, which is not to hold either.
    """

    expect: Expect
    outcome: Outcome | None = None
    is_decided: bool = True


class Expectations:
    """Decides the expectations of one policy; `budget` says how much a part of one may look at."""

    def __init__(self, policy: Policy, budget: int = BUDGET) -> None:
        self.policy = policy
        self.budget = budget
        self.decider = Decider(policy)
        self._numbers = {zone.name: zone.index for zone in policy.zones}
        self._lists: dict[Arrival, Lists] = {}

    def unmet(self, expect: Expect) -> Failure | None:
        """Whether an expectation fails, and on which packet."""
        try:
            return self._unmet(expect)
        except BudgetExceeded:
            return Failure(expect, is_decided=False)

    def _unmet(self, expect: Expect) -> Failure | None:
        question = expect.question
        asked = [
            part
            for part in parts(self.policy, question, question.protocols.inside_ipsec)
            if _speaks_of(expect, part.family)
        ]
        if not asked:
            return Failure(expect)
        for part in asked:
            box = self._failing(expect, part)
            if box is not None:
                return Failure(expect, self.decider.decide(part.packet(box), part.egress))
        return None

    def _failing(self, expect: Expect, part: Part) -> Box | None:
        """The first box of a part that an expectation does not hold for."""
        if part.is_loopback:
            return part.box if expect.kind is ExpectKind.DENY else None
        if part.arrival not in self._lists:
            self._lists |= flatten(self.policy, self._numbers, [part.arrival])
        verdict, source, *_ = self._lists[part.arrival]
        stages = [list(_verdicts(expect, within(verdict, part.box), part.box))]
        if expect.kind is ExpectKind.LEAVES:
            stages.append(list(_sources(expect, within(source, part.box))))
        always = [_ALWAYS for _ in stages]
        found = differences(stages, always, part.box, final=[_UNMET], budget=self.budget)
        return min((one.box for one in found), key=_place, default=None)


def _place(box: Box) -> tuple[int, int, int]:
    return box[SOURCE].first(), box[DESTINATION].first(), box[L4].first()


def _speaks_of(expect: Expect, family: int) -> bool:
    """Whether it is about packets of a family: with an address, about those of the address's."""
    return not expect.target or expect.target.overlaps(axes.family_axis(family))


def _verdicts(expect: Expect, rows: Iterable[Row], box: Box) -> Iterator[Row]:
    """Rows of the verdict by whether they are what is expected."""
    for row in rows:
        passes = row.label != DROP
        if expect.kind is not ExpectKind.REACHES or not isinstance(row.label, Delivered):
            yield _judged(row, passes is not (expect.kind is ExpectKind.DENY))
        elif row.label.destination is not None:
            yield _judged(row, row.label.destination in expect.target)
        else:  # it reaches what it was sent to
            yield from _parted(row, DESTINATION, expect.target)


def _sources(expect: Expect, rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of what the source becomes, likewise."""
    for row in rows:
        if isinstance(row.label, int):
            yield _judged(row, row.label in expect.target)
        elif not expect.target:
            yield _judged(row, True)
        else:  # it leaves as what it is
            yield from _parted(row, SOURCE, expect.target)


def _parted(row: Row, axis: int, wanted: Intervals) -> Iterator[Row]:
    """What a row holds of a set, which is expected, and the rest."""
    asked = row.sets[axis]
    both = wanted if asked is None else asked & wanted
    yield _judged(row._replace(sets=(*row.sets[:axis], both, *row.sets[axis + 1 :])), True)
    yield _judged(row, False)


def _judged(row: Row, is_met: bool) -> Row:
    return row._replace(label=_MET if is_met else _UNMET)
