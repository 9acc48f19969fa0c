"""Text to syntax tree: what the other rooms call."""

from __future__ import annotations

from threading import Lock

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.reading import EMPTY
from tunnelgate.records import record
from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast
from tunnelgate.syntax.characters import clean
from tunnelgate.syntax.lengths import blank_long_lines, find_long_names
from tunnelgate.syntax.reader import Reader
from tunnelgate.syntax.uncollected import uncollected

#: The parser holds the state of one reading.
_one_at_a_time = Lock()


@record
class Parsed:
    """What a text says, and what is wrong with it.

    Attributes:
        policy: all statements but those with a finding.
        diagnostics: in the order of the text.
    """

    policy: ast.Policy
    diagnostics: tuple[Diagnostic, ...]


def parse(file: SourceFile, *, is_part: bool = False) -> Parsed:
    """Read a policy, or with `is_part` a part of one; an `include` in it stays what it is.

    Whatever the text is, the answer is a tree and findings; nothing is raised.
    """
    text, findings = clean(file)
    text, too_long = blank_long_lines(file, text)
    with _one_at_a_time, uncollected():
        reader = Reader(file, text)
        policy = reader.read_policy()
    findings += too_long + reader.findings + find_long_names(text, policy)
    if not policy.statements and not too_long and not reader.findings:
        findings.append(_empty(file, "included file" if is_part else "policy"))
    return Parsed(policy, tuple(sorted(findings, key=lambda finding: finding.sort_key)))


def parse_flow(file: SourceFile) -> tuple[ast.Flow | None, tuple[Diagnostic, ...]]:
    """Read a question, `esp from alice to hq`. The flow is None where it is none."""
    text, findings = clean(file)
    text, too_long = blank_long_lines(file, text)
    with _one_at_a_time, uncollected():
        reader = Reader(file, text)
        flow = reader.read_question()
    findings += too_long or reader.findings
    return flow, tuple(sorted(findings, key=lambda finding: finding.sort_key))


def _empty(file: SourceFile, what: str) -> Diagnostic:
    return Diagnostic(
        EMPTY,
        f"the {what} has no statement",
        Label(file.span(0, 0)),
        help="the smallest one is a zone and what may pass: `zone wan { interface eth0 }`, "
        "and on the next line `allow ssh from wan to gateway`",
    )
