"""TG602: an `allow` that others make needless."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice

from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.paths import Pair
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Rule, Side
from tunnelgate.policy.model import Options

RULE = Row(
    code="TG602",
    name="covered-allow",
    severity=Severity.ADVICE,
    summary="an allow that is wholly covered by others",
    why="All that it lets pass passes by other statements too. Whoever takes it out, to close "
    "what it opens, closes nothing.",
    source="language reference, Principles",
    bad=NAT + "allow https from lan to wan\nallow https from alice to hq\n",
    good=NAT + "allow https from lan to wan\n",
    fixes=(Safety.SAFE,),
    since="0.1.0",
)
_PLAIN = Options()


#: Statements that meet one: of more it is not asked whether they say all of it together.
_MOST = 32


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `allow` without options whose flows others have all: one that has more, or several.

    What was found is taken for gone when others are asked about: no two cover each other.
    """
    gone: set[Rule] = set()
    left: list[Rule] = []
    for rule in context.allows:
        if rule.options != _PLAIN or not rule.l4:
            continue
        wider = next((one for one in _holding(context, rule) if _is_wider(one, rule)), None)
        if wider is not None:
            gone.add(rule)
            message = "this `allow` is a part of another one"
            yield _tell(rule, message, [wider], "says this, and more")
        elif not rule.protocols.inside_ipsec and any(_holding(context, rule, first=True)):
            left.append(rule)
    for rule in left:
        cover = _cover(context, rule, gone)
        if cover:
            gone.add(rule)
            message = "other statements together say all of this `allow`"
            yield _tell(rule, message, cover, "says a part of it")


def _tell(rule: Rule, message: str, others: Iterable[Rule], word: str) -> Diagnostic:
    return Diagnostic(
        RULE,
        message,
        Label(rule.span),
        tuple(Label(one.span, word) for one in others),
        help="leave it out, or take it away from the other with `except`",
        fix=delete(rule, Safety.SAFE),
    )


def _holding(context: Context, rule: Rule, *, first: bool = False) -> Iterator[Rule]:
    """The other statements without a limit that hold all flows of one, or the first of them."""
    for ingress, sources in rule.source.zones[:1]:
        for egress, destinations in rule.destination.zones[:1]:
            flows: Box = (sources, destinations, rule.l4)
            if first:
                flows = tuple(Intervals.single(one.first()) for one in flows)
            for other in context.permissions[ingress, egress].holding(flows):
                if other is not rule and other.options.limit is None:
                    yield other


def _cover(context: Context, rule: Rule, gone: Container[Rule]) -> list[Rule]:
    """Statements that together let pass all that one does, none of them needless; none if not."""
    boxes: list[tuple[Pair, Box]] = []
    met: list[tuple[Pair, Box, Rule]] = []
    for ingress, sources in rule.source:
        for egress, destinations in rule.destination:
            pair, flows = (ingress, egress), (sources, destinations, rule.l4)
            found = context.permissions[pair].meeting(flows)
            others = ((pair, box, one) for _, box, one in found if _may_cover(one, rule, gone))
            boxes.append((pair, flows))
            met += islice(others, _MOST + 1 - len(met))
    if len(met) > _MOST or not _is_covered(boxes, met):
        return []
    for one in dict.fromkeys(one for _, _, one in met):
        less = [other for other in met if other[2] is not one]
        if _is_covered(boxes, less):
            met = less
    return list(dict.fromkeys(one for _, _, one in met))


def _may_cover(other: Rule, rule: Rule, gone: Container[Rule]) -> bool:
    return (
        other is not rule
        and other not in gone
        and other.options.limit is None
        and _meaning(other) != _meaning(rule)
    )


def _is_covered(boxes: Iterable[tuple[Pair, Box]], met: Sequence[tuple[Pair, Box, Rule]]) -> bool:
    return not any(
        next(remove(box, [cut for at, cut, _ in met if at == pair]), None) for pair, box in boxes
    )


def _is_wider(wider: Rule, rule: Rule) -> bool:
    """Whether a statement says all that another does, and more: the very same is TG601's."""
    return (
        rule.l4 <= wider.l4
        and _is_within(rule.source, wider.source)
        and _is_within(rule.destination, wider.destination)
        and rule.protocols.inside_ipsec <= wider.protocols.inside_ipsec
        and _meaning(rule) != _meaning(wider)
    )


def _is_within(side: Side, wider: Side) -> bool:
    return all(addresses <= wider.addresses(zone) for zone, addresses in side)


def _meaning(rule: Rule) -> tuple[object, ...]:
    return rule.l4, rule.protocols.inside_ipsec, rule.source.zones, rule.destination.zones
