"""TG701: an expectation that the policy does not meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.show import show_channel, show_place
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity
from tunnelgate.meaning import Outcome
from tunnelgate.policy.model import ExpectKind

if TYPE_CHECKING:
    from tunnelgate.meaning.expect import Failure

RULE = Rule(
    code="TG701",
    name="expectation-unmet",
    severity=Severity.ERROR,
    summary="an expectation does not hold",
    why="An expectation is a promise about the policy that holds for every packet it speaks of; "
    "the finding names one for which it does not.",
    source="language reference, Expectations",
    bad=NAT + "allow ipsec-nat-t from alice to hq\nexpect allow ike from lan to hq\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\nexpect allow ike from lan to hq\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each expectation that fails, with the packet that shows it."""
    if not context.policy.expects:
        return
    from tunnelgate.flows.firstmatch import BudgetExceeded
    from tunnelgate.meaning.expect import Expectations

    expectations = Expectations(context.policy)
    for expect in context.policy.expects:
        try:
            failure = expectations.unmet(expect)
        except BudgetExceeded:
            yield Diagnostic(
                RULE,
                "the expectation is too large to be decided",
                Label(expect.span),
                help="expect it in parts: of fewer addresses, or of one protocol each",
            )
            continue
        if failure is not None:
            yield _tell(failure)


def _tell(failure: Failure) -> Diagnostic:
    expect, outcome = failure.expect, failure.outcome
    if outcome is None:
        return Diagnostic(
            RULE,
            f"no packet can be `{expect.question.text}`",
            Label(expect.question.span),
            help="ask about addresses of one family that machines of these places can have",
        )
    labels = []
    if outcome.statement is not None:
        labels.append(Label(outcome.statement.span, "decided here"))
    if outcome.delivered and outcome.translator is not None:
        labels.append(Label(outcome.translator.span, "translated here"))
    packet = outcome.packet
    return Diagnostic(
        RULE,
        f"{show_channel(packet.l4)} from {show_place(packet.source)} to "
        f"{show_place(packet.destination)} {_fate(outcome, expect.kind)}",
        Label(expect.span, "does not hold"),
        tuple(labels),
        help="change the statement that decides, or the expectation",
    )


def _fate(outcome: Outcome, kind: ExpectKind) -> str:
    """What happens to the packet, as far as the expectation asks."""
    if not outcome.delivered:
        return f"is dropped: {outcome.reason.value}"
    match kind:
        case ExpectKind.REACHES:
            return f"reaches {show_place(outcome.destination)}"
        case ExpectKind.LEAVES if outcome.source_translated:
            return f"leaves as {show_place(outcome.source)}"
        case ExpectKind.LEAVES:
            return "leaves untranslated"
        case _:
            return f"passes: {outcome.reason.value}"
