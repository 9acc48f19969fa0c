"""Rules as lines of iptables-restore, and the chains that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tunnelgate_targets.iptables.names import digest
from tunnelgate_targets.iptables.quote import comment
from tunnelgate_targets.iptables.words import Way, join

ACCEPT, DROP, RETURN = "-j ACCEPT", "-j DROP", "-j RETURN"
_FINAL = frozenset({ACCEPT, DROP, RETURN})


class Act(NamedTuple):
    """What a rule does, and the statement it does it for.

    `also` has to be true beside what the rule matches, and is asked last: asking may use it up.
    `counts`: its packets are counted, so that it shares no rule with other statements.
    """

    verdict: str
    about: str
    also: str = ""
    counts: bool = False

    def spare(self, way: Way) -> str:
        """The role of the chain that a way with holes takes for this act."""
        own = f" {self.about}" if self.counts else ""
        return f"but-{digest(f'{way} {self.also} {self.verdict}{own}')}"


def rule(chain: str, match: str, verdict: str, about: str) -> str:
    """One rule; `about` is the statement it is there for."""
    return join(f"-A {chain}", match, comment(about), verdict)


def goto(chain: str) -> str:
    """The verdict that hands a packet over for good: what returns there returns from here."""
    return f"-g {chain}"


def jump(chain: str) -> str:
    """The verdict that asks a chain, and goes on if it does not decide."""
    return f"-j {chain}"


class Chains:
    """The rules of one table, by chain, in the order in which the chains were begun."""

    def __init__(self, builtin: tuple[str, ...]) -> None:
        self._builtin = builtin
        self._lines: dict[str, list[str]] = {name: [] for name in builtin}
        self._ended: set[str] = set()

    def __contains__(self, chain: str) -> bool:
        return chain in self._lines

    def __getitem__(self, chain: str) -> list[str]:
        return self._lines[chain]

    @property
    def own(self) -> Iterator[tuple[str, list[str]]]:
        """The chains that are not built in."""
        return ((name, lines) for name, lines in self._lines.items() if name not in self._builtin)

    def begin(self, chain: str) -> str:
        """Have a chain, empty so far; its name."""
        self._lines.setdefault(chain, [])
        return chain

    def add(self, chain: str, match: str, verdict: str, about: str) -> None:
        """Add a rule at the end of a chain."""
        self._lines.setdefault(chain, []).append(rule(chain, match, verdict, about))
        if not match and (verdict in _FINAL or verdict.startswith("-g ")):
            self._ended.add(chain)

    def has_ended(self, chain: str) -> bool:
        """Whether no packet gets to the end of a chain."""
        return chain in self._ended

    def add_way(self, chain: str, match: str, way: Way, act: Act, spare: str) -> None:
        """Add a rule for one way to match; one with holes takes the chain `spare` beside it."""
        if not way.holes:
            self.add(chain, join(match, way.match, act.also), act.verdict, act.about)
            return
        self.add(chain, join(match, way.match), jump(spare), act.about)
        if spare not in self._lines:
            for hole in way.holes:
                self.add(spare, hole, RETURN, act.about)
            self.add(spare, act.also, act.verdict, act.about)
