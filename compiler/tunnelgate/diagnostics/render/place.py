"""Spans as renderers need them: always inside their file."""

from __future__ import annotations

from tunnelgate.source import Span


def within(span: Span) -> Span:
    """The part of a span that is in its file, empty where none is.

    Renderers report faults; a span that is a fault itself must not keep a finding from people.
    """
    start = min(max(span.start, 0), len(span.file.text))
    return Span(span.file, start, min(max(span.end, start), len(span.file.text)))
