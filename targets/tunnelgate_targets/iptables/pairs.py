"""The chains of one pair of links: denials, then permissions, then what nothing allows.

`tg-lan-wan` decides; with IPv6 it sends AH to `tg-lan-wan.ah` first (lens.py). What passes goes
through `tg-lan-wan.pass`, what is denied through `tg-lan-wan.deny`, where these have more to do
than the verdict: guard, count, log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from tunnelgate.plan import Pair, Rule
from tunnelgate_targets.iptables import lens as lenses
from tunnelgate_targets.iptables.endings import Endings
from tunnelgate_targets.iptables.grouping import FEW, Group, group
from tunnelgate_targets.iptables.guards import Guards
from tunnelgate_targets.iptables.lens import Lens
from tunnelgate_targets.iptables.limits import LOG_RATE, credit
from tunnelgate_targets.iptables.lines import ACCEPT, RETURN, Chains, goto, jump
from tunnelgate_targets.iptables.names import chain
from tunnelgate_targets.iptables.quote import MAX_PREFIX, log_prefix
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.statements import Statements

#: Notes a packet by a rule in a chain, and then does what leaves it: "" where nothing follows.
_Note = Callable[[str, Rule, str], None]


class Divided(NamedTuple):
    """A pair and its statements, divided once for both families."""

    pair: Pair
    denials: Group
    free: Group


def divide(pair: Pair) -> Divided:
    """Divide the statements of a pair; those with a limit stay as they are."""
    free = (rule for rule in pair.permissions if rule.limit is None)
    return Divided(pair, group(pair.denials), group(free))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the chains of all pairs of one family share."""

    chains: Chains
    sets: Sets
    endings: Endings
    guards: Guards


def write(divided: Divided, around: Surroundings) -> None:
    """Write the chains of a pair."""
    if around.endings.family == 4:
        _Lane(divided, lenses.IPV4, around).write()
        return
    main = _Lane(divided, lenses.IPV6, around)
    ah = _Lane(divided, lenses.IPV6_AH, around)
    verdict = goto(ah.first) if ah.sees_any else around.endings.final(divided.pair.source)
    around.chains.add(main.first, "-m ah", verdict, "AH, whatever it protects")
    main.write()
    if ah.sees_any:
        ah.write()


class _Lane:
    """What one lens shows of a pair."""

    def __init__(self, divided: Divided, lens: Lens, around: Surroundings) -> None:
        self.pair, self.denials, self.free = divided
        self.lens = lens
        self.chains = around.chains
        self.endings = around.endings
        self.guards = around.guards
        self.statements = Statements(self.pair, lens, around.chains, around.sets)
        self.first = self.statements.chain()

    def _sees(self, rules: Iterable[Rule]) -> bool:
        return any(self.lens.ways(rule.match.l4) for rule in rules)

    @property
    def sees_any(self) -> bool:
        """Whether there is a statement that this lane sees."""
        return self._sees(self.pair.denials) or self._sees(self.pair.permissions)

    def write(self) -> None:
        """Write the chains."""
        self.chains.begin(self.first)
        if self._sees(self.pair.denials):
            self.statements.group(self.first, self.denials, self._denied())
        if self._sees(self.pair.permissions):
            passed = self._passed()
            self.statements.group(self.first, self.free, passed)
            limited = [rule for rule in self.pair.permissions if rule.limit is not None]
            self.statements.ranked(self.first, "limit", limited, partial(self._limited, passed))
        self.endings.end(self.chains, self.first, self.pair.source)

    def _denied(self) -> str:
        """The verdict for what is denied. A log of its own is enough, so log-denied adds none."""
        if not _is_noted(self.pair.denials):
            return self.endings.refused(self.pair.source)
        at = self.chains.begin(self.statements.chain("deny"))
        ending = self.endings.silent(self.pair.source)
        self.chains.add(self._noted(at, "deny", self.pair.denials), "", ending, "what is denied")
        return goto(at)

    def _passed(self) -> str:
        """The verdict for what is allowed."""
        claims, at = self.statements.chain("claims"), self.statements.chain("pass")
        is_guarded = self.guards.begin(self.chains, claims, self.pair, self.lens)
        if not is_guarded and not _is_noted(self.pair.permissions):
            return ACCEPT
        self.chains.begin(at)
        if is_guarded:
            self.chains.add(at, "", jump(claims), "one claimant a peer")
        end = self._noted(at, "pass", self.pair.permissions)
        self.chains.add(end, "", ACCEPT, "what is allowed")
        return goto(at)

    def _limited(self, passed: str, at: str, rule: Rule) -> None:
        assert rule.limit is not None
        self.statements.single(at, rule, passed, credit(rule.origin, rule.limit))

    # -- counted once and logged once, by the narrowest statement

    def _noted(self, at: str, role: str, rules: Sequence[Rule]) -> str:
        """Count once and log once; the rules come sorted. Returns the chain that goes on then."""
        counted = [rule for rule in rules if rule.counter]
        logged = [rule for rule in rules if rule.log is not None]
        if counted:
            at = self._once(at, f"{role}-count", "counted", counted, self._count)
        if logged:
            at = self._once(at, f"{role}-log", "logged", logged, partial(self._log, role))
        return at

    def _once(self, at: str, role: str, done: str, rules: Sequence[Rule], note: _Note) -> str:
        """The first rule that matches notes a packet, and no other: it returns from a chain for it.

        From inside a tree of chains, or from one of holes, a packet does not return from all at
        once. There it goes on instead, to a chain behind all of them.
        """
        inner = self.chains.begin(self.statements.chain(role))
        about = f"{done} once, by the narrowest statement"
        if len(rules) <= FEW and not self._has_holes(rules):
            self.chains.add(at, "", jump(inner), about)
            for rule in rules:
                note(inner, rule, "" if rule is rules[-1] else RETURN)
            return at
        behind = self.statements.chain(f"{role}-end")
        self.chains.add(at, "", goto(inner), about)
        self.statements.ranked(inner, role, rules, partial(self._go_on, note, behind))
        self.chains.add(inner, "", goto(behind), f"what nothing has {done}")
        return self.chains.begin(behind)

    def _go_on(self, note: _Note, behind: str, at: str, rule: Rule) -> None:
        note(at, rule, goto(behind))

    def _has_holes(self, rules: Iterable[Rule]) -> bool:
        return any(way.holes for rule in rules for way in self.lens.ways(rule.match.l4))

    def _count(self, at: str, rule: Rule, leave: str) -> None:
        self.statements.single(at, rule, leave or RETURN, counts=True)

    def _log(self, role: str, at: str, rule: Rule, leave: str) -> None:
        prefix = rule.log or f"{chain(self.pair.name, role, MAX_PREFIX - 2)}: "
        self.statements.single(at, rule, f"-j LOG {log_prefix(prefix)}", LOG_RATE)
        if leave:
            self.statements.single(at, rule, leave)


def _is_noted(rules: Iterable[Rule]) -> bool:
    return any(rule.counter or rule.log is not None for rule in rules)
