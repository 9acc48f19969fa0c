"""From text or a file to a policy and findings: what `load`, `check` and `compile` begin with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.diagnostics.reading import unreadable
from tunnelgate.diagnostics.resolving import INCOMPLETE_ZONE
from tunnelgate.policy import Policy, resolve
from tunnelgate.records import record
from tunnelgate.source import SourceError, SourceFile, Span
from tunnelgate.syntax import Parsed, ast, parse_with_includes
from tunnelgate.syntax.words import STATEMENTS
from tunnelgate.variables import NONE, Variables, from_mapping, parse_variables, read_variables

Source: TypeAlias = str | Path | SourceFile
"""A policy's text, the path of its file, or a file that was read already."""

Given: TypeAlias = Mapping[str, object] | Path | SourceFile | Variables | None
"""Values for a policy's parameters: by their names, or a file of them (TOML, YAML or JSON)."""

#: Statements that may be missing without making another one wrong. A missing `zone`, `nat` or
#: `deny` could; so could a protocol, a parameter or an include.
_HARMLESS = frozenset({"allow", "forward", "expect", "set", "gateway", "#"})

_ABOUT_FLOWS = ast.Allow | ast.Deny | ast.Forward | ast.Nat | ast.Expect

#: With more mistakes than these nobody wants to hear about the rest.
_MANY = 20


@record
class Reading:
    """A policy as far as it could be read.

    Attributes:
        policy: all statements without a finding; None where there is no text at all.
        diagnostics: what could not be read, in the order of the text.
    """

    policy: Policy | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every statement of the text is in the policy."""
        return not any(finding.is_error for finding in self.diagnostics)

    @property
    def is_worth_checking(self) -> bool:
        """Whether an error in the rest is one, whatever the unread statements say."""
        errors = [finding for finding in self.diagnostics if finding.is_error]
        return len(errors) <= _MANY and all(map(_is_harmless, errors))


def read(source: Source, name: str | None = None, given: Given = None) -> Reading:
    """Read and resolve a policy with the values given. `name` is what findings call it."""
    try:
        file = _file(source, name)
    except SourceError as error:
        return Reading(None, (unreadable(error),))
    parsed = parse_with_includes(file)
    variables = _variables(given)
    policy, unresolved = resolve(parsed.policy, variables)
    unread = [zone.name.span for zone in _broken(parsed)]
    told = [one for one in unresolved if not _is_of(one, unread)]
    found = (*variables.diagnostics, *parsed.diagnostics, *told)
    reading = Reading(policy, in_order(found))
    assert not reading.is_whole or _has_all(policy, parsed), "a statement is lost without a word"
    return reading


def _has_all(policy: Policy, parsed: Parsed) -> bool:
    """Whether each statement about flows has become one of the policy."""
    resolved = (*policy.rules, *policy.forwards, *policy.nats, *policy.expects)
    return len(resolved) == sum(isinstance(one, _ABOUT_FLOWS) for one in parsed.policy.statements)


def _broken(parsed: Parsed) -> Iterator[ast.Zone]:
    """The zones of which a line could not be read: what they lack may stand there."""
    places = [one.primary.span for one in parsed.diagnostics]
    for zone in parsed.policy.statements:
        if isinstance(zone, ast.Zone) and any(
            one.file is zone.span.file and zone.span.start <= one.start < zone.span.end
            for one in places
        ):
            yield zone


def _is_of(finding: Diagnostic, zones: list[Span]) -> bool:
    """Whether a finding is about what one of these zones lacks."""
    return finding.rule is INCOMPLETE_ZONE and finding.primary.span in zones


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings in the order in which people read."""
    return tuple(sorted(diagnostics, key=lambda finding: finding.sort_key))


def _variables(given: Given) -> Variables:
    match given:
        case None:
            return NONE
        case Variables():
            return given
        case SourceFile():
            return parse_variables(given)
        case Path():
            return read_variables(given)
        case _:
            return from_mapping(given)


def _file(source: Source, name: str | None) -> SourceFile:
    match source:
        case SourceFile():
            return source
        case Path():
            return SourceFile.read(source, name)
        case str():
            return SourceFile(source, name or "<policy>")


def _is_harmless(finding: Diagnostic) -> bool:
    """Whether the statement that a finding is about may be missing, judged by its first word."""
    place = finding.primary.span
    line = place.file.line_text(place.position.line).split(maxsplit=1)
    word = line[0] if line else ""
    if word.startswith("#"):
        return True
    return (nearest(word, STATEMENTS) or word) in _HARMLESS
