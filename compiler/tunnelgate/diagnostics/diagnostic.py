"""One finding: a typed value that every renderer can show and no renderer changes."""

from __future__ import annotations

from tunnelgate.diagnostics.rule import Rule, Safety, Severity
from tunnelgate.records import record
from tunnelgate.source import Span


@record
class Label:
    """A place and what it has to do with the finding, in a few words (may be empty)."""

    span: Span
    text: str = ""


@record
class Edit:
    """Replace the text of a span; an empty span inserts, an empty text deletes."""

    span: Span
    text: str


@record
class Fix:
    """Edits that mend the finding. They do not overlap and are all in one file."""

    edits: tuple[Edit, ...]
    safety: Safety = Safety.SHOWN


@record
class Diagnostic:
    """A finding at a place.

    Attributes:
        rule: the row of the table it belongs to.
        message: one lowercase clause without a full stop; the user's words in backticks.
        primary: the place it is about.
        labels: other places involved, in the order to be shown.
        why: the reason in this case; the rule's own where empty.
        help: what to do, one lowercase clause; the way out.
        fix: the way out as edits, where there is one.
        milder: a severity below the rule's, where this case is not as bad.
    """

    rule: Rule
    message: str
    primary: Label
    labels: tuple[Label, ...] = ()
    why: str = ""
    help: str = ""
    fix: Fix | None = None
    milder: Severity | None = None

    @property
    def severity(self) -> Severity:
        """The rule's severity, unless this finding is milder."""
        return self.milder or self.rule.severity

    @property
    def is_error(self) -> bool:
        """Whether it stops compiling."""
        return self.severity is Severity.ERROR

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """By place, then by code: the order in which people read."""
        span = self.primary.span
        return (span.file.path, span.start, span.end, self.rule.code, self.message)
