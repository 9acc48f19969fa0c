"""Comments, and to which statement a doc comment belongs.

No string goes over a line, so one pattern finds every comment, in lines that are no statement
too: a formatter and the suppressions need all of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax.ast import Comment

#: A string, skipped since a `#` in it begins no comment; or a comment.
COMMENT = re.compile(r'"[^"\n]*"|(#[^\n]*)')

#: A comment that begins with this speaks to tunnelgate.
ADDRESSED = "tunnelgate:"

#: Lines of doc comments, and the way to the first character of the word behind them.
_DOC = re.compile(r"^[ \t]*((?:##(?!#)[^\n]*\n[ \t]*)+)(?=[^\s#])", re.MULTILINE)

#: What is not shown of a line of a doc comment.
_MARK = re.compile(r"^[ \t]*## ?", re.MULTILINE)


class Doc(NamedTuple):
    """A doc comment: its text, and where its lines stand."""

    text: str
    start: int
    end: int


def find_docs(text: str) -> dict[int, Doc]:
    """The doc comments of a text, by the offset of the word that follows on the next line."""
    if "##" not in text:
        return {}
    found = {}
    for match in _DOC.finditer(text):
        lines = match[1].rstrip().split("\n")
        doc = "\n".join(_MARK.sub("", line).rstrip() for line in lines)
        found[match.end()] = Doc(doc, match.start(), match.end())
    return found


def find_comments(file: SourceFile, text: str, docs: list[Doc]) -> tuple[Comment, ...]:
    """The comments of a text, but those in `docs`, which found their statement."""
    if "#" not in text:
        return ()
    taken = iter(sorted(docs, key=lambda doc: doc.start))
    doc = next(taken, None)
    comments = []
    for match in COMMENT.finditer(text):
        if match[1] is None:
            continue
        start, end = match.span()
        while doc and doc.end <= start:
            doc = next(taken, None)
        if not doc or start < doc.start:
            comments.append(Comment(match[1].rstrip(), Span(file, start, end)))
    return tuple(comments)
