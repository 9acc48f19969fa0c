"""Findings for the merge requests of GitLab: its Code Quality report."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence
from typing import Any

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render.fingerprint import fingerprints
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.diagnostics.rule import Severity

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.ADVICE: "info"}


def render(diagnostics: Sequence[Diagnostic], _options: Options = DEFAULT) -> str:
    """One JSON list, ASCII only; by fingerprints GitLab sees which findings are new."""
    marks = fingerprints(diagnostics)
    found = [_finding(*one) for one in zip(diagnostics, marks, strict=True)]
    return json.dumps(found, indent=2) + "\n"


def _finding(diagnostic: Diagnostic, mark: str) -> dict[str, Any]:
    span = within(diagnostic.primary.span)
    said = "; ".join(filter(None, (diagnostic.message, diagnostic.help)))
    return {
        "description": visible(said),
        "check_name": diagnostic.rule.code,
        "fingerprint": mark,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {
            # GitLab wants it relative to the repository, and without a leading `./`.
            "path": posixpath.normpath(span.file.path),
            "lines": {"begin": span.position.line, "end": span.end_position.line},
        },
    }
