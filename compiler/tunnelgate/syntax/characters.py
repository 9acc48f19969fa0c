"""Characters that may not stand in a policy, comments included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Safety
from tunnelgate.diagnostics.reading import CHARACTER
from tunnelgate.source import SourceFile

#: After so many, the others are counted only.
MANY = 20

#: A fix of more edits than these is no help.
_MOST_EDITS = 20_000

_BOM = "\ufeff"

#: Everything refused. A line ends with `\n` and with nothing else; surrogates are no characters.
_REFUSED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LINE_SEPARATORS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_BIDIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def clean(file: SourceFile) -> tuple[str, list[Diagnostic]]:
    """The text with a blank for each character refused, so that all offsets stay; the findings."""
    text = file.text
    if not text.startswith(_BOM) and not _REFUSED.search(text):
        return text, []
    findings = []
    if text.startswith(_BOM):
        findings.append(_byte_order_mark(file))
        text = " " + text[1:]
    if "\r\n" in text:
        findings.append(_windows_line_ends(file))
        text = text.replace("\r\n", " \n")
    findings.extend(_single_characters(file, text))
    return _REFUSED.sub(" ", text), findings


def _byte_order_mark(file: SourceFile) -> Diagnostic:
    span = file.span(0, 1)
    return Diagnostic(
        CHARACTER,
        "the file begins with a byte order mark",
        Label(span),
        help="save it as UTF-8 without one",
        fix=Fix((Edit(span, ""),), Safety.SAFE),
    )


def _windows_line_ends(file: SourceFile) -> Diagnostic:
    """One finding for all of them; its fix has an edit for each, if they are not too many."""
    found = re.finditer("\r\n", file.text)
    spans = [file.span(match.start(), match.end()) for match in islice(found, _MOST_EDITS)]
    edits = tuple(Edit(span, "\n") for span in spans)
    return Diagnostic(
        CHARACTER,
        "the lines end as on Windows, with a carriage return",
        Label(spans[0]._replace(end=spans[0].start + 1)),
        help=r"convert them with `dos2unix` or `sed -i 's/\r$//'`, and tell the editor",
        fix=Fix(edits, Safety.SAFE) if len(edits) < _MOST_EDITS else None,
    )


def _single_characters(file: SourceFile, text: str) -> Iterator[Diagnostic]:
    """A finding for each of the first ones, and one for the sum of the others."""
    matches = _REFUSED.finditer(text)
    for match in islice(matches, MANY):
        character, span = match[0], file.span(match.start(), match.end())
        yield Diagnostic(
            CHARACTER,
            f"{_kind(character)} U+{ord(character):04X} in the text",
            Label(span),
            help="remove it; where it stands for a blank, write a blank",
            fix=Fix((Edit(span, "" if character in _BIDIRECTIONAL else " "),)),
        )
    if (another := next(matches, None)) is not None:
        others = 1 + sum(1 for _ in matches)
        more = "1 more such character" if others == 1 else f"{others} more such characters"
        yield Diagnostic(
            CHARACTER,
            f"{more} from here on",
            Label(file.span(another.start(), another.end())),
            help="is this the file you meant?",
        )


def _kind(character: str) -> str:
    if character in _BIDIRECTIONAL:
        return "bidirectional control"
    if character in _LINE_SEPARATORS:
        return "line separator"
    return "surrogate" if "\ud800" <= character <= "\udfff" else "control character"
