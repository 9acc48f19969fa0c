"""What passes and what does not, as lines of the filter: the same in both dialects.

Every rule that decides is `quick`, so the first one that matches counts: denials stand before
permissions, and what nothing allows is refused at the end of each part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from tunnelgate.flows import axes
from tunnelgate.plan import Limit, Link, Plan, Rule
from tunnelgate_targets.pf.quote import label
from tunnelgate_targets.pf.words import Way, Where, join, rule

Direction = Literal["in", "out"]

#: ICMP code 13 (RFC 1812 section 5.2.7.1), ICMPv6 code 1 (RFC 4443 section 3.1).
_PROHIBITED = "return-icmp(13, 1)"
_SECONDS = {"second": 1, "minute": 60}


class Verdicts:
    """Writes the rules that decide."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def refused(
        self,
        direction: Direction,
        source: Link | None,
        where: Where,
        text: str,
        *,
        log: bool = False,
    ) -> Iterator[str]:
        """What may not pass: dropped, or answered where it comes from inside and `reject` is on."""
        log = log or bool(self.plan.log_denied)
        for way, how in self._answers(source, where.way):
            action = join("block", how, direction, "log" if log else "", "quick")
            yield rule(action, where.but(way=way), label(text))

    def _answers(self, source: Link | None, way: Way) -> Iterator[tuple[Way, str]]:
        """TCP is reset, the rest is told by ICMP."""
        if not (self.plan.reject and source is not None and source.inside):
            yield way, ""
            return
        if not way.protocols or axes.TCP in way.protocols:
            yield way._replace(protocols=(axes.TCP,)), "return-rst"
        others = tuple(number for number in way.protocols if number != axes.TCP)
        if not way.protocols or others:
            yield way._replace(protocols=others), _PROHIBITED

    def passed(
        self,
        direction: Direction,
        where: Where,
        one: Rule,
        *,
        bound: bool,
        tag: str = "",
    ) -> str:
        """What a statement lets pass, with a state of its own.

        Args:
            direction: where it is seen.
            where: what passes.
            one: the statement.
            bound: the state holds on this interface alone.
            tag: what packets of the state have from then on.
        """
        action = join("pass", direction, "log" if one.log is not None else "", "quick")
        state = keep(bound=bound, limit=one.limit)
        return rule(action, where, state, label(one.origin.text), f"tag {tag}" if tag else "")


def keep(*, bound: bool, limit: Limit | None = None) -> str:
    """The clause that makes a state.

    A state of `enc0` that was good on any interface would pass its flow in clear (targets page,
    pf).
    """
    options = ["if-bound"] if bound else []
    if limit is not None:
        options.append(f"max-src-conn-rate {limit.count}/{_SECONDS[limit.unit]}")
    return f"keep state ({', '.join(options)})" if options else "keep state"


def denials(rules: Iterable[Rule]) -> list[Rule]:
    """In the order in which they are asked: the narrowest that logs first, since it alone does."""
    return sorted(rules, key=lambda one: one.log is None)


def permissions(rules: Iterable[Rule]) -> list[Rule]:
    """The same, and those with a limit last: what another statement lets pass needs no credit."""
    return sorted(rules, key=lambda one: (one.limit is not None, one.log is None))
