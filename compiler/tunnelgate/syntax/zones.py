"""A zone that could not be read as it stands: its parts, told from the text alone."""

from __future__ import annotations

from typing import NamedTuple

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Safety
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.diagnostics.reading import SYNTAX
from tunnelgate.source import SourceFile
from tunnelgate.syntax import outline
from tunnelgate.syntax.outline import Word
from tunnelgate.syntax.words import JOINING, MEMBERS, STATEMENTS


class ZoneText(NamedTuple):
    """Where the parts of a zone stand.

    Attributes:
        text: of the file.
        start: where `zone` stands.
        head: where the head ends, behind its `{` where that is on the same line.
        inside: where the inside begins, behind the `{`; the end of the head where there is none.
        end: where the inside ends: at the `}`, or where it ought to stand.
        is_closed: whether it stands there.
        name: the zone's name, if it is one.
    """

    text: str
    start: int
    head: int
    inside: int
    end: int
    is_closed: bool
    name: Word | None

    @property
    def has_brace(self) -> bool:
        """Whether there is a `{` at all."""
        return self.text[self.inside - 1] == "{"

    def unclosed(self, file: SourceFile) -> Diagnostic:
        """The finding that its `}` is missing."""
        name = f" `{self.name.text}`" if self.name else ""
        behind = outline.first_word(self.text, self.end)
        where = file.span(self.end, self.end + len(behind))
        line = self.text.rfind("\n", 0, self.end) + 1
        is_line = not self.text[line : self.end].strip()
        insert = Edit(file.span(line, line), "}\n")
        append = Edit(file.span(self.end, self.end), "\n}\n")
        return Diagnostic(
            SYNTAX,
            f"the zone{name} has no closing `}}`",
            Label(file.span(self.start, self.head), "opened here"),
            labels=(Label(where, "expected `}` before this" if behind else "expected `}` here"),),
            help="close it with `}` on a line of its own",
            fix=Fix((insert if is_line else append,)),
        )

    def brace_on_next_line(self, file: SourceFile) -> Diagnostic:
        """The finding that its `{` stands on a line of its own."""
        fix = None
        if not self.text[self.head : self.inside - 1].strip():
            edit = Edit(file.span(self.head, self.inside), " {")
            fix = Fix((edit,), Safety.SAFE)
        return Diagnostic(
            SYNTAX,
            "the `{` of a zone stands on the line of its name",
            Label(file.span(self.inside - 1, self.inside)),
            labels=(Label(file.span(self.start, self.head), "of this zone"),),
            help="move it to the end of the line above",
            fix=fix,
        )


def find_zone(text: str, start: int) -> ZoneText | None:
    """The parts of the zone that begins there; None where none seems to.

    Whatever else has a `{` at the end of its line and a `}` further on is one too. Without `{` it
    is one where an item of a zone, or the `{`, or the `}`, follows on the next line.
    """
    found = _find_head(text, start)
    if found is None:
        return None
    head, inside = found
    end, is_closed = _find_end(text, inside)
    verb = outline.first_word(text, start)
    if not is_closed and nearest(verb, STATEMENTS) != "zone":
        return None
    words = [word for word, _ in zip(outline.words(text, start, head), range(2), strict=False)]
    name = words[1] if len(words) == 2 and _is_name(words[1].text) else None
    return ZoneText(text, start, head, inside, end, is_closed, name)


def _find_head(text: str, start: int) -> tuple[int, int] | None:
    """Where the head ends, and where the inside begins."""
    end, verb = len(text), outline.first_word(text, start)
    head = outline.code_end(text, start, end)
    brace = outline.find_brace(text, start, head)
    if brace is not None:
        opens = text[brace] == "{" and brace > start
        is_zone = nearest(verb, STATEMENTS) == "zone"
        is_zone = is_zone or (verb not in STATEMENTS and brace == head - 1)
        return (brace + 1, brace + 1) if opens and is_zone else None
    following = outline.next_word(text, head, end)
    if verb != "zone" or following >= end:
        return None
    if text[following] == "{":
        return head, following + 1
    follows = text[following] == "}" or outline.first_word(text, following) in MEMBERS
    return (head, head) if follows else None


def _find_end(text: str, at: int) -> tuple[int, bool]:
    """Where the inside ends that begins there, and whether a `}` stands there.

    It ends at the next `}`. Where another zone, or the end of the text, comes before that, it
    ends at the first line that begins as a statement does. A list in braces is none of its ends.
    """
    end, statement = len(text), None
    while (at := outline.next_word(text, at, end)) < end:
        brace = outline.find_brace(text, at, end)
        if brace is not None and text[brace] == "}":
            return brace, True
        verb = outline.first_word(text, at)
        if brace is not None and verb in MEMBERS and (closing := _closing(text, brace)) is not None:
            at = closing + 1
            continue
        if statement is None and verb in STATEMENTS:
            statement = at
        if verb == "zone" or (brace is not None and brace > at):
            return at if statement is None else statement, False
        at = max(outline.line_end(text, at, end), at + 1)
    return end if statement is None else statement, False


def _closing(text: str, brace: int) -> int | None:
    """Where the `}` of this `{` stands, if it is on the same line."""
    closing = outline.find_brace(text, brace + 1, len(text))
    return closing if closing is not None and text[closing] == "}" else None


def _is_name(text: str) -> bool:
    return outline.first_word(text, 0) == text and text[:1].isalpha() and text not in JOINING
