"""Folders of rulesets (`NAME.in`) and of what pfctl prints for them (`NAME.ok`).

The regression suites of OpenBSD's and FreeBSD's pfctl have this form, and so has `cases/`. Both
texts are read; they must mean the same. Run on a folder it prints what was read and refused:

    python tests/pf/corpus.py FOLDER
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path

from tunnelgate.flows import axes
from tunnelgate_targets.pf.read import Dialect, Refused, Ruleset, read
from tunnelgate_targets.pf.read.ruleset import (
    Address,
    Anchor,
    Criteria,
    Pool,
    Rule,
    Side,
    Span,
    TableName,
    Translation,
)

#: Options of states that pfctl writes down because another one implies them.
_IMPLIED = ("source-track", "src.track", "adaptive")
#: What a source port becomes if nothing is said (pfvar.h, PF_NAT_PROXY_PORT_LOW and _HIGH).
_NAT_PORTS = (50001, 65535)
_ALL = {axes.network(ip_network(text)) for text in ("0.0.0.0/0", "::/0")}
_SERVICES = {"lowdelay": "0x10", "throughput": "0x08", "reliability": "0x04"}
#: Printed by pfctl under options of its command line, which mean another text.
_UNDER_OPTIONS = re.compile(r"pf(?:cmd|opt)[0-9]+")


@dataclass
class Survey:
    """What became of every `.in` of a folder, by its name.

    Attributes:
        refused: with the reason, where no dialect reads it.
        equal: its `.ok` means the same.
        here_unknown: its `.ok` holds what only the machine that printed it knows.
        different: its `.ok` means something else, with both meanings.
        unprinted: read, but there are no rules to compare: no `.ok`, or one of errors, or of a
            command line that means another text.
    """

    refused: dict[str, Refused] = field(default_factory=dict)
    equal: list[str] = field(default_factory=list)
    here_unknown: list[str] = field(default_factory=list)
    different: dict[str, str] = field(default_factory=dict)
    unprinted: list[str] = field(default_factory=list)


def either(text: str) -> Ruleset:
    """A text in the dialect that reads it. Raises the Refused that came latest in it."""
    refusals = []
    for dialect in Dialect:
        try:
            return read(text, dialect)
        except Refused as refused:
            refusals.append(refused)
    raise max(reversed(refusals), key=lambda refused: refused.line)


def survey(folder: Path) -> Survey:
    """Read all of a folder. What crashes raises."""
    found = Survey()
    for path in sorted(folder.rglob("*.in")):
        name = path.stem
        try:
            ruleset = either(path.read_text(encoding="latin-1"))
        except Refused as refused:
            found.refused[name] = refused
            continue
        if _UNDER_OPTIONS.fullmatch(name):
            found.unprinted.append(name)
            continue
        try:
            printed = either(path.with_suffix(".ok").read_text(encoding="latin-1"))
        except (FileNotFoundError, Refused):
            found.unprinted.append(name)
            continue
        mine, theirs = list(meaning(ruleset)), list(meaning(printed))
        if mine == theirs:
            found.equal.append(name)
        elif any(_asks_machine(line) for line in mine):
            found.here_unknown.append(name)
        else:
            found.different[name] = _difference(mine, theirs)
    return found


def _difference(mine: list[object], theirs: list[object]) -> str:
    number = next(
        (n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b),
        min(len(mine), len(theirs)),
    )
    return "\n".join(str(side[number : number + 1]) for side in (mine, theirs))


def _asks_machine(meant: object) -> bool:
    """Whether pfctl replaces a part of it by what the machine had when it was loaded."""
    return "dynamic=False" in repr(meant)


# -- what a text means, without how it says it


def meaning(ruleset: Ruleset) -> Iterator[object]:
    """Rules and tables, comparable: without lines, and without what pfctl adds or leaves out."""
    normal = _Normal(ruleset)
    yield ruleset.options.skip, ruleset.options.reassemble
    for table in ruleset.tables.values():
        if not table.name.startswith("__automatic"):
            yield table.name, table.entries
    yield from map(normal.translation, ruleset.translations)
    yield from map(normal.rule, ruleset.rules)


class _Normal:
    def __init__(self, ruleset: Ruleset) -> None:
        self._tables = ruleset.tables

    def rule(self, rule: Rule | Anchor) -> object:
        if isinstance(rule, Anchor):
            inner = None if rule.rules is None else tuple(map(self.rule, rule.rules))
            return replace(rule, line=0, criteria=_criteria(rule.criteria), rules=None), inner
        state = rule.state
        if state is not None:
            options = {option for option in state.options if not option.startswith(_IMPLIED)}
            state = replace(state, options=tuple(sorted(options)))
        return replace(
            rule,
            line=0,
            criteria=_criteria(rule.criteria),
            state=state,
            nat=self._pool(rule.nat),
            rdr=self._pool(rule.rdr),
            answer=re.split(r"[ (]", rule.answer)[0],
            actions=tuple(_action(action) for action in rule.actions),
        )

    def translation(self, rule: Translation) -> object:
        criteria = _criteria(rule.criteria)
        return replace(rule, line=0, criteria=criteria, pool=self._pool(rule.pool))

    def _pool(self, pool: Pool | None) -> Pool | None:
        """A pool of several addresses is a table that pfctl makes."""
        if pool is None:
            return None
        addresses: list[Address] = []
        for address in pool.addresses:
            if isinstance(address, TableName) and address.name.startswith("__automatic"):
                addresses += [entry for entry, _ in self._tables[address.name].entries]
            else:
                addresses.append(address)
        ports = None if pool.ports == _NAT_PORTS else pool.ports
        return replace(pool, addresses=tuple(addresses), ports=ports)


def _action(text: str) -> str:
    """The words of an action, in one order; kinds of service as numbers."""
    return " ".join(sorted(_SERVICES.get(word, word) for word in text.split()))


def _criteria(criteria: Criteria) -> Criteria:
    sides = (_side(criteria.source), _side(criteria.destination))
    return replace(criteria, source=sides[0], destination=sides[1])


def _side(side: Side) -> Side:
    """All addresses of a family are any of it."""
    if isinstance(side.address, Span) and side.address.interval in _ALL and not side.negated:
        return replace(side, address=None)
    return side


def main(folder: str) -> int:
    """Print a survey; 1 where a text and what pfctl printed mean two things."""
    found = survey(Path(folder))
    same, asks, rest, other = (
        len(names) for names in (found.equal, found.here_unknown, found.unprinted, found.different)
    )
    read_ = same + asks + rest + other
    print(f"{read_ + len(found.refused)} rulesets: {read_} read, {len(found.refused)} refused")
    print(f"{same} mean what pfctl printed, {other} do not")
    print(f"{asks} name interfaces, and pfctl printed their addresses")
    print(f"{rest} cannot be compared: pfctl printed no rules")
    for reason, count in Counter(one.reason for one in found.refused.values()).most_common():
        print(f"{count:5} refused: {reason[:90]}")
    for name, text in found.different.items():
        print(f"{name}:\n{text}")
    return bool(found.different)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
