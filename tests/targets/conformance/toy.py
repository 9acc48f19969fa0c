"""A target of another distribution, as small as one can be: a list of what may go where.

The test copies this file into a package of its own; nothing of tunnelgate's knows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.rule import Rule, Severity
from tunnelgate.plan import Origin, Plan
from tunnelgate.target import WHOLE, Output, Requirements, Setup

NOT_HERE = Rule(
    code="TOY001",
    name="not-in-a-list",
    severity=Severity.ERROR,
    summary="a list has no word for it",
    why="It says what may go where, and nothing else.",
    source="toy(5)",
    bad="",
    good="",
    since="1.0",
)


class Toy:
    name = "toy"
    title = "a list for people"
    format_revision = 1
    version_form = "1.0"

    def is_version(self, text: str) -> bool:
        return text == "1.0"

    def refuse(self, plan: Plan, setup: Setup = WHOLE) -> list[Diagnostic]:
        found = {
            origin.span: Diagnostic(
                NOT_HERE, "a list cannot say this", Label(origin.span), help="use another target"
            )
            for origin in self._unsayable(plan, setup)
        }
        return list(found.values())

    def _unsayable(self, plan: Plan, setup: Setup) -> Iterator[Origin]:
        for origins in plan.features.values():
            yield from origins
        yield from (node.origin for node in (*plan.dnats, *plan.snats))
        if setup.layout == "shared":
            yield plan.links[0].origin

    def emit(self, plan: Plan, setup: Setup = WHOLE) -> Output:
        lines = [f"icmp {'standard' if plan.icmp else 'none'}"]
        for link in plan.links:
            lines.append(f"{link.name} is {', '.join(link.interfaces)} with {link.sources}")
        for pair in plan.pairs:
            ends = " to ".join(pair.name)
            lines += [f"deny {ends}: {rule.match}" for rule in pair.denials]
            lines += [f"allow {ends}: {rule.match}" for rule in pair.permissions]
        text = "".join(f"{line}\n" for line in lines)
        return Output({"list.txt": text}, Requirements((), (), ("read list.txt",)))

    def validate(self, files: Mapping[str, str]) -> str:
        raise OSError("there is nobody to ask")


TARGET = Toy()
