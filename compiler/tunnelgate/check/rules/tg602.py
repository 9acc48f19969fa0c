"""TG602: an `allow` that others make needless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from tunnelgate.check.alike import Meaning, places
from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.paths import Pair
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
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

#: Statements that mean the same.
_Alike = dict[Rule, None]


def check(context: Context) -> Iterator[Diagnostic]:
    """Each `allow` without options whose flows others have all: one that has more, or several.

    What was found is taken for gone when others are asked about: no two cover each other.
    """
    allows = _Allows(context.allows)
    gone: list[Rule] = []
    left: list[Rule] = []
    for rule in context.allows:
        if rule.options != _PLAIN or not rule.l4:
            continue
        wider = allows.wider(rule)
        if wider is not None:
            gone.append(rule)
            message = "this `allow` is a part of another one"
            yield _tell(rule, message, [wider], "says this, and more")
        elif not rule.protocols.inside_ipsec and allows.others_begin(rule):
            left.append(rule)
    for rule in gone:
        allows.leave_out(rule)
    for rule in left:
        cover = allows.covering(rule)
        if cover:
            allows.leave_out(rule)
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


class _Allows:
    """Each `allow` without a limit, kept with those that mean the same: these are TG601's."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        found: dict[Meaning, _Alike] = defaultdict(dict)
        for rule in rules:
            if rule.options.limit is None:
                found[_meaning(rule)][rule] = None
        self._alike = {rule: alike for alike in found.values() for rule in alike}
        by_pair: dict[Pair, list[tuple[Box, _Alike]]] = defaultdict(list)
        for alike in found.values():
            for pair, flows in _flows(next(iter(alike))):
                by_pair[pair].append((flows, alike))
        self._by_pair = {pair: BoxIndex(entries) for pair, entries in by_pair.items()}

    def leave_out(self, rule: Rule) -> None:
        """Cover nothing with a statement."""
        del self._alike[rule][rule]

    def wider(self, rule: Rule) -> Rule | None:
        """A statement that says all that another one does, and more."""
        others = (next(iter(alike)) for alike in self._holding(rule, islice(_flows(rule), 1)))
        return next((one for one in others if _is_within(rule, one)), None)

    def others_begin(self, rule: Rule) -> bool:
        """Whether another statement has the first of the flows of one."""
        first = (
            (pair, tuple(Intervals.single(one.first()) for one in flows))
            for pair, flows in islice(_flows(rule), 1)
        )
        return any(self._holding(rule, first))

    def _holding(self, rule: Rule, parts: Iterable[tuple[Pair, Box]]) -> Iterator[_Alike]:
        own = self._alike[rule]
        for pair, flows in parts:
            yield from (one for one in self._by_pair[pair].holding(flows) if one is not own)

    def covering(self, rule: Rule) -> list[Rule]:
        """Statements that together let pass all that one does, none of them needless; none if not.

        None as well where too many are about parts of it.
        """
        parts = list(_flows(rule))
        met: list[_Part] = []
        for pair, flows in parts:
            others = (_Part(pair, box, one) for box, one in self._meeting(rule, pair, flows))
            met += islice(others, _MOST + 1 - len(met))
        if len(met) > _MOST or not _is_covered(parts, met):
            return []
        for one in dict.fromkeys(part.rule for part in met):
            less = [part for part in met if part.rule is not one]
            if _is_covered(parts, less):
                met = less
        return list(dict.fromkeys(part.rule for part in met))

    def _meeting(self, rule: Rule, pair: Pair, flows: Box) -> Iterator[tuple[Box, Rule]]:
        own = self._alike[rule]
        for _, box, alike in self._by_pair[pair].meeting(flows):
            if alike is not own:
                yield from ((box, one) for one in alike)


class _Part(NamedTuple):
    """What a statement says of another one."""

    pair: Pair
    box: Box
    rule: Rule


def _flows(rule: Rule) -> Iterator[tuple[Pair, Box]]:
    for ingress, sources in rule.source:
        for egress, destinations in rule.destination:
            yield (ingress, egress), (sources, destinations, rule.l4)


def _is_covered(flows: Iterable[tuple[Pair, Box]], met: Sequence[_Part]) -> bool:
    return not any(
        next(remove(box, [one.box for one in met if one.pair == pair]), None) for pair, box in flows
    )


def _is_within(rule: Rule, wider: Rule) -> bool:
    """Whether a statement says all that another one does."""
    return (
        rule.l4 <= wider.l4
        and _is_part(rule.source, wider.source)
        and _is_part(rule.destination, wider.destination)
        and rule.protocols.inside_ipsec <= wider.protocols.inside_ipsec
    )


def _is_part(side: Side, wider: Side) -> bool:
    return all(addresses <= wider.addresses(zone) for zone, addresses in side)


def _meaning(rule: Rule) -> Meaning:
    what = (rule.l4, rule.protocols.inside_ipsec)
    return Meaning(what, places(rule.source, rule.destination))
