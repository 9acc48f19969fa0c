"""Lines and names that are too long."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.reading import SYNTAX
from tunnelgate.records import fields_of
from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast
from tunnelgate.syntax.ast import Atom, AtomKind

#: No line that a person wrote is longer; one of many megabytes would be read for minutes.
LONGEST_LINE = 65_536

#: The longest name: as long as those of nftables sets and pf tables may be.
LONGEST_NAME = 31

_PERHAPS_LONG = re.compile(rf"[A-Za-z0-9_-]{{{LONGEST_NAME + 1}}}")


def blank_long_lines(file: SourceFile, text: str) -> tuple[str, list[Diagnostic]]:
    """The text with blanks for the lines that are too long; a finding for each."""
    if len(text) <= LONGEST_LINE:
        return text, []
    lines, findings, start = text.split("\n"), [], 0
    if max(map(len, lines)) <= LONGEST_LINE:
        return text, []
    for number, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            lines[number] = " " * len(line)
            findings.append(
                Diagnostic(
                    SYNTAX,
                    f"the line has {len(line):,} characters, more than {LONGEST_LINE:,}",
                    Label(file.span(start, start)),
                    help="go on with the next line after a `,`",
                )
            )
        start += len(line) + 1
    return "\n".join(lines), findings


def find_long_names(text: str, policy: ast.Policy) -> list[Diagnostic]:
    """A finding for each name that is too long. Interfaces have a limit of their own."""
    if not _PERHAPS_LONG.search(text):
        return []
    return [
        Diagnostic(
            SYNTAX,
            f"the name `{atom.text}` has {len(atom.text)} characters",
            Label(atom.span),
            help=f"a name has at most {LONGEST_NAME}: targets allow no more",
        )
        for atom in _names(policy.statements)
        if len(atom.text) > LONGEST_NAME
    ]


def _names(part: object) -> Iterator[Atom]:
    """The names in a part of the tree."""
    if isinstance(part, Atom):
        if part.kind in (AtomKind.NAME, AtomKind.PARAM):
            yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _names(each)
    elif not isinstance(part, ast.Interfaces):
        for name in fields_of(part):
            if name != "span":
                yield from _names(getattr(part, name))
