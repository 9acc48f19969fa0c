"""Findings for people: the source with marks and labels, why it matters, and the way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.render import patch, snippet
from tunnelgate.diagnostics.render.gutter import SKIPPED, Gutter
from tunnelgate.diagnostics.render.options import DEFAULT, Options
from tunnelgate.diagnostics.render.paint import Row, Segment, Style, paint
from tunnelgate.diagnostics.render.patch import Hunk
from tunnelgate.diagnostics.render.snippet import Snippet
from tunnelgate.diagnostics.render.summary import summary
from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.diagnostics.render.wrap import NARROWEST, wrap

#: Reports of one code in one run.
_MOST = 50


def render(diagnostics: Sequence[Diagnostic], options: Options = DEFAULT) -> str:
    """A report of each finding and a line that counts them; nothing where there are none.

    Of many with one code the first are shown: nobody reads ten thousand reports of one kind.
    """
    if not diagnostics:
        return ""
    shown, left = _first_of_each(diagnostics)
    reports = [
        "\n".join(paint(row, options.color) for row in _report(diagnostic, options))
        for diagnostic in shown
    ]
    for code, count in left.items():
        reports.append(f"{code}: {count} more like these; `--format concise` shows every one")
    return "\n\n".join([*reports, summary(diagnostics, options.silenced)]) + "\n"


def _first_of_each(diagnostics: Sequence[Diagnostic]) -> tuple[list[Diagnostic], Counter[str]]:
    """The findings to be shown, and how many of each code are left."""
    seen: Counter[str] = Counter()
    shown = []
    for diagnostic in diagnostics:
        seen[diagnostic.rule.code] += 1
        if seen[diagnostic.rule.code] <= _MOST:
            shown.append(diagnostic)
    return shown, seen - Counter(dict.fromkeys(seen, _MOST))


def _report(diagnostic: Diagnostic, options: Options) -> Iterator[Row]:
    shown = snippet.snippets(diagnostic)
    changes = patch.hunks(diagnostic.fix) if diagnostic.fix else []
    numbers = [*(max(part.lines) for part in shown), *(hunk.highest for hunk in changes)]
    gutter = Gutter(len(str(max(numbers))))
    # What a line of source has beside the gutter, ` | `, and a `…` at both ends.
    room = max(options.width - gutter.digits - 5, NARROWEST)
    yield _header(diagnostic, options.url(diagnostic.rule))
    for index, part in enumerate(shown):
        if index:
            yield gutter.under()
        yield from _source(part, ":::" if index else "-->", gutter, room)
    yield from _notes(diagnostic, gutter, options.width)
    yield from _patch(changes, shown[0], gutter, room)


def _header(diagnostic: Diagnostic, page: str) -> Row:
    title = f"{diagnostic.severity.value}[{diagnostic.rule.code}]"
    return (
        Segment(Style.of(diagnostic.severity), title, visible(page)),
        Segment(Style.STRONG, f": {visible(diagnostic.message)}"),
    )


def _source(part: Snippet, sign: str, gutter: Gutter, room: int) -> Iterator[Row]:
    line, column = part.place
    yield gutter.arrow(sign, f"{visible(part.file.path)}:{line}:{column}")
    yield gutter.under()
    yield from snippet.draw(part, gutter, room)


def _notes(diagnostic: Diagnostic, gutter: Gutter, width: int) -> Iterator[Row]:
    for title, text in (("why", _why(diagnostic)), ("help", diagnostic.help)):
        if text.strip():
            room = width - gutter.digits - len(" = ")
            yield from gutter.note(title, wrap(text, room, taken=len(f"{title}: ")))


def _why(diagnostic: Diagnostic) -> str:
    """The reason in this case, or the rule's own, and where it can be looked up."""
    reason = diagnostic.why or diagnostic.rule.why
    source = diagnostic.rule.source
    return f"{reason.rstrip().removesuffix('.')} ({source})" if reason and source else reason


def _patch(changes: list[Hunk], shown: Snippet, gutter: Gutter, room: int) -> Iterator[Row]:
    if changes:
        yield gutter.under()
    if changes and changes[0].file is not shown.file:
        yield gutter.arrow(":::", visible(changes[0].file.path))
    for index, hunk in enumerate(changes):
        if index:
            yield SKIPPED
        yield from patch.draw(hunk, gutter, room)
