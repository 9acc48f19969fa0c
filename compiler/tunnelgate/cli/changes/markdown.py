"""A report of changes for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.cli.changes.connections import commands
from tunnelgate.cli.changes.lines import Line, Reports, lines, place
from tunnelgate.cli.changes.text import MARKS, summary
from tunnelgate.diagnostics.render.markup import code, escaped, with_code
from tunnelgate.meaning.difference import Kind, Report

#: More lines of a kind than this are counted.
_MANY = 50


def render(reports: Reports) -> str:
    """The reports as Markdown, each under the name of the gateway and of its values; it says so
    where nothing differs.
    """
    different = [one for one in reports if not one[1].is_empty]
    if not different:
        return f"{_title(reports[0][1])}\n\nNothing: both versions mean the same.\n"
    return "\n".join(
        "\n".join([_title(report, values if len(reports) > 1 else ""), "", *_body(report), ""])
        for values, report in different
    )


def _title(report: Report, values: str = "") -> str:
    title = f"### What changes for `{report.new.name}`"
    return f"{title} with {code(values)}" if values else title


def _body(report: Report) -> Iterator[str]:
    found = lines(report)
    yield escaped(summary(report, found))
    yield ""
    for one in report.environment:
        yield f"- {with_code(one)}"
    if report.environment:
        yield ""
    for kind in Kind:
        some = [line for line in found if line.kind is kind]
        if some:
            yield from _table(kind, some)
    ended = commands(report)
    if ended.conntrack:
        yield "<details><summary>Connections that go on after a load</summary>"
        yield ""
        yield "```sh"
        yield from ended.conntrack
        yield "```"
        yield "</details>"


def _table(kind: Kind, found: list[Line]) -> Iterator[str]:
    yield f"**{kind.value}**"
    yield ""
    yield "| | flow | what becomes of it | by |"
    yield "| --- | --- | --- | --- |"
    for line in found[:_MANY]:
        effects = "<br>".join(escaped(one) for one in line.effects)
        statements = "<br>".join(
            f"{code(one.text)} {escaped(place(one))}" for one in line.statements[:3]
        )
        if statements and line.is_decided_before:
            statements = f"was {statements}"
        yield f"| {MARKS[kind]} | {code(line.flow)} | {effects} | {statements} |"
    if len(found) > _MANY:
        yield ""
        yield f"… and {len(found) - _MANY} more"
    yield ""
