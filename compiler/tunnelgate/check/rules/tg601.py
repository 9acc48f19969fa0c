"""TG601: one thing said twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.check.alike import Meaning, places
from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.words import delete
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.policy import Expect, Forward, Rule
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


def _of_rule(rule: Rule) -> Meaning:
    what = (rule.verdict, rule.l4, rule.protocols.inside_ipsec, rule.options)
    return Meaning(what, places(rule.source, rule.destination))


def _of_forward(forward: Forward) -> Meaning:
    what = (forward.family, forward.l4, forward.target, forward.port, forward.options)
    entries = [((one.zone, one.hairpin, one.addresses), one.sources) for one in forward.entries]
    return Meaning(what, entries)


def _of_expect(expect: Expect) -> Meaning:
    asked = expect.question
    what = (expect.kind, asked.protocols.l4, asked.spis, expect.target)
    return Meaning(what, places(asked.source, asked.destination))


def _repeated(meanings: Iterable[tuple[Meaning, Statement]]) -> Iterator[Diagnostic]:
    first: dict[Meaning, Statement] = {}
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
