"""A rule is what a finding refers to: its code, how bad it is, why, and two examples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a finding is. An error stops compiling; a warning or an advice does not."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table of rules; its page and the machine formats are made of it.

    Attributes:
        code: `TG` and three digits; never used again for something else.
        name: lowercase words with hyphens, e.g. `esp-from-many-hosts`.
        severity: the usual one; a finding may be milder, never worse.
        summary: one lowercase clause: what is wrong, without the particulars of a policy.
        why: the reason, in whole sentences.
        source: where the reason can be looked up: RFC and section, manual page, kernel fact.
        bad: a policy that has this finding; the tests execute it.
        good: the same policy, mended; the tests execute it too.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    source: str
    bad: str
    good: str
