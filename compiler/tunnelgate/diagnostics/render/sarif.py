"""Findings as SARIF 2.1.0, for code scanning (OASIS Standard; the sections are named below).

Nothing of the machine is in it: addresses of files are relative to the folder of the run, whose
own address is for the reader to know (3.14.14).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunnelgate import __version__
from tunnelgate.diagnostics.diagnostic import Diagnostic, Edit, Fix, Label
from tunnelgate.diagnostics.render.fingerprint import fingerprints
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.page import help_parts
from tunnelgate.diagnostics.render.place import within
from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.diagnostics.rule import Rule, Severity
from tunnelgate.source import Span

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.ADVICE: "note"}
#: The folder of the run.
_BASE = "%SRCROOT%"


def render(diagnostics: Sequence[Diagnostic], options: Options = DEFAULT) -> str:
    """One log with one run, ASCII only: what a terminal would obey is escaped."""
    rules = dict(sorted({one.rule.code: one.rule for one in diagnostics}.items()))
    places = {code: index for index, code in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "tunnelgate",
                "semanticVersion": __version__,
                "rules": [_rule(rule, options.url(rule)) for rule in rules.values()],
            }
        },
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_BASE: {"description": {"text": "The folder of the run."}}},
        "results": [
            _result(one, places[one.rule.code], mark)
            for one, mark in zip(diagnostics, fingerprints(diagnostics), strict=True)
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Rule, url: str) -> dict[str, Any]:
    """3.49 reportingDescriptor"""
    markdown = "\n\n".join(help_parts(rule)).replace("## ", "### ")
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": _sentence(rule.summary)},
        "fullDescription": {"text": _sentence(rule.why)},
        **({"helpUri": url} if url else {}),
        "help": {"text": f"{_sentence(rule.why)} Source: {rule.source}", "markdown": markdown},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.group]},
    }


def _result(diagnostic: Diagnostic, index: int, mark: str) -> dict[str, Any]:
    """3.27 result"""
    found: dict[str, Any] = {
        "ruleId": diagnostic.rule.code,
        "ruleIndex": index,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": _plain(_said(diagnostic))},
        "locations": [_location(diagnostic.primary)],
        "partialFingerprints": {"tunnelgate/v1": mark},
    }
    if diagnostic.labels:
        found["relatedLocations"] = [
            {"id": number} | _location(label) for number, label in enumerate(diagnostic.labels, 1)
        ]
    if diagnostic.fix and diagnostic.fix.edits:
        found["fixes"] = [_fix(diagnostic.fix, diagnostic.help)]
    return found


def _said(diagnostic: Diagnostic) -> str:
    sentences = (diagnostic.message, diagnostic.help)
    return " ".join(_sentence(visible(one)) for one in sentences if one)


def _location(label: Label) -> dict[str, Any]:
    """3.28 location"""
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": _artifact(label.span.file.path),
            "region": _region(label.span),
        }
    }
    return place | ({"message": {"text": _plain(visible(label.text))}} if label.text else {})


def _fix(fix: Fix, text: str) -> dict[str, Any]:
    """3.55 fix; how safe it is stands in its property bag."""
    return {
        "description": {"text": _plain(_sentence(visible(text or "mend it")))},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(fix.edits[0].span.file.path),
                "replacements": [_replacement(edit) for edit in _in_order(fix.edits)],
            }
        ],
        "properties": {"safety": fix.safety.value},
    }


def _in_order(edits: Iterable[Edit]) -> list[Edit]:
    return sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))


def _replacement(edit: Edit) -> dict[str, Any]:
    """3.57 replacement"""
    inserted = {"insertedContent": {"text": edit.text}} if edit.text else {}
    return {"deletedRegion": _region(edit.span), **inserted}


def _artifact(path: str) -> dict[str, str]:
    """3.4 artifactLocation: a URI (RFC 3986), relative where the path is."""
    if os.path.isabs(path):
        return {"uri": Path(path).as_uri()}
    uri = quote(os.path.normpath(path).replace(os.sep, "/"), errors="surrogatepass")
    return {"uri": uri, "uriBaseId": _BASE}


def _region(span: Span) -> dict[str, int]:
    """3.30 region, by lines and columns from 1; the end column is behind the last character."""
    inside = within(span)
    start, end = inside.position, inside.end_position
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _sentence(words: str) -> str:
    words = " ".join(words.split()).removesuffix(".")
    return f"{words[:1].upper()}{words[1:]}."


def _plain(text: str) -> str:
    """A message without a link (3.11.6) and without a placeholder (3.11.5) in it."""
    return re.sub(r"([\\\[\]])", r"\\\1", text).replace("{", "{{").replace("}", "}}")
