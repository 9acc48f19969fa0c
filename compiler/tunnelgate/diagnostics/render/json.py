"""Findings for programs: version 1 of the contract in schemas/findings.schema.json.

Within a version, fields are never renamed, removed or given another meaning.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tunnelgate.diagnostics.diagnostic import Diagnostic, Edit, Fix, Label
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.summary import counts
from tunnelgate.source import Position, Span

VERSION = 1


def render(diagnostics: Sequence[Diagnostic], options: Options = DEFAULT) -> str:
    """One JSON object, ASCII only: what a terminal would obey is escaped."""
    document = {
        "version": VERSION,
        "findings": [_finding(diagnostic) for diagnostic in diagnostics],
        "summary": {**counts(diagnostics), "silenced": options.silenced},
        "gateways": list(options.gateways),
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(diagnostic: Diagnostic) -> dict[str, Any]:
    rule = diagnostic.rule
    labels = (diagnostic.primary, *diagnostic.labels)
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(diagnostic.primary.span),
        "labels": [_label(label, primary=not index) for index, label in enumerate(labels)],
        "help": diagnostic.help or None,
        "fix": _fix(diagnostic.fix) if diagnostic.fix else None,
        "url": rule.page,
    }


def _label(label: Label, *, primary: bool) -> dict[str, Any]:
    return {**_place(label.span), "text": label.text, "primary": primary}


def _fix(fix: Fix) -> dict[str, Any]:
    return {"safety": fix.safety.value, "edits": [_edit(edit) for edit in fix.edits]}


def _edit(edit: Edit) -> dict[str, Any]:
    return {**_place(edit.span), "text": edit.text}


def _place(span: Span) -> dict[str, Any]:
    inside = within(span)
    return {
        "path": inside.file.path,
        "span": {"start": _position(inside.position), "end": _position(inside.end_position)},
    }


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}
