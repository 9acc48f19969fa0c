"""Groups from files: one entry a line, and very many of them."""

from __future__ import annotations

from collections.abc import Iterator
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.reading import EMPTY
from tunnelgate.diagnostics.resolving import BAD_VALUE
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.policy.values import BadValue, parse_address, parse_name
from tunnelgate.source import SourceFile
from tunnelgate.syntax.ast import Atom, AtomKind
from tunnelgate.syntax.characters import clean
from tunnelgate.syntax.lengths import blank_long_lines

#: After so many mistakes the rest of a file is not read.
MANY = 100

_FIRST = {AF_INET: axes.IPV4.first(), AF_INET6: axes.IPV6.first()}
#: How many addresses follow the first one of a prefix, by its length as it is written.
_HOSTS = {
    family: {str(length): (1 << bits - length) - 1 for length in range(bits + 1)}
    for family, bits in ((AF_INET, 32), (AF_INET6, 128))
}


class Entries(NamedTuple):
    """What a file of entries holds.

    Attributes:
        addresses: of the entries that are addresses, prefixes and ranges, in the file's order.
        names: the entries that are names.
        findings: a finding for each line that is no entry.
    """

    addresses: list[Interval]
    names: list[Atom]
    findings: list[Diagnostic]


def read_entries(file: SourceFile) -> Entries:
    """Read the entries of a file."""
    text, findings = clean(file)
    text, too_long = blank_long_lines(file, text)
    found = Entries([], [], findings + too_long)
    _read(file, text, found)
    if not file.text.strip():
        found.findings.append(
            Diagnostic(
                EMPTY,
                "the group's file is empty",
                Label(file.span(0, 0)),
                why="An empty file is often a failed download, and a `deny` about the group would "
                "keep nobody out.",
                help="write one address, prefix, range or name a line; where nobody is meant, a "
                "comment that says so",
            )
        )
    return found


def address_atoms(file: SourceFile) -> Iterator[tuple[Interval, Atom]]:
    """The addresses of a file without mistakes once more, each with its place."""
    for word, start in _words(file.text):
        if not word[0].isalpha() or ":" in word:
            atom = Atom(AtomKind.ADDRESS, word, file.span(start, start + len(word)))
            yield _plain(word) or parse_address(word).interval, atom


def _read(file: SourceFile, text: str, found: Entries) -> None:
    add = found.addresses.append
    for word, start in _words(text):
        interval = _plain(word)  # nearly always, and quickly
        if interval is not None:
            add(interval)
        elif not _read_other(file, word, start, found):
            return


def _read_other(file: SourceFile, word: str, start: int, found: Entries) -> bool:
    """Read what is no IPv4 address; whether to go on."""
    span = file.span(start, start + len(word))
    try:
        if " " in word or "\t" in word or "," in word:
            raise BadValue("a line holds one entry", "write each on a line of its own")
        if word[0].isalpha() and ":" not in word:
            found.names.append(Atom(AtomKind.NAME, parse_name(word), span))
        else:
            found.addresses.append(parse_address(word).interval)
    except BadValue as error:
        found.findings.append(Diagnostic(BAD_VALUE, error.message, Label(span), help=error.help))
        if len(found.findings) >= MANY:
            message = f"stopped after {MANY} mistakes; the rest of the file was not read"
            found.findings.append(
                Diagnostic(BAD_VALUE, message, Label(span), help="mend these first")
            )
            return False
    return True


def _words(text: str) -> Iterator[tuple[str, int]]:
    """What each line says without its comment, and where that begins."""
    start, end = 0, len(text)
    while start < end:
        stop = text.find("\n", start)
        stop = end if stop < 0 else stop
        line = text[start:stop]
        word = line.partition("#")[0] if "#" in line else line
        stripped = word.strip(" \t")
        if stripped:
            yield stripped, start + word.index(stripped[0])
        start = stop + 1


def _plain(text: str) -> Interval | None:
    """An address or a prefix in its usual notation, read by inet_pton(3), which takes no leading
    zeros either. None for everything else, right or wrong: `parse_address` knows.
    """
    base, slash, length = text.partition("/")
    try:
        family = AF_INET6 if ":" in base else AF_INET
        number = int.from_bytes(inet_pton(family, base))
    except (OSError, ValueError):
        return None
    place = _FIRST[family] + number
    if not slash:
        return place, place
    hosts = _HOSTS[family].get(length)
    if hosts is None or number & hosts:
        return None
    return place, place + hosts
