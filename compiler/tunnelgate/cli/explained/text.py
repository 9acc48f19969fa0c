"""The cases of a question for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunnelgate.cli.changes.lines import by_statements
from tunnelgate.cli.explained.lines import Line
from tunnelgate.policy import Policy
from tunnelgate.proof.emitted import Emitted

#: More flows or rules than these are counted for one case; all are in `--format json`.
_MOST = 12


def render(policy: Policy, question: str, found: Sequence[Line]) -> str:
    """A paragraph for each line; a sentence where there is none."""
    if not found:
        return (
            f"no packet fits `{question}`: its ends have no machine in one family of addresses "
            "that could send this protocol\n"
        )
    return "\n".join("".join(f"{line}\n" for line in _told(one)) for one in found)


def _told(line: Line) -> Iterator[str]:
    verdict = "allowed" if line.passes else "denied"
    yield from _few([f"{verdict}: {flow}" for flow in line.flows], "flows")
    for clause in (*line.effects, *([line.reason] if line.reason else [])):
        yield f"  {clause}"
    if line.statements:
        yield f"  by {by_statements(line.statements)}"
    for hint in line.hints:
        yield f"  {hint}"
    for target, rules in line.rules.items():
        if rules is not None:
            yield from _rules(target, rules, line.passes)


def _rules(target: str, rules: Sequence[Emitted], passes: bool) -> Iterator[str]:
    if not rules:
        fate = "no rule stops it" if passes else "no rule lets it pass, and its chain drops it"
        yield f"  {target}: {fate}"
        return
    yield f"  {target}:"
    yield from _few(
        [f"    {one.file}:{one.line}{_chain(one)} {one.text}" for one in rules], "rules"
    )


def _chain(rule: Emitted) -> str:
    return f" (chain {rule.chain})" if rule.chain else ""


def _few(lines: Sequence[str], what: str) -> Iterator[str]:
    yield from lines[:_MOST]
    if len(lines) > _MOST:
        yield f"  and {len(lines) - _MOST} {what} more: all are in `--format json`"
