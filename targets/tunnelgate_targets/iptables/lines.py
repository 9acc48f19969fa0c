"""Rules as lines of iptables-restore, and the chains that hold them."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate_targets.iptables.quote import comment
from tunnelgate_targets.iptables.words import Way, join

ACCEPT, DROP, RETURN = "-j ACCEPT", "-j DROP", "-j RETURN"
_FINAL = frozenset({ACCEPT, DROP, RETURN})


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

    def add_way(
        self, chain: str, match: str, way: Way, also: str, verdict: str, about: str, spare: str
    ) -> None:
        """Add a rule for one way to match; one with holes takes the chain `spare` beside it.

        `also` has to be true as well, and is asked last: it may be used up by asking.
        """
        if not way.holes:
            self.add(chain, join(match, way.match, also), verdict, about)
            return
        self.add(chain, join(match, way.match), jump(spare), about)
        if spare not in self._lines:
            for hole in way.holes:
                self.add(spare, hole, RETURN, about)
            self.add(spare, also, verdict, about)
