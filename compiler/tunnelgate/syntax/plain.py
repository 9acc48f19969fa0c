"""The statement that large policies are made of, read without the parser.

`allow PROTOCOLS from PLACES to PLACES with OPTIONS` on one line, the same with `deny`: a pattern
made of the grammar's own terminals takes it apart, about four times as fast. Whatever it does not
match is left to the parser; what it matches, it reads as the parser would, and a test holds the
two against each other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.ast import Atom, AtomKind

if TYPE_CHECKING:
    from lark import Lark

_KINDS = {kind.name: kind for kind in AtomKind}

#: What of a word is the text of its atom, where that is not all of it.
_PARTS = {"PARAM": slice(1, None), "STRING": slice(1, -1)}

#: What may follow the name of an option.
_ARGUMENTS = ("RATE", "SPI", "INT", "STRING", "PARAM")


class PlainLines:
    """Recognises plain lines; made once for a grammar."""

    def __init__(self, grammar: Lark) -> None:
        use = _either(grammar, "LITERAL", "PARAM", "NAME")
        place = _either(grammar, "ADDRESS", "PARAM", "NAME")
        option = (
            rf"{_either(grammar, 'NAME')}(?:[ \t]+(?:{_either(grammar, *_ARGUMENTS)}))?"
            rf"(?:[ \t]+{_either(grammar, 'PER_SOURCE')})?"
        )
        self._line = re.compile(
            rf"(allow|deny)[ \t]+{_list(use)}[ \t]+from[ \t]+{_list(place)}"
            rf"[ \t]+to[ \t]+{_list(place)}(?:[ \t]+with[ \t]+{_list(option)})?"
            r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)"
        )
        self._use = re.compile(use)
        self._place = re.compile(place)
        self._option = re.compile(option)

    def begins(self, text: str, at: int) -> bool:
        """Whether the line that begins there is a plain one."""
        return self._line.match(text, at) is not None

    def read(self, file: SourceFile, text: str, at: int) -> tuple[ast.Allow | ast.Deny, int] | None:
        """The statement that begins there, and where the next line begins; None if not plain."""
        match = self._line.match(text, at)
        if match is None:
            return None
        uses, sources, destinations = (Span(file, *match.span(part)) for part in (2, 3, 4))
        options = self._options(Span(file, *match.span(5)), text) if match[5] else ()
        kind = ast.Allow if match[1] == "allow" else ast.Deny
        statement = kind(
            span=Span(file, at, options[-1].span.end if options else destinations.end),
            protocols=self._protocols(uses, text),
            source=ast.Places(tuple(_atoms(self._place, sources, text)), (), sources),
            destination=ast.Places(
                tuple(_atoms(self._place, destinations, text)), (), destinations
            ),
            options=options,
        )
        return statement, match.end()

    def _protocols(self, where: Span, text: str) -> ast.Protocols:
        uses = [ast.ProtocolUse(atom, None, atom.span) for atom in _atoms(self._use, where, text)]
        return ast.Protocols(tuple(uses), (), where)

    def _options(self, where: Span, text: str) -> tuple[ast.Option, ...]:
        return tuple(
            ast.Option(
                _atom("NAME", match, where.file),
                next((_atom(kind, match, where.file) for kind in _ARGUMENTS if match[kind]), None),
                match["PER_SOURCE"] is not None,
                Span(where.file, *match.span()),
            )
            for match in self._option.finditer(text, where.start, where.end)
        )


def _atoms(word: re.Pattern[str], where: Span, text: str) -> list[Atom]:
    """The words of a list; each is the named group of `word` that matched."""
    return [
        _atom(str(match.lastgroup), match, where.file)
        for match in word.finditer(text, where.start, where.end)
    ]


def _atom(group: str, match: re.Match[str], file: SourceFile) -> Atom:
    text = match[group]
    if group in _PARTS:
        text = text[_PARTS[group]]
    return Atom(_KINDS[group], text, Span(file, *match.span(group)))


def _either(grammar: Lark, *terminals: str) -> str:
    """A pattern of any of these terminals, tried in this order: the lexer's, by priority."""
    patterns = (grammar.get_terminal(name).pattern.to_regexp() for name in terminals)
    named = zip(terminals, patterns, strict=True)
    return "|".join(f"(?P<{name}>{regexp})" for name, regexp in named)


def _list(item: str) -> str:
    """A group of one or more items, each taken whole as the lexer does, without named groups."""
    whole = "(?>" + re.sub(r"\(\?P<\w+>", "(?:", item) + ")"
    return rf"({whole}(?:[ \t]*,[ \t]*{whole})*)"
