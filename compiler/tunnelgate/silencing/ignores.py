"""Comments that silence: `# tunnelgate: ignore[TG501] reason="old plant" until=2027-03-31`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import TypeAlias

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.diagnostics.silencing import MALFORMED
from tunnelgate.records import record
from tunnelgate.silencing.statements import Statement, Statements
from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax.comments import ADDRESSED, COMMENT

_DIRECTIVE = re.compile(rf"#+[ \t]*{ADDRESSED}[ \t]*")
_WORD = re.compile(r"[A-Za-z-]*")
_CODES = re.compile(r"\[([^\]]*)\]")
_CODE = re.compile(r"[^,\s]+")
_PART = re.compile(r'[ \t]*([A-Za-z-]+)[ \t]*=[ \t]*("[^"]*"|[^\s"]+)(?!\S)')
_FORM = 'it is written `# tunnelgate: ignore[TG501] reason="why" until=2027-03-31`, the date if any'


@record
class Ignore:
    """One such comment.

    Attributes:
        span: the comment.
        codes: the codes in brackets, as they are written.
        reason: why; empty where none is given, and then it silences nothing.
        until: the last day on which it counts; None where it counts always.
        statement: what it stands beside or above.
    """

    span: Span
    codes: tuple[Span, ...]
    reason: str
    until: date | None
    statement: Statement | None


Trust: TypeAlias = Callable[[Ignore], bool]
"""Whether a comment may silence: where the base of a change decides, one that it adds may not."""


def find(file: SourceFile) -> Iterator[Ignore | Diagnostic]:
    """The comments of a file that silence, or that were meant to, as findings."""
    if ADDRESSED not in file.text:
        return
    statements = Statements(file)
    for match in COMMENT.finditer(file.text):
        head = _DIRECTIVE.match(match[1] or "")
        if head is not None:
            span = file.span(match.start(1), match.start(1) + len(match[1].rstrip()))
            yield _read(span, span.start + head.end(), _beside(span, statements))


def _beside(span: Span, statements: Statements) -> Statement | None:
    """The statement on a comment's line, or that begins below it and other comments."""
    line = span.position.line
    found = statements.on(line)
    while found is None and span.file.line_text(line).lstrip().startswith("#"):
        line += 1
        if line > len(span.file.line_starts):
            return None
        found = statements.beginning_on(line)
    return found


def _read(span: Span, at: int, statement: Statement | None) -> Ignore | Diagnostic:
    """Take a comment apart from its word `ignore` on."""
    file, end = span.file, span.end
    if span.text.startswith("##"):
        return _malformed(span, "a comment with `##` is about its statement and silences nothing")
    word = _word(file, at)
    if word.text != "ignore":
        close = nearest(word.text, ["ignore"])
        return _malformed(
            word if word.text else file.span(at, end),
            f"`{word.text}` is nothing that tunnelgate obeys" if word.text else "nothing is said",
            f"did you mean `{close}`?" if close else _FORM,
        )
    codes = _CODES.match(file.text, word.end, end)
    if codes is None:
        return _malformed(file.span(at, end), "`ignore` needs codes in brackets", _FORM)
    inside = tuple(
        file.span(one.start(), one.end())
        for one in _CODE.finditer(file.text, codes.start(1), codes.end(1))
    )
    if not inside:
        return _malformed(file.span(word.end, codes.end()), "no code stands in the brackets", _FORM)
    parts = _parts(file, codes.end(), end)
    if isinstance(parts, Diagnostic):
        return parts
    until = _date(parts["until"]) if "until" in parts else None
    if isinstance(until, Diagnostic):
        return until
    reason = parts["reason"].text.strip('"').strip() if "reason" in parts else ""
    return Ignore(span, inside, reason, until, statement)


def _parts(file: SourceFile, at: int, end: int) -> dict[str, Span] | Diagnostic:
    """The values behind the brackets, by their keys."""
    found: dict[str, Span] = {}
    while file.text[at:end].strip():
        part = _PART.match(file.text, at, end)
        if part is None:
            start = end - len(file.text[at:end].lstrip())
            return _malformed(file.span(start, end), "this cannot be read", _FORM)
        key = file.span(part.start(1), part.end(1))
        if key.text not in ("reason", "until"):
            close = nearest(key.text, ["reason", "until"])
            help = f"did you mean `{close}`?" if close else _FORM
            return _malformed(key, f"unknown key `{key.text}`", help)
        if key.text in found:
            return _malformed(key, f"`{key.text}` is given twice", "leave one out")
        found[key.text] = file.span(part.start(2), part.end(2))
        at = part.end()
    return found


def _date(span: Span) -> date | Diagnostic:
    try:
        if len(span.text) == len("2027-03-31"):
            return date.fromisoformat(span.text)
    except ValueError:
        pass
    return _malformed(span, f"`{span.text}` is no day", "write year, month and day: 2027-03-31")


def _word(file: SourceFile, at: int) -> Span:
    match = _WORD.match(file.text, at)
    return file.span(at, match.end() if match else at)


def _malformed(span: Span, message: str, help: str = _FORM) -> Diagnostic:
    return Diagnostic(MALFORMED, message, Label(span), help=help)
