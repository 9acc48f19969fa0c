"""Lines of iptables-restore(8) taken apart: options, by the match or target that they belong to.

A line is a list of options and nothing in it nests, so what there is of a grammar is a table: the
options of each match, and how many words each takes (iptables(8), iptables-extensions(8)).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tunnelgate.flows.netfilter import Unmodelled


class Option(NamedTuple):
    """An option with its words; `negated` where a `!` stands before it."""

    words: tuple[str, ...]
    negated: bool = False


class Match(NamedTuple):
    """A `-m` with its options; what needs none, as `-s` and `--dport`, has the name ""."""

    name: str
    options: dict[str, Option]


class Line(NamedTuple):
    """A rule: its matches in order, what it does, with which options, and where it stands."""

    matches: tuple[Match, ...]
    verdict: str
    is_goto: bool
    options: Mapping[str, Option]
    number: int


@dataclass(frozen=True, slots=True)
class Table:
    """The chains of a table in order; `policies` are those of the built-in ones."""

    name: str
    chains: dict[str, list[Line]] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)


_MATCHES: Mapping[str, Mapping[str, int]] = {
    "": {
        **dict.fromkeys(("-i", "-o", "-s", "-d", "-p"), 1),
        **dict.fromkeys(("--sport", "--dport", "--icmp-type", "--icmpv6-type"), 1),
        "--tcp-flags": 2,
    },
    "addrtype": {"--src-type": 1, "--dst-type": 1, "--limit-iface-in": 0},
    "ah": {},
    "comment": {"--comment": 1},
    "connlimit": {"--connlimit-above": 1, "--connlimit-mask": 1, "--connlimit-daddr": 0},
    "conntrack": {"--ctstate": 1, "--ctstatus": 1, "--ctdir": 1},
    "hashlimit": {
        "--hashlimit-upto": 1,
        "--hashlimit-burst": 1,
        "--hashlimit-mode": 1,
        "--hashlimit-name": 1,
        "--hashlimit-htable-expire": 1,
    },
    "helper": {"--helper": 1},
    "hl": {"--hl-eq": 1},
    "limit": {"--limit": 1, "--limit-burst": 1},
    "multiport": {"--sports": 1, "--dports": 1},
    "policy": {"--dir": 1, "--pol": 1},
    "set": {"--match-set": 2},
    "u32": {"--u32": 1},
}
_TARGETS: Mapping[str, Mapping[str, int]] = {
    "CT": {"--helper": 1},
    "DNAT": {"--to-destination": 1},
    "LOG": {"--log-prefix": 1},
    "MASQUERADE": {"--to-ports": 1},
    "REJECT": {"--reject-with": 1},
    "SNAT": {"--to-source": 1},
    "TCPMSS": {"--set-mss": 1, "--clamp-mss-to-pmtu": 0},
}
_TABLE = re.compile(r"\*(raw|mangle|nat|filter)")
_CHAIN = re.compile(r":(\S{1,28}) (ACCEPT|DROP|-) \[0:0\]")
_WORD = re.compile(r'"([^"\\]*)"(?= |$)|([^"\\\s]+)(?= |$)')


def parse(text: str, jumps: Iterable[tuple[str, str]]) -> list[Table]:
    """The tables of a text.

    Args:
        text: what iptables-restore reads.
        jumps: built-in chains that get a jump to the chain `tg-` and their name, each with its
            table. Chains of others end with `ACCEPT` here: what they drop is dropped anyway.

    Raises:
        Unmodelled: a line is not modelled.
    """
    tables: list[Table] = []
    is_open = False
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        if not is_open:
            tables.append(Table(_table(line, number)))
            is_open = True
        elif line == "COMMIT":
            is_open = False
        elif line.startswith(":"):
            _declare(tables[-1], line, number)
        else:
            _append(tables[-1], line, number)
    if is_open or len({one.name for one in tables}) < len(tables):
        raise Unmodelled("a table without its end, or two of one name")
    for table, chain in jumps:
        _add_jump(tables, table, chain)
    return tables


def _table(line: str, number: int) -> str:
    found = _TABLE.fullmatch(line)
    if found is None:
        raise Unmodelled(f"`{line}` where a table begins", number)
    return found[1]


def _declare(table: Table, line: str, number: int) -> None:
    found = _CHAIN.fullmatch(line)
    if found is None or found[1] in table.chains:
        raise Unmodelled(f"chain `{line}`", number)
    name, policy = found.groups()
    table.chains[name] = []
    if policy != "-":
        table.policies[name] = policy


def _add_jump(tables: list[Table], table: str, chain: str) -> None:
    for one in tables:
        if one.name == table and chain not in one.chains:
            one.chains[chain] = [Line((), f"tg-{chain}", False, {}, 0)]
            one.policies[chain] = "ACCEPT"
            return
    raise Unmodelled(f"a jump from `{chain}` of the table `{table}`")


def _append(table: Table, line: str, number: int) -> None:
    words = _words(line, number)
    if len(words) < 4 or words[0] != "-A" or words[1] not in table.chains:
        raise Unmodelled(f"`{line}`", number)
    table.chains[words[1]].append(_rule(words[2:], number))


def _words(line: str, number: int) -> list[str]:
    """The words of a line; a quoted one is never an option, and stands with its quote."""
    found, at = [], 0
    while at < len(line):
        word = _WORD.match(line, at)
        if word is None:
            raise Unmodelled(f"a word in `{line[at:]}`", number)
        found.append(word[2] if word[1] is None else f'"{word[1]}')
        at = word.end() + 1
    return found


def _rule(words: list[str], number: int) -> Line:
    base = Match("", {})
    matches = [base]
    rest = iter(words)
    negated = False
    for word in rest:
        if word == "!" and not negated:
            negated = True
        elif word in {"-j", "-g"} and not negated:
            verdict = next(rest, "")
            options = _target_options(verdict, rest, number)
            return Line(tuple(matches), verdict, word == "-g", options, number)
        elif word == "-m" and not negated:
            matches.append(Match(next(rest, ""), {}))
            if matches[-1].name not in _MATCHES:
                raise Unmodelled(f"match `{matches[-1].name}`", number)
        else:
            # an option of `-p` may stand behind a later match
            owner = matches[-1] if word in _MATCHES[matches[-1].name] else base
            _take(owner.options, _MATCHES[owner.name], word, rest, negated, number)
            negated = False
    raise Unmodelled("a rule that does nothing", number)


def _target_options(target: str, rest: Iterable[str], number: int) -> dict[str, Option]:
    found: dict[str, Option] = {}
    words = iter(rest)
    for word in words:
        _take(found, _TARGETS.get(target, {}), word, words, False, number)
    return found


def _take(
    into: dict[str, Option],
    known: Mapping[str, int],
    name: str,
    rest: Iterable[str],
    negated: bool,
    number: int,
) -> None:
    """Take the words of an option."""
    if name not in known or name in into:
        raise Unmodelled(f"option `{name}`", number)
    words = tuple(word for _, word in zip(range(known[name]), rest, strict=False))
    into[name] = Option(tuple(word.removeprefix('"') for word in words), negated)
    if len(words) < known[name]:
        raise Unmodelled(f"`{name}` without its words", number)
