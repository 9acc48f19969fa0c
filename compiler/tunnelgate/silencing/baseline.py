"""A baseline: findings that were there when it was written, and are not shown until they are gone.

An entry is known by the rule, the object (the gateway, and the zone inside it) and the words of
the statement, never by a line: what is moved or laid out anew stays known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.silencing import ADDED, GONE, RULES
from tunnelgate.records import record
from tunnelgate.silencing.statements import Statements
from tunnelgate.source import SourceFile, Span

VERSION = 1

_KEYS = ("rule", "object", "text", "count")
#: What is wrong with a baseline cannot be part of one.
_NEVER = frozenset(rule.code for rule in RULES)


class Key(NamedTuple):
    """What an entry knows a finding by."""

    rule: str
    object: str
    text: str

    @property
    def gateway(self) -> str:
        """The gateway that it is about; no name of one has a slash."""
        return self.object.partition("/")[0]


class BaselineError(ValueError):
    """A file that is no baseline; `str()` says what is wrong with it."""


@record
class Baseline:
    """How many findings of each key are silenced, and where the file says so."""

    counts: Counter[Key]
    places: dict[Key, Span]

    def within(self, other: Baseline) -> Baseline:
        """What is in both."""
        return Baseline(self.counts & other.counts, self.places)


class Keys:
    """What the findings about one gateway are known by."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._statements: dict[SourceFile, Statements] = {}

    def of(self, finding: Diagnostic) -> Key:
        """The key of a finding; one that is about no statement is about the whole gateway."""
        span = finding.primary.span
        if span.file not in self._statements:
            self._statements[span.file] = Statements(span.file)
        found = self._statements[span.file].at(span)
        zone = f"/{found.zone}" if found is not None and found.zone else ""
        return Key(finding.rule.code, self._gateway + zone, found.text if found else "")


def read(file: SourceFile) -> Baseline:
    """Read a baseline. Raises BaselineError where it is none."""
    try:
        document = json.loads(file.text)
    except ValueError as error:
        raise BaselineError(f"it is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise BaselineError(f"it is no baseline of version {VERSION}")
    entries = document.get("entries")
    if set(document) != {"version", "entries"} or not isinstance(entries, list):
        raise BaselineError("a baseline has `version` and `entries`, and nothing besides")
    baseline, at = Baseline(Counter(), {}), 0
    for number, entry in enumerate(entries, 1):
        key, count = _entry(entry, number)
        if key in baseline.counts:
            raise BaselineError(f"entries {number} and an earlier one are alike")
        baseline.counts[key] = count
        baseline.places[key], at = _place(file, key, at)
    return baseline


def _entry(entry: Any, number: int) -> tuple[Key, int]:
    if not isinstance(entry, dict) or set(entry) != set(_KEYS):
        raise BaselineError(f"entry {number} has not the keys {', '.join(_KEYS)}")
    rule, thing, text, count = (entry[key] for key in _KEYS)
    if not all(isinstance(one, str) for one in (rule, thing, text)):
        raise BaselineError(f"entry {number}: rule, object and text are strings")
    if type(count) is not int or count < 1:
        raise BaselineError(f"entry {number}: count is a number from 1")
    return Key(rule, thing, text), count


def _place(file: SourceFile, key: Key, at: int) -> tuple[Span, int]:
    """Where an entry's text stands, behind the one before; the file's beginning where it hides."""
    wanted = json.dumps(key.text)
    start = file.text.find(wanted, at)
    if start < 0:
        return file.span(0, 0), at
    return file.span(start, start + len(wanted)), start + len(wanted)


def write(keys: Iterable[Key]) -> str:
    """The text of a baseline: an entry a line, in the same order each time."""
    counts = sorted(Counter(keys).items())
    entries = (dict(zip(_KEYS, (*key, count), strict=True)) for key, count in counts)
    lines = ",\n    ".join(json.dumps(entry) for entry in entries)
    body = f"[\n    {lines}\n  ]" if lines else "[]"
    return f'{{\n  "version": {VERSION},\n  "entries": {body}\n}}\n'


def can_hold(finding: Diagnostic) -> bool:
    """Whether a finding may be part of a baseline: no error is, and nothing about silencing."""
    return not finding.is_error and finding.rule.code not in _NEVER


def gone(
    baseline: Baseline, unseen: Mapping[Key, int], gateways: Container[str] | None
) -> Iterator[Diagnostic]:
    """Entries of which fewer findings than they count are there.

    Args:
        unseen: how many of each key were not found.
        gateways: the gateways that were looked at; None where all were.
    """
    for key, count in sorted(unseen.items()):
        if count > 0 and (gateways is None or key.gateway in gateways):
            counted = baseline.counts[key]
            times = "" if count == counted else f"{count} of {counted} times "
            yield Diagnostic(
                GONE,
                f"{key.rule} in `{key.object}` is {times}not found any more",
                Label(baseline.places[key]),
                help="write the baseline anew with `--write-baseline`",
            )


def added(baseline: Baseline, base: Baseline) -> Iterator[Diagnostic]:
    """What a baseline silences more than the one of the base does."""
    for key, count in sorted(baseline.counts.items()):
        if count > base.counts[key]:
            yield Diagnostic(
                ADDED,
                f"the change adds {key.rule} in `{key.object}` to the baseline",
                Label(baseline.places[key]),
                help="it counts once the base has it; whoever reviews the change decides",
            )
