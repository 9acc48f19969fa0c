"""Packets that are set aside before connection tracking, to be looked at behind it.

They get the type of what is for another host, which no packet has that comes so far
(`ip_rcv_core`). Each must have its own type again when it is routed: what is not for this host is
not passed on (`ip_forward`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate_targets.nftables.read.build import Action, Chain, Match, Rule


def expect_taken_back(chains: Sequence[Chain]) -> None:
    """Refuse packets set aside that are not for this host, or that stay so.

    Raises:
        Unmodelled: with the line that sets the type of a packet.
    """
    taking_back = list(_taking_back(chains))
    for chain in chains:
        for rule in chain.rules:
            for part in rule.parts:
                if not isinstance(part, Action) or part.name != "packet type":
                    continue
                if part.words == ("other",) and _is_type(rule, "host"):
                    is_later = any(_is_before(chain, last) for last, _ in taking_back)
                elif part.words == ("host",):
                    is_later = any(rule is back for _, back in taking_back)
                else:
                    is_later = False
                if not is_later:
                    raise Unmodelled("a packet that another type is set for", part.line)


def _taking_back(chains: Sequence[Chain]) -> Iterator[tuple[Chain, Rule]]:
    """The chains that begin with what was set aside, and the rules that give it its type again."""
    named = {chain.name: chain for chain in chains}
    for chain in chains:
        if chain.rules and _is_type(chain.rules[0], "other"):
            match chain.rules[0].parts:
                case (_, Action("goto", (name,))) if name in named and named[name].rules:
                    first = named[name].rules[0]
                    if [part.name for part in first.parts] == ["packet type"]:
                        yield chain, first


def _is_type(rule: Rule, word: str) -> bool:
    """Whether a rule is for packets of a type."""
    return any(
        isinstance(part, Match)
        and (part.name, part.key) == ("equal", ("meta pkttype",))
        and part.value is not None
        and part.value.words == (word,)
        for part in rule.parts
    )


def _is_before(chain: Chain, other: Chain) -> bool:
    """Whether both see each packet that arrives, the one before the other."""
    first, then = chain.hook, other.hook
    if first is None or then is None:
        return False
    both = {(first.kind, first.hook), (then.kind, then.hook)}
    return both == {("filter", "prerouting")} and first.priority < then.priority
