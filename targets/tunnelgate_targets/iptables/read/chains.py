"""Lines to chains: where each is called, and what its rules ask and do.

With IPv6 what asks for a protocol is not the same in both flavours: ip6tables-legacy and ipset look
through an AH header, so that AH around TCP is TCP to them (targets page, AH and NAT). Which of the
two AH is there the reader does not say: what happens to it is `Unclear`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from tunnelgate.flows import Intervals, axes, netfilter
from tunnelgate.flows.fields import EVERYTHING, Sets
from tunnelgate.flows.netfilter import (
    Accept,
    Case,
    Drop,
    Hook,
    Jump,
    Nothing,
    Test,
    Unclear,
    Unmodelled,
    Within,
)
from tunnelgate.flows.sets import sets
from tunnelgate_targets.iptables.read.actions import action
from tunnelgate_targets.iptables.read.lines import Line, Table
from tunnelgate_targets.iptables.read.matches import Asked, asked
from tunnelgate_targets.iptables.read.sets import Ipset

#: nf_ip_hook_priorities: raw, mangle, nat by its direction, filter.
_PRIORITIES = {"raw": -300, "mangle": -150, "filter": 0}
_NAT = {"PREROUTING": -100, "INPUT": 100, "OUTPUT": -100, "POSTROUTING": 100}
_HOOKS: Mapping[
    str, tuple[Literal["prerouting", "input", "forward", "output", "postrouting"], frozenset[str]]
] = {
    "PREROUTING": ("prerouting", frozenset({"raw", "mangle", "nat"})),
    "INPUT": ("input", frozenset({"mangle", "nat", "filter"})),
    "FORWARD": ("forward", frozenset({"mangle", "filter"})),
    "OUTPUT": ("output", frozenset({"raw", "mangle", "nat", "filter"})),
    "POSTROUTING": ("postrouting", frozenset({"mangle", "nat"})),
}
#: Where the model has no stage for what a rule would do.
_EMPTY = {("mangle", "PREROUTING"), ("nat", "INPUT"), ("nat", "OUTPUT")}
_AH = Intervals.of([axes.l4(axes.AH)])
_THROUGH_AH = Within((sets(l4=_AH),))


def ruleset(tables: Sequence[Table], known: Mapping[str, Ipset], family: int) -> netfilter.Ruleset:
    """The chains of all tables, each with the name of its table before its own."""
    looked_up: dict[tuple[str, tuple[str, ...]], tuple[Sets, ...]] = {}
    chains = {}
    for table in tables:
        for name in table.chains:
            reader = _Chain(table, known, looked_up, family)
            chains[f"{table.name} {name}"] = reader.read(name)
    return netfilter.Ruleset(chains, family, has_last_filter=False)


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is known while a chain of a table is read."""

    table: Table
    known: Mapping[str, Ipset]
    looked_up: dict[tuple[str, tuple[str, ...]], tuple[Sets, ...]]
    family: int

    def read(self, name: str) -> netfilter.Chain:
        """The chain of this name."""
        lines = self.table.chains[name]
        if lines and (self.table.name, name) in _EMPTY:
            raise Unmodelled(f"a rule in `{name}` of the table `{self.table.name}`")
        rules = tuple(
            rule
            for line, behind in zip_longest(lines, lines[1:])
            for rule in self._rules(line, behind)
        )
        return netfilter.Chain(rules, self._hook(name))

    def _hook(self, name: str) -> Hook | None:
        policy = self.table.policies.get(name)
        if policy is None:
            return None
        hook, tables = _HOOKS.get(name, ("input", frozenset()))
        if self.table.name not in tables:
            raise Unmodelled(f"chain `{name}` built into the table `{self.table.name}`")
        is_nat = self.table.name == "nat"
        priority = _NAT[name] if is_nat else _PRIORITIES[self.table.name]
        return Hook(hook, priority, is_nat, Accept() if policy == "ACCEPT" else Drop())

    # -- rules

    def _rules(self, line: Line, behind: Line | None) -> Iterator[netfilter.Rule]:
        """The rules that a line is: a second one for AH that it may look through."""
        found = asked(line, self.known, self.looked_up, self.family)
        done = self._action(line, found)
        if isinstance(done, Nothing):
            return
        is_same = self._returns_ah(done) or (isinstance(done, Drop) and _drops_all(behind))
        if found.looks_through_ah and not is_same:
            yield _rule((*found.beside_protocols, _THROUGH_AH), Unclear(), line.number)
        yield _rule(found.tests, done, line.number)

    def _action(self, line: Line, found: Asked) -> netfilter.Action:
        if line.verdict not in self.table.chains:
            done = action(line, found.rate)
        else:
            called = f"{self.table.name} {line.verdict}"
            done = Jump(called, line.is_goto, found.rate)
        if self.table.name == "raw" and isinstance(done, Accept | Drop):
            raise Unmodelled("a verdict before connections are tracked", line.number)
        if isinstance(done, Jump) and not done.goto and self._does_nothing(line.verdict):
            return Nothing()
        if found.is_part and not isinstance(done, Nothing):
            raise Unmodelled("a verdict for a part of the packets", line.number)
        return done

    def _does_nothing(self, name: str, depth: int = 16) -> bool:
        """Whether a chain changes nothing that flows are told by."""
        if name not in self.table.chains:
            return name in {"LOG", "TCPMSS", "RETURN"}
        lines = self.table.chains[name]
        return depth > 0 and all(self._does_nothing(one.verdict, depth - 1) for one in lines)

    def _returns_ah(self, done: netfilter.Action) -> bool:
        """Whether AH comes back from where it may be sent, so that it does not matter whether."""
        if isinstance(done, netfilter.Helper):
            return True  # AH carries nothing that a helper reads
        if not isinstance(done, Jump) or done.goto:
            return False
        lines = self.table.chains[done.chain.partition(" ")[2]]
        first = lines[0] if lines else None
        return first is not None and first.verdict == "RETURN" and _asks(first) == ["ah"]


def _asks(line: Line) -> list[str]:
    """The matches of a line that ask something."""
    return [one.name for one in line.matches if (one.name or one.options) and one.name != "comment"]


def _drops_all(line: Line | None) -> bool:
    return line is not None and line.verdict in {"DROP", "REJECT"} and not _asks(line)


def _rule(tests: Sequence[Test], done: netfilter.Action, line: int) -> netfilter.Rule:
    return netfilter.Rule(tuple(tests), (Case(EVERYTHING, done),), line)
