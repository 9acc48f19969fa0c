"""The cases of a question for programs: version 1 of schemas/explain.schema.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tunnelgate.cli.changes.json import Statement, place_of
from tunnelgate.cli.explained.lines import Line
from tunnelgate.policy import Policy
from tunnelgate.proof.emitted import Emitted


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """A rule of a ruleset, and where it stands: `line` from 1, in `chain` of `file`; "" on pf."""

    file: str
    line: Annotated[int, Field(ge=1)]
    chain: str
    text: str


class Explained(_Part):
    """Flows with one fate, for one reason.

    Attributes:
        flows: the flows, in the words of the policy.
        effects: where they come in, and what becomes of them, a clause each.
        reason: why: one of the reasons of the documentation.
        always: which part of *Always on* lets them pass, or null.
        zone: the zone that they leave by, `gateway` where they are for the machine itself; null
            where they are dropped.
        statements: who decides: the verdict, then the translation.
        hints: why they are denied although a statement seems to be about them, a clause each.
        rules: the rules that they meet first, by target; of pf those that act on them, in the
            order in which it asks them; null of a target that cannot be shown.
    """

    verdict: Literal["allowed", "denied"]
    flows: list[str]
    effects: list[str]
    reason: str
    always: str | None
    zone: str | None
    statements: list[Statement]
    hints: list[str]
    rules: dict[str, list[Rule] | None]


class Document(_Part):
    """What `tunnelgate explain --format json` says. Within a version, fields are never renamed.

    Attributes:
        question: what was asked.
        cases: all packets of the question; none where no packet fits it.
    """

    version: Literal[1] = 1
    gateway: str
    question: str
    cases: list[Explained]


def render(policy: Policy, question: str, found: Sequence[Line]) -> str:
    """The answer as one JSON object."""
    document = Document(
        gateway=policy.name, question=question, cases=[_explained(line) for line in found]
    )
    return document.model_dump_json(indent=2) + "\n"


def _explained(line: Line) -> Explained:
    case = line.cases[0]
    return Explained(
        verdict="allowed" if line.passes else "denied",
        flows=list(line.flows),
        effects=list(line.effects),
        reason=case.reason.value,
        always=case.always or None,
        zone=case.fate.egress,
        statements=[place_of(one) for one in line.statements],
        hints=list(line.hints),
        rules={
            target: None if rules is None else [_rule(one) for one in rules]
            for target, rules in line.rules.items()
        },
    )


def _rule(one: Emitted) -> Rule:
    return Rule(file=one.file, line=one.line, chain=one.chain, text=one.text)
