"""Findings for reviewdog: its Diagnostic Format (rdjson), with fixes as suggestions.

reviewdog shows messages in comments, as Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tunnelgate.diagnostics.diagnostic import Diagnostic, Edit, Fix
from tunnelgate.diagnostics.render.markup import with_code
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.diagnostics.rule import Severity
from tunnelgate.source import Span

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.ADVICE: "INFO"}


def render(diagnostics: Sequence[Diagnostic], options: Options = DEFAULT) -> str:
    """One DiagnosticResult as JSON, ASCII only."""
    document = {
        "source": {"name": "tunnelgate"},
        "diagnostics": [_finding(one, options.url(one.rule)) for one in diagnostics],
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(diagnostic: Diagnostic, url: str) -> dict[str, Any]:
    message = with_code(visible(diagnostic.message))
    if diagnostic.help:
        message += f"\nhelp: {with_code(visible(diagnostic.help))}"
    span = within(diagnostic.primary.span)
    found: dict[str, Any] = {
        "message": message,
        "location": {"path": span.file.path, "range": _range(span)},
        "severity": _SEVERITIES[diagnostic.severity],
        "code": {"value": diagnostic.rule.code} | ({"url": url} if url else {}),
    }
    if diagnostic.fix and diagnostic.fix.edits:
        found["suggestions"] = [_suggestion(diagnostic.fix)]
    return found


def _suggestion(fix: Fix) -> dict[str, Any]:
    """The whole fix as one: several suggestions would be several ways to mend it."""
    inside = (Edit(within(edit.span), edit.text) for edit in fix.edits)
    first, *others = sorted(inside, key=lambda edit: (edit.span.start, edit.span.end))
    text, end = first.text, first.span.end
    for edit in others:
        text += first.span.file.text[end : edit.span.start] + edit.text
        end = max(end, edit.span.end)
    return {"range": _range(Span(first.span.file, first.span.start, end)), "text": text}


def _range(span: Span) -> dict[str, Any]:
    return {"start": _position(span, span.start), "end": _position(span, span.end)}


def _position(span: Span, offset: int) -> dict[str, int]:
    """Line and column from 1; reviewdog counts columns in bytes of UTF-8."""
    line, column = span.file.position(offset)
    before = span.file.text[offset - column + 1 : offset]
    return {"line": line, "column": len(before.encode("utf-8", "surrogatepass")) + 1}
