"""What happens to the packets of a question, and why: all of them, by cases.

The question is cut out of the first-match lists of its policy (`flatten.py`), so that the cases are
disjoint, and together every packet that the question means. They are of packets that begin a
connection: what belongs to one passes with it (language reference, Always on).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box, joined
from tunnelgate.flows.fields import DROP, L4, Arrival
from tunnelgate.flows.firstmatch import BUDGET, Row, Stage, cases, within
from tunnelgate.meaning.decide import (
    ICMP_ERRORS,
    ICMPV6_ERRORS,
    NEIGHBOUR_DISCOVERY,
    Packet,
    Reason,
)
from tunnelgate.meaning.difference import Fate, fate_of
from tunnelgate.meaning.flatten import Cause, flatten
from tunnelgate.meaning.questions import Part, parts
from tunnelgate.policy.model import Policy, Question, Statement, Zone
from tunnelgate.records import record

_NEIGHBOURS = "neighbour discovery"
_ERRORS = "the ICMPv6 errors of RFC 4890"
_OUT = "ICMP errors out"
_OWN = "what the gateway itself sends"
_LOOPBACK = "loopback"


@record
class Case:
    """Packets of a question that fare alike for the same reason.

    Attributes:
        arrival: how they arrive.
        home: the zone that their source is of, as the question says.
        egress: the zone that the question sends them to, before any translation.
        family: 4 or 6.
        boxes: the packets, on the axes of `flatten`: disjoint, also from those of other cases.
        fate: what happens to them.
        reason: why.
        always: which part of *Always on* lets them pass, "" where it does not.
        statements: who decides: the verdict, then the translation; none where nobody does.
    """

    arrival: Arrival
    home: Zone
    egress: Zone
    family: int
    boxes: tuple[Box, ...]
    fate: Fate
    reason: Reason
    always: str
    statements: tuple[Statement, ...]


def explain(
    policy: Policy, question: Question, arriving: Zone | None = None, budget: int = BUDGET
) -> list[Case]:
    """The cases of a question; none where there is no such packet.

    Args:
        policy: the policy that the question was resolved with.
        question: what is asked.
        arriving: the zone that the packets come in by, whosever their source is.
        budget: how much one part of the question may look at.

    Raises:
        BudgetExceeded: there would be more.
    """
    asked = _asked(policy, question, arriving)
    found = [case for part, stages in asked for case in _cases(part, stages, budget)]
    return sorted(found, key=lambda case: not case.fate.passes)


def packets(policy: Policy, question: Question) -> Iterator[tuple[Packet, Zone]]:
    """A packet for each box of flows that fare alike by the same rows, and the zone it is sent to.

    Arguments and exceptions are those of `explain`.
    """
    for part, stages in _asked(policy, question):
        boxes = [part.box]
        if not part.is_loopback:
            boxes = [box for box, _ in cases(stages, part.box, final=[DROP])]
        for box in boxes:
            yield part.packet(box), part.egress


def _asked(
    policy: Policy, question: Question, arriving: Zone | None = None
) -> Iterator[tuple[Part, list[list[Row]]]]:
    """The parts of a question, each with the lists that decide it."""
    inside = question.protocols.l4 | question.protocols.inside_ipsec
    asked = list(parts(policy, question, inside, arriving))
    numbers = {zone.name: zone.index for zone in policy.zones}
    lists = flatten(policy, numbers, dict.fromkeys(part.arrival for part in asked))
    for part in asked:
        yield part, [within(stage, part.box) for stage in lists[part.arrival]]


def _cases(part: Part, stages: Sequence[Stage], budget: int) -> Iterator[Case]:
    ends = part.arrival, part.home, part.egress, part.family
    if part.is_loopback:
        passes = Fate(part.egress.name)
        yield Case(*ends, (part.box,), passes, Reason.ALWAYS, _LOOPBACK, ())
        return
    alike: dict[tuple[Fate, Reason, str, tuple[Statement, ...]], list[Box]] = {}
    for box, rows in cases(stages, part.box, final=[DROP], budget=budget):
        reason, statements = _why(rows)
        for always, some in _always(box) if reason is Reason.ALWAYS else [("", box)]:
            alike.setdefault((fate_of(rows), reason, always, statements), []).append(some)
    for why, boxes in alike.items():
        yield Case(*ends, tuple(joined(boxes)), *why)


def _why(rows: Iterable[Row]) -> tuple[Reason, tuple[Statement, ...]]:
    """The reason of the verdict; its statement, and that of the translation."""
    verdict, *others = (cast("Cause", row.cause) for row in rows)
    told = [verdict.statement, *(one.statement for one in others[:1])]
    return verdict.reason, tuple(dict.fromkeys(one for one in told if one is not None))


def _always(box: Box) -> Iterator[tuple[str, Box]]:
    """The parts of a box by what of the language's *Always on* they are."""
    left = box[L4]
    for word, l4 in (
        (_NEIGHBOURS, NEIGHBOUR_DISCOVERY),
        (_ERRORS, ICMPV6_ERRORS),
        (_OUT, ICMP_ERRORS),
        (_OWN, axes.ANY_L4),
    ):
        if left & l4:
            yield word, (*box[:L4], left & l4, *box[L4 + 1 :])
        left -= l4
