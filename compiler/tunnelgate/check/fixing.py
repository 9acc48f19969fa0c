"""Fixes applied to policies, round by round, until none is left that may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tunnelgate.diagnostics import Diagnostic, Edit, Safety
from tunnelgate.source import Library, SourceFile, Span
from tunnelgate.syntax.comments import find_comments

Check = Callable[[SourceFile], Sequence[Diagnostic]]
"""What finds all there is to find about a policy."""

#: A policy is read and checked as often as this at most; each time mends what does not touch.
ROUNDS = 50

#: So many fixes in one round at most: each is compared with the others.
_TOGETHER = 200


class Change(NamedTuple):
    """What fixes make of the text of a file."""

    before: str
    after: str


class Fixed(NamedTuple):
    """What became of one policy.

    Attributes:
        applied: the findings whose fixes were applied, in the order in which they were.
        left: what is found about it then.
    """

    applied: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]


class Fixer:
    """Applies the fixes of what `check` finds, and of what it finds then, and so on.

    Of several that touch the same place one is applied, and the others are looked at again: most
    are gone by then. While there is an error, only errors are fixed: what else is found may be
    found because of it. A fix that would take a comment away is left for people, unless the
    finding is about that comment.

    Args:
        check: what is asked for findings.
        unsafe: apply fixes by which the policy means something else, too.

    Attributes:
        changes: the files that are to change, by their paths: policies, and what these read. A
            policy sees what was done to a file because of another one.
    """

    def __init__(self, check: Check, *, unsafe: bool = False) -> None:
        self._check = check
        self._safeties = {Safety.SAFE, Safety.UNSAFE} if unsafe else {Safety.SAFE}
        self.changes: dict[str, Change] = {}

    def fix(self, policy: SourceFile) -> Fixed:
        """Fix one policy and the files that it names."""
        applied: list[Diagnostic] = []
        seen: list[dict[str, Change]] = []
        findings = self._check(self._changed(policy))
        for _ in range(ROUNDS):
            chosen = _choose(findings, self._safeties)
            before = dict(self.changes)
            self._apply(edit for finding in chosen for edit in _edits(finding))
            if not chosen or self.changes in seen:  # or two fixes undo each other
                self.changes = before
                break
            seen.append(before)
            applied += chosen
            findings = self._check(self._changed(policy))
        return Fixed(tuple(applied), tuple(findings))

    def _changed(self, policy: SourceFile) -> SourceFile:
        """The policy as it is by now, and with it the files that it names."""
        if policy.library is not None:
            return _Changed(policy.library, self.changes).changed(policy)
        return _with_text(policy, self.changes, None)

    def _apply(self, edits: Iterable[Edit]) -> None:
        by_file: dict[SourceFile, list[Edit]] = defaultdict(list)
        for edit in edits:
            by_file[edit.span.file].append(edit)
        for file, some in by_file.items():
            before = self.changes[file.path].before if file.path in self.changes else file.text
            after = apply(file.text, some)
            self.changes.pop(file.path, None)
            if after != before:
                self.changes[file.path] = Change(before, after)


class _Changed(Library):
    """A library in which some files have another text than on the disk."""

    def __init__(self, library: Library, changes: Mapping[str, Change]) -> None:
        self._library = library
        self._changes = changes
        self._files: dict[SourceFile, SourceFile] = {}

    @property
    def asked(self) -> Mapping[str, SourceFile]:
        return {name: self.changed(file) for name, file in self._library.asked.items()}

    def read(self, name: str) -> SourceFile:
        return self.changed(self._library.read(name))

    def changed(self, file: SourceFile) -> SourceFile:
        """The file as it is by now; the same object for the same file."""
        if file not in self._files:
            self._files[file] = _with_text(file, self._changes, self)
        return self._files[file]


def _with_text(
    file: SourceFile, changes: Mapping[str, Change], library: Library | None
) -> SourceFile:
    text = changes[file.path].after if file.path in changes else file.text
    return SourceFile(text, file.path, file.name, library)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that do not touch each other."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit.span.start):
        pieces += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*pieces, text[at:]])


def _choose(findings: Sequence[Diagnostic], safeties: Collection[Safety]) -> list[Diagnostic]:
    """The findings whose fixes may be applied together: none changes what another is about."""
    findings = [one for one in findings if one.is_error] or findings
    chosen: list[Diagnostic] = []
    edited: list[Span] = []
    concerned: list[Span] = []
    for finding in findings:
        if finding.fix is None or finding.fix.safety not in safeties:
            continue
        if not _keeps_comments(finding):
            continue
        edits = [edit.span for edit in finding.fix.edits]
        places = [*edits, *(label.span for label in (finding.primary, *finding.labels))]
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
    """Whether no comment goes, unless it is the comment that the finding is about."""
    return finding.primary.span.text.startswith("#") or all(
        not old or old == list(_comments(edit.text))
        for edit in _edits(finding)
        for old in [list(_comments(edit.span.text))]
    )


def _comments(text: str) -> Iterator[str]:
    file = SourceFile(text)
    return (comment.text for comment in find_comments(file, text, []))
