"""What the parts of a statement are made of while it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from tunnelgate.flows.intervals import Intervals
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import Address

#: Longest names, in bytes (pfvar.h: PF_RULE_LABEL_SIZE, PF_TAG_NAME_SIZE, PF_TABLE_NAME_SIZE,
#: PF_ANCHOR_NAME_SIZE; if.h: IFNAMSIZ; each but for the zero at its end).
LONGEST = {"label": 63, "tag": 63, "table": 31, "anchor": 63, "interface": 15}


class Word(NamedTuple):
    """A word of the text, without its quotes."""

    text: str
    line: int
    quoted: bool


class Part(NamedTuple):
    """A part of a statement, by name."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class NotModelled:
    """What the grammar knows and the typed ruleset has no place for; `what` is its name."""

    what: str


@dataclass(frozen=True, slots=True)
class Host:
    """One address of a list; None is any."""

    address: Address | NotModelled | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Ports:
    """What is asked of a port, and how the text says it."""

    ports: Intervals
    text: str


@dataclass(frozen=True, slots=True)
class WrittenSide:
    """One end of a packet, lists and all; no ports is any."""

    hosts: tuple[Host, ...] = (Host(None),)
    ports: tuple[Ports, ...] | None = None


@dataclass(frozen=True, slots=True)
class WrittenPool:
    """What something is translated to: addresses, a port, options by name."""

    hosts: tuple[Host, ...]
    port: Word | None
    options: frozenset[str]


def checked(word: Word, what: str) -> str:
    """A name that is not too long, and in quotes where it is a number. Raises Refused."""
    if len(word.text.encode()) > LONGEST[what]:
        raise Refused(f"the {what} `{word.text}` is longer than {LONGEST[what]} bytes", word.line)
    if word.text.isdigit() and not word.quoted and what != "interface":
        raise Refused(f"the {what} `{word.text}` is a number, and must stand in quotes", word.line)
    return word.text
