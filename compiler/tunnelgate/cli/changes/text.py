"""A report of changes for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.cli.changes.connections import Commands, commands
from tunnelgate.cli.changes.lines import Line, Reports, by_statements, lines
from tunnelgate.meaning.difference import Kind, Report

#: More commands than this are counted.
_MOST_COMMANDS = 12

MARKS = {Kind.ALLOWED: "+", Kind.CHANGED: "~", Kind.DENIED: "-"}


def render(reports: Reports) -> str:
    """The reports as text, those of some values below what these are called; nothing where nothing
    differs.
    """
    texts = []
    for values, report in reports:
        if not report.is_empty:
            texts += [f"with {values or 'the defaults'}:"] if len(reports) > 1 else []
            texts += _paragraphs(report)
    return "".join(f"{text}\n" for text in texts)


def _paragraphs(report: Report) -> Iterator[str]:
    found = lines(report)
    for one in report.environment:
        yield f"! {one}"
    for kind in Kind:
        some = [line for line in found if line.kind is kind]
        if some:
            yield f"{kind.value}:"
            for line in some:
                yield from _told(line)
    ended = commands(report)
    if ended.conntrack:
        yield from _connections(ended)
    yield summary(report, found)


def _told(line: Line) -> Iterator[str]:
    yield f"  {MARKS[line.kind]} {line.flow}"
    for effect in line.effects:
        yield f"      {effect}"
    if line.statements:
        word = "was by" if line.is_decided_before else "by"
        yield f"      {word} {by_statements(line.statements)}"


def _connections(ended: Commands) -> Iterator[str]:
    yield "connections that a load leaves; these commands end them:"
    for one in ended.conntrack[:_MOST_COMMANDS]:
        yield f"  {one}"
    more = len(ended.conntrack) - _MOST_COMMANDS
    if more > 0:
        yield f"  and {more} more: all of them, and those of pf, are in `--format json`"


def summary(report: Report, found: list[Line]) -> str:
    """How much differs, in a line."""
    counted = ((kind.value, sum(line.kind is kind for line in found)) for kind in Kind)
    parts = [f"{count} {word}" for word, count in counted if count]
    if report.environment:
        parts.append(f"{len(report.environment)} about zones")
    return ", ".join(parts)
