"""What happens to the packets of a question, and why: all of them, by cases.

The question is cut out of the first-match lists of its policy (`flatten.py`), so that the cases are
disjoint, and together every packet that the question means. They are of packets that begin a
connection: what belongs to one passes with it (language reference, Always on).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box, joined
from tunnelgate.flows.fields import ANY_PORT, DROP, L4, Arrival
from tunnelgate.flows.firstmatch import BUDGET, Row, cases
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import (
    ICMP_ERRORS,
    ICMPV6_ERRORS,
    NEIGHBOUR_DISCOVERY,
    Reason,
)
from tunnelgate.meaning.difference import Fate, fate_of
from tunnelgate.meaning.expect import NOBODY, members
from tunnelgate.meaning.flatten import Cause, Lists, arrivals, flatten
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


class _Flow(NamedTuple):
    """A part of a question: from one place to another, by one way in."""

    arrival: Arrival
    home: Zone
    ingress: Zone
    egress: Zone
    sources: Intervals
    destinations: Intervals
    l4: Intervals


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
    numbers = {zone.name: zone.index for zone in policy.zones}
    flows = list(_flows(policy, question, arriving))
    lists = flatten(policy, numbers, dict.fromkeys(flow.arrival for flow in flows))
    found = [
        case
        for flow in flows
        for family in (4, 6)
        for case in _cases(policy, flow, family, lists[flow.arrival], budget)
    ]
    return sorted(found, key=lambda case: not case.fate.passes)


def _flows(policy: Policy, question: Question, arriving: Zone | None) -> Iterator[_Flow]:
    strangers = policy.own_addresses | NOBODY
    for home, addresses in question.source:
        ingress = home if arriving is None else arriving
        sources = members(policy, home, addresses)
        if ingress is not home:
            sources = addresses - strangers
        for egress, destinations in question.destination:
            to = members(policy, egress, destinations)
            plain = Arrival(ingress.name)
            yield _Flow(plain, home, ingress, egress, sources, to, question.protocols.l4)
            inside = Arrival(ingress.name, decrypted=True)
            if inside in arrivals(policy):
                l4 = _inside(policy, ingress) & (
                    question.protocols.l4 | question.protocols.inside_ipsec
                )
                yield _Flow(inside, home, ingress, egress, sources, to, l4)


def _inside(policy: Policy, ingress: Zone) -> Intervals:
    """What statements let a zone send inside IPsec alone."""
    return Intervals.union_of(
        rule.protocols.inside_ipsec for rule in policy.rules if rule.source.addresses(ingress)
    )


def _cases(policy: Policy, flow: _Flow, family: int, lists: Lists, budget: int) -> Iterator[Case]:
    axis = axes.family_axis(family)
    other_icmp = axes.l4(axes.ICMPV6 if family == 4 else axes.ICMP)
    domain = (
        Intervals.single(flow.egress.index),
        flow.l4 - Intervals.of([other_icmp]),
        ANY_PORT,
        flow.destinations & axis,
        flow.sources & axis,
    )
    if not all(domain):
        return
    ends = flow.arrival, flow.home, flow.egress, family
    if flow.ingress.is_gateway and flow.egress.is_gateway:  # the lists are of what leaves it
        passes = Fate(flow.egress.name)
        yield Case(*ends, (domain,), passes, Reason.ALWAYS, _LOOPBACK, ())
        return
    alike: dict[tuple[Fate, Reason, str, tuple[Statement, ...]], list[Box]] = {}
    for box, rows in cases(lists, domain, final=[DROP], budget=budget):
        reason, statements = _why(rows)
        for always, part in _always(flow, box) if reason is Reason.ALWAYS else [("", box)]:
            alike.setdefault((fate_of(rows), reason, always, statements), []).append(part)
    for why, boxes in alike.items():
        yield Case(*ends, tuple(joined(boxes)), *why)


def _why(rows: Iterable[Row]) -> tuple[Reason, tuple[Statement, ...]]:
    """The reason of the verdict; its statement, and that of the translation."""
    verdict, *others = (cast("Cause", row.cause) for row in rows)
    told = [verdict.statement, *(one.statement for one in others[:1])]
    return verdict.reason, tuple(dict.fromkeys(one for one in told if one is not None))


def _always(flow: _Flow, box: Box) -> Iterator[tuple[str, Box]]:
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
