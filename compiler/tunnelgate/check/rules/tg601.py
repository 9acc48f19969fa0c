"""TG601: one thing said twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Expect, Forward, Rule, Side
from tunnelgate.policy.model import Statement

RULE = Row(
    code="TG601",
    name="duplicate",
    severity=Severity.WARNING,
    summary="two statements that mean the same",
    why="Who changes one of them later changes nothing: the other goes on saying it.",
    source="language reference, Principles",
    bad=NAT + "allow https from lan to wan\nallow tcp/443, udp/443 from lan to wan\n",
    good=NAT + "allow https from lan to wan\n",
    fixes=(Safety.SAFE,),
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement whose meaning another had before it, names and spelling aside."""
    policy = context.policy
    rules = ((_of_rule(rule), rule) for rule in policy.rules if not rule.options.limit)
    forwards = ((_of_forward(one), one) for one in policy.forwards if not one.options.limit)
    expects = ((_of_expect(one), one) for one in policy.expects)
    for meanings in (rules, forwards, expects):
        yield from _repeated(meanings)


class _Meaning:
    """What a statement means. Compared by all of it, hashed by a part: a group may be long."""

    def __init__(self, plain: Hashable, sides: Iterable[tuple[Hashable, Intervals]]) -> None:
        self._plain = plain
        self._sides = tuple(sides)
        self._hash = hash((plain, *((what, _brief(one)) for what, one in self._sides)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Meaning) and (self._plain, self._sides) == (
            other._plain,
            other._sides,
        )


def _brief(one: Intervals) -> Hashable:
    return len(one.items), one.items[:1], one.items[-1:]


def _of_rule(rule: Rule) -> _Meaning:
    what = (rule.verdict, rule.l4, rule.protocols.inside_ipsec, rule.options)
    return _Meaning(what, (*_places("from", rule.source), *_places("to", rule.destination)))


def _of_forward(forward: Forward) -> _Meaning:
    what = (forward.family, forward.l4, forward.target, forward.port, forward.options)
    entries = [((one.zone, one.hairpin, one.addresses), one.sources) for one in forward.entries]
    return _Meaning(what, entries)


def _of_expect(expect: Expect) -> _Meaning:
    asked = expect.question
    what = (expect.kind, asked.protocols.l4, asked.spis, expect.target)
    return _Meaning(what, (*_places("from", asked.source), *_places("to", asked.destination)))


def _places(word: str, side: Side) -> Iterator[tuple[Hashable, Intervals]]:
    return (((word, zone), addresses) for zone, addresses in side)


def _repeated(meanings: Iterable[tuple[_Meaning, Statement]]) -> Iterator[Diagnostic]:
    first: dict[_Meaning, Statement] = {}
    for meaning, statement in meanings:
        earlier = first.setdefault(meaning, statement)
        if earlier is not statement:
            yield Diagnostic(
                RULE,
                f"this `{statement.text.partition(' ')[0]}` means the same as another one",
                Label(statement.span),
                (Label(earlier.span, "says it already"),),
                help="leave one of the two out",
                fix=delete(statement, Safety.SAFE) or delete(earlier, Safety.SAFE),
            )
