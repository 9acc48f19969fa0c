"""The statement that large policies are made of, read without the parser.

`allow PROTOCOLS from PLACES to PLACES` on one line, the same with `deny`: a pattern made of the
grammar's own terminals takes it apart, about eight times as fast. Whatever it does not match is
left to the parser; what it matches, it reads as the parser would, and a test holds the two
against each other.
"""

from __future__ import annotations

import re

from lark import Lark

from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.ast import Atom, AtomKind

_KINDS = {kind.name: kind for kind in AtomKind}


class PlainLines:
    """Recognises plain lines; made once for a grammar."""

    def __init__(self, grammar: Lark) -> None:
        use = _either(grammar, "LITERAL", "PARAM", "NAME")
        place = _either(grammar, "ADDRESS", "PARAM", "NAME")
        comma, blank = r"[ \t]*,[ \t]*", r"[ \t]+"
        uses, places = (rf"(?>{word})(?:{comma}(?>{word}))*" for word in (use, place))
        self._line = re.compile(
            rf"(allow|deny){blank}({_unnamed(uses)}){blank}from{blank}({_unnamed(places)})"
            rf"{blank}to{blank}({_unnamed(places)})[ \t]*(?:#[^\n]*)?(?:\n|\Z)"
        )
        self._uses = re.compile(use)
        self._places = re.compile(place)

    def begins(self, text: str, at: int) -> bool:
        """Whether the line that begins there is a plain one."""
        return self._line.match(text, at) is not None

    def read(self, file: SourceFile, text: str, at: int) -> tuple[ast.Allow | ast.Deny, int] | None:
        """The statement that begins there, and where the next line begins; None if not plain."""
        match = self._line.match(text, at)
        if match is None:
            return None
        uses = [
            ast.ProtocolUse(atom, None, atom.span)
            for atom in self._atoms(self._uses, file, text, match.span(2))
        ]
        kind = ast.Allow if match[1] == "allow" else ast.Deny
        statement = kind(
            span=Span(file, at, match.end(4)),
            protocols=ast.Protocols(tuple(uses), (), Span(file, *match.span(2))),
            source=self._place_list(file, text, match.span(3)),
            destination=self._place_list(file, text, match.span(4)),
            options=(),
        )
        return statement, match.end()

    def _place_list(self, file: SourceFile, text: str, where: tuple[int, int]) -> ast.Places:
        atoms = self._atoms(self._places, file, text, where)
        return ast.Places(tuple(atoms), (), Span(file, *where))

    @staticmethod
    def _atoms(
        word: re.Pattern[str], file: SourceFile, text: str, where: tuple[int, int]
    ) -> list[Atom]:
        atoms = []
        for match in word.finditer(text, *where):
            kind = _KINDS[str(match.lastgroup)]
            value = match[0][1:] if kind is AtomKind.PARAM else match[0]
            atoms.append(Atom(kind, value, Span(file, *match.span())))
        return atoms


def _either(grammar: Lark, *terminals: str) -> str:
    """A pattern of any of these terminals, tried in this order: the lexer's, by priority."""
    patterns = (grammar.get_terminal(name).pattern.to_regexp() for name in terminals)
    return "|".join(f"(?P<{name}>{regexp})" for name, regexp in zip(terminals, patterns, strict=True))


def _unnamed(pattern: str) -> str:
    """The pattern without the names of its groups, so that it can stand in one several times."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)
