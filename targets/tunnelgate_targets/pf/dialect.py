"""Where the two dialects differ: options, normalization and translation. Filter rules are the same.

Classic (FreeBSD up to 14, macOS): `nat` and `rdr` rules stand before the filter, and the first one
that matches wins. Modern (OpenBSD, FreeBSD from 15): `match … nat-to` rewrites at once, so that a
later rule would see the new address; here the first one changes the tag that the others ask for.
In both the filter sees addresses as translated (pf.conf(5), TRANSLATION).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from tunnelgate_targets.pf.links import ELSEWHERE
from tunnelgate_targets.pf.words import Where, join, rule

#: Octets that a segment may have where a policy says `clamp`: pf knows no path MTU. A packet of
#: 1400 octets fits ESP in UDP over PPPoE; the headers of TCP and IP take 40 octets of it, or 60.
CLAMPED = {4: 1360, 6: 1340}


@dataclass(frozen=True, slots=True)
class Nat:
    """A source translation.

    Attributes:
        where: what it translates, its tag included.
        address: what the source becomes, as a word of pf.
        port: `static-port`, `port 4501:65535`, or "" where pf chooses.
        tag: the tag that what it translated has from then on.
    """

    where: Where
    address: str
    port: str
    tag: str


@dataclass(frozen=True, slots=True)
class Rdr:
    """A destination translation.

    Attributes:
        where: what it translates.
        elsewhere: destinations that it leaves alone although `where` covers them.
        target: the host, as a word of pf, and its port where that changes.
        tag: the tag that what it translated has from then on.
    """

    where: Where
    elsewhere: tuple[str, ...]
    target: str
    tag: str


class Dialect(Protocol):
    """What an emitter needs to know of a dialect.

    Attributes:
        mark: the action that sets a tag and leaves the verdict to later rules.
        options: lines that stand before everything else.
        anchors: the words for anchors of translation, where those are apart from the filter's.
    """

    mark: str
    options: tuple[str, ...]
    anchors: tuple[str, ...]

    def reassembly(self) -> list[str]:
        """Options, or the last rule of normalization, that put fragments together."""
        ...

    def segments(self, where: Where, octets: int) -> str:
        """TCP announces segments of at most so many octets."""
        ...

    def nats(self, rules: list[Nat]) -> Iterator[str]:
        """Source translations; the first one that matches counts."""
        ...

    def rdrs(self, rules: list[Rdr]) -> Iterator[str]:
        """Destination translations; the first one that matches counts."""
        ...


class Modern:
    """OpenBSD, and FreeBSD from 15."""

    mark = "match"
    options: tuple[str, ...] = ("set reassemble yes",)
    anchors: tuple[str, ...] = ()

    def reassembly(self) -> list[str]:
        """FreeBSD 15 does not by default."""
        return []

    def segments(self, where: Where, octets: int) -> str:
        """In both directions; the parentheses are required."""
        return rule("match", where, f"scrub (max-mss {octets})")

    def nats(self, rules: list[Nat]) -> Iterator[str]:
        """The tag changes on the way, so that no second rule meets what one has translated."""
        kept: dict[str, None] = {}
        for one in rules:
            tag = one.tag
            if tag == one.where.tagged:
                tag = f"{tag}:nat"
                kept[one.where.tagged] = None
            yield rule("match out", one.where, join("nat-to", one.address, one.port), f"tag {tag}")
        for tag in kept:
            yield rule("match out", Where(tagged=f"{tag}:nat"), f"tag {tag}")

    def rdrs(self, rules: list[Rdr]) -> Iterator[str]:
        """What goes elsewhere is marked first, unless it is there by another forward."""
        for one in rules:
            where = one.where
            for elsewhere in one.elsewhere:
                other = where.but(destination=elsewhere, tagged=one.tag, untagged=True)
                yield rule("match in", other, f"tag {ELSEWHERE}")
            if one.elsewhere:
                where = where.but(tagged=ELSEWHERE, untagged=True)
            yield rule("match in", where, f"rdr-to {one.target}", f"tag {one.tag}")


class Classic:
    """FreeBSD up to 14, and macOS."""

    mark = "block"
    options: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ("nat-anchor", "rdr-anchor")

    def reassembly(self) -> list[str]:
        """The first `scrub` that matches counts, so this is the last."""
        return ["scrub all fragment reassemble"]

    def segments(self, where: Where, octets: int) -> str:
        """In both directions: `scrub in` would be one."""
        head = where.head()
        clause = "" if " to " in f" {head} " or " from " in f" {head} " else "all"
        return join("scrub", head, clause, f"max-mss {octets} fragment reassemble")

    def nats(self, rules: list[Nat]) -> Iterator[str]:
        """The first one that matches."""
        for one in rules:
            tag = f"tag {one.tag}" if one.tag != one.where.tagged else ""
            match = join("nat", one.where.head(), tag, one.where.tag())
            yield join(match, "->", one.address, one.port)

    def rdrs(self, rules: list[Rdr]) -> Iterator[str]:
        """The first one that matches."""
        for one in rules:
            for elsewhere in one.elsewhere:
                yield join("no rdr", one.where.but(destination=elsewhere).head())
            yield join("rdr", one.where.head(), f"tag {one.tag}", "->", one.target)


DIALECTS: Mapping[str, Dialect] = {"modern": Modern(), "classic": Classic()}
