"""The rules about reading a policy (TG0xx): what was written cannot be understood."""

from __future__ import annotations

from tunnelgate.diagnostics.diagnostic import Diagnostic, Label
from tunnelgate.diagnostics.rule import Rule, Safety, Severity
from tunnelgate.source import OutsideError, SourceError, SourceFile, Span

SYNTAX = Rule(
    code="TG001",
    name="syntax",
    severity=Severity.ERROR,
    summary="a line is no statement of the language",
    why=(
        "A line that cannot be read might have been the one that denies. Nothing is guessed and "
        "nothing is left out: a policy is compiled when every line of it is understood."
    ),
    source="language reference, Text, names and values",
    bad="""\
zone wan { interface eth0 }
zone lan { interface eth1 }
allow esp from lan wan
""",
    good="""\
zone wan { interface eth0 }
zone lan { interface eth1 }
allow esp from lan to wan
""",
    fixes=(Safety.SAFE, Safety.UNSAFE, Safety.SHOWN),
    since="0.1.0",
)

UNREADABLE = Rule(
    code="TG002",
    name="unreadable",
    severity=Severity.ERROR,
    summary="a file cannot be read as a policy",
    why=(
        "The file is missing, not open to this user, too large, or not UTF-8. Text in another "
        "encoding would read differently from one machine to the next."
    ),
    source="language reference, Text, names and values",
    bad="",
    good="""\
zone wan { interface eth0 }
allow ssh from wan to gateway
""",
    since="0.1.0",
)

CHARACTER = Rule(
    code="TG003",
    name="character",
    severity=Severity.ERROR,
    summary="a character that may not stand in a policy",
    why=(
        "Control characters and bidirectional controls make a policy look different from what it "
        "is, in a comment too; other line ends break lines that reviewers, editors and the "
        "generated ruleset would count differently."
    ),
    source="language reference, Text, names and values; CVE-2021-42574 (Trojan Source)",
    bad="""\
zone wan { interface eth0 }
allow ssh from wan to gateway  # for \u202eeveryone
""",
    good="""\
zone wan { interface eth0 }
allow ssh from wan to gateway  # for everyone
""",
    fixes=(Safety.SAFE, Safety.SHOWN),
    since="0.1.0",
)

EMPTY = Rule(
    code="TG004",
    name="empty-policy",
    severity=Severity.ERROR,
    summary="a policy without a statement",
    why=(
        "Nothing passes unless a statement says so: an empty file, often a failed download or a "
        "template that rendered to nothing, would shut the gateway."
    ),
    source="language reference, Principles",
    bad="# to be written\n",
    good="""\
zone wan { interface eth0 }
allow ssh from wan to gateway
""",
    since="0.1.0",
)

INCLUDE = Rule(
    code="TG016",
    name="include",
    severity=Severity.ERROR,
    summary="a file that the policy names and may not read there",
    why=(
        "Findings show the lines they are about, and a policy may come with a pull request: it "
        "reads the files of its own folder and no others. A file that comes twice, or includes "
        "itself, would say its statements twice."
    ),
    source="language reference, include",
    bad="""\
zone wan { interface eth0 }
allow ssh from wan to gateway
include "../other/sites.tg"
""",
    good="""\
zone wan { interface eth0 }
allow ssh from wan to gateway
""",
    since="0.1.0",
)

#: All rows of this file.
RULES = (SYNTAX, UNREADABLE, CHARACTER, EMPTY, INCLUDE)


def unreadable(error: SourceError) -> Diagnostic:
    """A file that is no policy at all, as a finding."""
    place = SourceFile("", error.path).span(0, 0)
    return Diagnostic(UNREADABLE, error.reason, Label(place), help=error.help)


def not_read(place: Span, error: SourceError) -> Diagnostic:
    """A file that a policy names there, and that is not read, as a finding."""
    rule = INCLUDE if isinstance(error, OutsideError) else UNREADABLE
    return Diagnostic(rule, f"`{error.path}` {error.reason}", Label(place), help=error.help)


def no_folder(place: Span) -> Diagnostic:
    """The finding about a file that is named there by a text which lies in no folder."""
    return Diagnostic(
        INCLUDE,
        "this policy lies in no folder, so it can name no other file",
        Label(place),
        help="save it to a file, or put the other file's text here",
    )
