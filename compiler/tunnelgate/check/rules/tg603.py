"""TG603: an `allow` or a `forward` of which denials leave nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.check.context import Context
from tunnelgate.check.passing import Part, meant
from tunnelgate.check.rules.samples import NAT
from tunnelgate.diagnostics import Diagnostic, Label, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.policy import Forward, Rule

RULE = Row(
    code="TG603",
    name="wholly-denied",
    severity=Severity.WARNING,
    summary="an allow or a forward that is wholly denied",
    why="A `deny` beats every `allow` and every `forward`, wherever it stands: the statement does "
    "nothing, and its author hardly knows.",
    source="language reference, Principles",
    bad=NAT + "allow ssh from alice to hq\ndeny tcp/22 from lan to wan\n",
    good=NAT + "allow ssh from alice to hq\ndeny tcp/22 from lan except alice to wan\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each statement between zones that would let something pass without the denials."""
    if not context.denials:
        return
    for statement in context.permitting:
        if isinstance(statement, Rule) and statement.protocols.inside_ipsec:
            continue
        denial = _denied(context, list(meant(context, statement)))
        if denial is not None:
            yield _tell(statement, denial)


def _denied(context: Context, parts: list[Part]) -> Rule | None:
    """A denial of some flows, where the denials leave nothing of any."""
    if not parts or not all(pair in context.denials for pair, _ in parts):
        return None
    if any(next(context.standing(pair, flows), None) for pair, flows in parts):
        return None
    (pair, flows), *_ = parts
    _, _, denial = next(context.denials[pair].meeting(flows))
    return denial


def _tell(statement: Rule | Forward, denial: Rule) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"all that this `{statement.text.partition(' ')[0]}` says is denied",
        Label(statement.span),
        (Label(denial.span, "denied here"),),
        help="take it away from the `deny` with `except`, or leave one of the two out",
    )
