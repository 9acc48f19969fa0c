"""A line that could not be read, as its message is made from it."""

from __future__ import annotations

from enum import Enum
from functools import cached_property

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Safety
from tunnelgate.diagnostics.reading import SYNTAX
from tunnelgate.records import record
from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax.outline import Word, first_word, words
from tunnelgate.syntax.words import (
    END,
    JOINING,
    MEMBERS,
    SIGNS,
    STATEMENTS,
    must_follow,
    one_of,
)

#: How far around the mistake its line is looked at: lines may be long, messages need not know.
_SIGHT = 4000

#: What stands behind a joining word.
_CLAUSES = {
    "from": "the source",
    "to": "the destination",
    "as": "the address",
    "with": "the option",
}


class Level(Enum):
    """What a piece of text is read as; the value is the grammar's rule."""

    POLICY = "policy"
    ZONE = "body"
    QUESTION = "question"


@record
class Trouble:
    """Where reading stopped in a statement, a zone's item or a question.

    Attributes:
        file: the file.
        text: what was read of it: the same, with blanks for refused characters.
        start: where the line begins that could not be read.
        end: where it ends, the lines that it goes on with included.
        at: where the parser stopped.
        expected: the terminals of the grammar that could have followed.
        level: what the line was read as.
    """

    file: SourceFile
    text: str
    start: int
    end: int
    at: int
    expected: frozenset[str]
    level: Level

    @cached_property
    def words(self) -> list[Word]:
        """The words around the place."""
        first = max(self.start, self.at - _SIGHT)
        return list(words(self.text, first, min(self.end, self.at + _SIGHT)))

    @cached_property
    def index(self) -> int:
        """Which of the words was not understood; behind the last one at the end of the line."""
        for index, word in enumerate(self.words):
            if word.end > self.at:
                return index
        return len(self.words)

    @property
    def word(self) -> Word:
        """The word that was not understood; an empty one at the end of the line."""
        return self.neighbour(0)

    @property
    def before(self) -> Word:
        """The word before it; an empty one where it is the first."""
        return self.neighbour(-1)

    @property
    def after(self) -> Word:
        """The word after it; an empty one where it is the last."""
        return self.neighbour(1)

    def neighbour(self, distance: int) -> Word:
        """The word so many words further; an empty one outside of the line."""
        index = self.index + distance
        if index < 0:
            return Word("", self.start, self.start)
        if index < len(self.words):
            return self.words[index]
        end = self.words[-1].end if self.words else self.start
        return Word("", end, end)

    @property
    def is_first(self) -> bool:
        """Whether the line's first word was not understood."""
        return self.word.start == self.start

    @property
    def is_inside(self) -> bool:
        """Whether the parser took the beginning of the word for one, and stopped at the rest."""
        return self.word.start < self.at < self.word.end

    @property
    def verb(self) -> str:
        """The first word of the line."""
        return first_word(self.text, self.start)

    def follows(self, text: str) -> bool:
        """Whether that word stands further on in the line."""
        return any(word.text == text for word in self.words[self.index + 1 :])

    @property
    def clause(self) -> str:
        """What stands before the place, in the reader's words."""
        text = self.before.text
        known = (*JOINING, *STATEMENTS, *MEMBERS, *SIGNS.values())
        if text in known or self.level is Level.ZONE:
            return quote(text)
        for word in reversed(self.words[: self.index]):
            if word.text in _CLAUSES:
                return _CLAUSES[word.text]
        if self.verb in ("allow", "deny", "forward", "expect") or self.level is Level.QUESTION:
            return "the protocol"
        return quote(text)

    @property
    def expectation(self) -> str:
        """What was expected, as a message."""
        needed, word = must_follow(self.expected), self.word.text
        after = f" after {self.clause}" if self.before.text else ""
        if needed and not (END in self.expected and word):
            return f"expected {one_of(needed)}{after}"
        return f"unexpected {quote(word)}{after}" if word else "the line breaks off"

    def span(self, start: int, end: int) -> Span:
        """A span of the file."""
        return self.file.span(start, end)

    def found(
        self,
        message: str,
        help: str = "",
        *,
        at: tuple[int, int] | None = None,
        replace: tuple[int, int, str] | None = None,
        safety: Safety = Safety.UNSAFE,
    ) -> Diagnostic:
        """The finding, at the word not understood unless `at` says where; `replace` is its fix."""
        start, end = at or (self.word.start, self.word.end)
        fix = None
        if replace is not None:
            fix = Fix((Edit(self.span(replace[0], replace[1]), replace[2]),), safety)
        return Diagnostic(SYNTAX, message, Label(self.span(start, end)), help=help, fix=fix)

    def did_you_mean(self, message: str, meant: str) -> Diagnostic:
        """The finding that the word not understood was probably meant to be another."""
        fix = (self.word.start, self.word.end, meant)
        return self.found(message, f"did you mean `{meant}`?", replace=fix)


def quote(text: str) -> str:
    """The user's word for a message: in backticks, cut where it is long."""
    return f"`{text}`" if len(text) <= 40 else f"`{text[:40]}…`"
