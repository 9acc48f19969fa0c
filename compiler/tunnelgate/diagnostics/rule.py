"""A rule is what a finding refers to: its code, how bad it is, why, and two examples."""

from __future__ import annotations

from enum import Enum

from tunnelgate.records import record


class Severity(Enum):
    """How bad a finding is. An error stops compiling; a warning or an advice does not."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Safety(Enum):
    """Whether a fix may be applied unseen."""

    SAFE = "safe"
    """The policy means what its author meant, only better written."""
    UNSAFE = "unsafe"
    """The policy means something else afterwards."""
    SHOWN = "shown"
    """One of several ways out; shown, never applied."""


#: What the rules of a group are about, by the digit behind `TG`.
GROUPS: dict[str, str] = {
    "0": "reading",
    "1": "AH and NAT",
    "2": "what one host at a time can use",
    "3": "NAT and tunnels",
    "4": "targets",
    "5": "security",
    "6": "hygiene",
    "7": "expectations",
}


@record(kw_only=True)
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
        files: what the examples name, as pairs of a name and a text.
        fixes: how safe the edits are that its findings offer, each kind once; empty where a
            finding of this rule never offers one. The tests hold it to what is offered.
        versions: for examples of what a target's version has to be: targets and the oldest version
            stated for each.
        since: the version of tunnelgate that had it first.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    source: str
    bad: str
    good: str
    files: tuple[tuple[str, str], ...] = ()
    fixes: tuple[Safety, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    since: str

    @property
    def group(self) -> str:
        """What it is about, with others: the words for the first digit of its code."""
        return GROUPS[self.code[2]]

    @property
    def page(self) -> str:
        """Its page, relative to the folder that holds the documentation."""
        return f"docs/rules/{self.code}.md"
