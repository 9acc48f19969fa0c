"""TG701: an expectation that the policy does not meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunnelgate.check.context import Context
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.unmet import said
from tunnelgate.diagnostics import Diagnostic, Label, Rule, Severity
from tunnelgate.policy.model import ESP

if TYPE_CHECKING:
    from tunnelgate.meaning.expect import Failure

RULE = Rule(
    code="TG701",
    name="expectation-unmet",
    severity=Severity.ERROR,
    summary="an expectation does not hold",
    why="An expectation is a promise about the policy that holds for every packet it speaks of; "
    "the finding names one for which it does not.",
    source="language reference, expect",
    bad=NAT + "allow ipsec-nat-t from alice to hq\nexpect allow ike from lan to hq\n",
    good=NAT + "allow ipsec-nat-t from lan to hq\nexpect allow ike from lan to hq\n",
    since="0.1.0",
)


def check(context: Context) -> Iterator[Diagnostic]:
    """Each expectation that fails, with the packet that shows it."""
    if not context.policy.expects:
        return
    from tunnelgate.meaning.expect import Expectations

    expectations = Expectations(context.policy)
    for expect in context.policy.expects:
        failure = expectations.unmet(expect)
        if failure is not None:
            yield _tell(failure, minds_spis=_minds_spis(context, failure))


def _minds_spis(context: Context, failure: Failure) -> bool:
    """Whether the packet that shows it is one that a forward tells from others by its SPI."""
    outcome = failure.outcome
    return outcome is not None and outcome.packet.l4 in ESP and bool(context.apart)


def _tell(failure: Failure, *, minds_spis: bool) -> Diagnostic:
    expect, outcome = failure.expect, failure.outcome
    if outcome is None:
        help = "ask about addresses of one family that machines of these places can have"
        if not failure.is_decided:
            help = "expect it in parts: of fewer addresses, or of one protocol each"
        return Diagnostic(RULE, said(failure), Label(expect.question.span), help=help)
    labels = []
    if outcome.statement is not None:
        labels.append(Label(outcome.statement.span, "decided here"))
    if outcome.delivered and outcome.translator is not None:
        labels.append(Label(outcome.translator.span, "translated here"))
    some = "; `esp/0x1000-0x1fff` asks about some SPIs alone" if minds_spis else ""
    return Diagnostic(
        RULE,
        said(failure, minds_spis=minds_spis),
        Label(expect.span, "does not hold"),
        tuple(labels),
        help=f"change the statement that decides, or the expectation{some}",
    )
