"""Fixes applied to a text, round by round, until none is left that may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tunnelgate.diagnostics import Diagnostic, Edit, Safety
from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax.comments import find_comments

Check = Callable[[SourceFile], Sequence[Diagnostic]]
"""What finds all there is to find about a policy."""

#: A policy is read and checked as often as this at most; each time mends what does not touch.
ROUNDS = 50

#: So many fixes in one round at most: each is compared with the others.
_TOGETHER = 200


class Fixed(NamedTuple):
    """A policy with fixes applied.

    Attributes:
        file: the policy as it is then; the one that was given where nothing could be applied.
        applied: the findings whose fixes were applied, in the order in which they were.
        left: what is found about it then.
    """

    file: SourceFile
    applied: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]


def fix(file: SourceFile, check: Check, *, unsafe: bool = False) -> Fixed:
    """Apply the fixes of what `check` finds, and of what it finds then, and so on.

    Of several that touch the same place one is applied, and the others are looked at again: most
    are gone by then. While there is an error, only errors are fixed: what else is found may be
    found because of it. A fix that would take a comment away is left for people, and so is one
    that is about another file.

    Args:
        file: the policy.
        check: what is asked for findings.
        unsafe: apply fixes by which the policy means something else, too.
    """
    applied: list[Diagnostic] = []
    seen = {file.text}
    findings = check(file)
    for _ in range(ROUNDS):
        chosen = _choose(findings, file, unsafe)
        text = apply(file.text, (edit for finding in chosen for edit in _edits(finding)))
        if text in seen:  # nothing to do, or two fixes that undo each other
            break
        seen.add(text)
        file = SourceFile(text, file.path)
        applied += chosen
        findings = check(file)
    return Fixed(file, tuple(applied), tuple(findings))


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that do not touch each other."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.span.start):
        pieces += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*pieces, text[at:]])


def _choose(findings: Sequence[Diagnostic], file: SourceFile, unsafe: bool) -> list[Diagnostic]:
    """The findings whose fixes may be applied together: none changes what another is about."""
    safeties = {Safety.SAFE, Safety.UNSAFE} if unsafe else {Safety.SAFE}
    findings = [one for one in findings if one.is_error] or findings
    chosen: list[Diagnostic] = []
    edited: list[Span] = []
    concerned: list[Span] = []
    for finding in findings:
        if finding.fix is None or finding.fix.safety not in safeties:
            continue
        edits = [edit.span for edit in finding.fix.edits]
        places = [*edits, *(label.span for label in (finding.primary, *finding.labels))]
        if not all(span.file is file for span in edits) or not _keeps_comments(finding):
            continue
        if not _touch(edits, concerned) and not _touch(places, edited):
            chosen.append(finding)
            edited += edits
            concerned += places
        if len(chosen) == _TOGETHER:
            break
    return chosen


def _edits(finding: Diagnostic) -> tuple[Edit, ...]:
    return finding.fix.edits if finding.fix else ()


def _touch(some: Iterable[Span], others: Sequence[Span]) -> bool:
    """Whether any two of them overlap, or stand side by side."""
    return any(
        one.file is other.file and one.start <= other.end and other.start <= one.end
        for one in some
        for other in others
    )


def _keeps_comments(finding: Diagnostic) -> bool:
    return all(
        list(_comments(edit.span.text)) == list(_comments(edit.text)) for edit in _edits(finding)
    )


def _comments(text: str) -> Iterator[str]:
    file = SourceFile(text)
    return (comment.text for comment in find_comments(file, text, []))
