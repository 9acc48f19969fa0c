"""Portless protocols behind one address: the second claimant of a peer, seen instead of vanishing.

Connection tracking tells two such connections apart by their addresses only, and drops every packet
of the second in silence (targets page, Portless protocols). connlimit counts the connections to a
peer in a chain that all pairs share which leave with one address, each protocol by itself. What
came in from a peer it cannot count with them: each rule has a count of its own, of one direction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Guard, Kind, Match, Pair, channels, tiers
from tunnelgate.records import replace
from tunnelgate_targets.iptables.grouping import FEW
from tunnelgate_targets.iptables.lens import Lens
from tunnelgate_targets.iptables.limits import LOG_RATE
from tunnelgate_targets.iptables.lines import DROP, RETURN, Chains, goto
from tunnelgate_targets.iptables.names import chain, digest
from tunnelgate_targets.iptables.quote import MAX_PREFIX, log_prefix
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.statements import remark
from tunnelgate_targets.iptables.words import join, protocol

#: Where a statement says `any`, the protocols that carry tunnels (IANA protocol numbers). Of one
#: that is not among them the kernel drops the second claimant as well, only unseen.
_TUNNELS = (4, 41, 47, 50, 94, 97, 98, 108, 115, 137)
_MAX_NAMED = 16
_MASK = {4: 32, 6: 128}
_CONFIRMED = "-m conntrack --ctstatus CONFIRMED"


class Check(NamedTuple):
    """A rule that finds the claim of a packet."""

    match: str
    verdict: str
    about: str


class Guards:
    """The chains of claims of one family, written when all pairs have asked for theirs."""

    def __init__(self, sets: Sets, family: int) -> None:
        self.sets = sets
        self.family = family
        self._protocols: dict[tuple[str, str], set[int]] = {}

    def begin(self, chains: Chains, at: str, pair: Pair, lens: Lens) -> bool:
        """Write the chain that finds the claim of a packet; whether there is one.

        The first translation that covers a packet counts it, as it is the first that translates it.
        AH is never translated, so it claims nothing.
        """
        guards = [guard for guard in pair.guards if guard.family == self.family]
        checks = [one for some in _alike(guards) for one in self._checks(pair, some)]
        if not (checks and lens.others):
            return False
        # who has got through once holds the peer: Linux 6.18 does not find an unanswered connection
        # again among those that it counts, and would take it for the second (measured)
        chains.add(at, _CONFIRMED, RETURN, "who holds a peer already")
        if len(guards) > FEW:
            for number in (axes.UDP, axes.TCP):
                chains.add(at, protocol(number), RETURN, "ports tell its connections apart")
        for check in checks:
            chains.add(at, *check)
        return True

    def _checks(self, pair: Pair, guards: Sequence[Guard]) -> Iterator[Check]:
        guard = guards[0]
        protocols = {
            number
            for rule in pair.permissions
            for number in _protocols(rule.match.l4)
            if axes.l4(number)[0] in guard.match.l4
        }
        if not protocols:
            return
        label = "-".join(pair.name)
        sources = Intervals.union_of(one.match.source for one in guards)
        source = self.sets.match("s", sources, self.family, label)
        destination = self.sets.match("d", guard.match.destination, self.family, label)
        if source is None or destination is None:
            return
        egress = pair.name[1]
        at = chain((egress,), f"claims-{digest(guard.key)[:6]}")
        self._protocols.setdefault((egress, at), set()).update(protocols)
        about = remark(one.origin for one in guards)
        yield Check(join(source, destination), goto(at), about)

    def write(self, chains: Chains) -> None:
        """Write the chains that `begin` has named."""
        count = (
            f"-m connlimit --connlimit-above 1 --connlimit-mask {_MASK[self.family]} "
            "--connlimit-daddr"
        )
        for (egress, at), protocols in self._protocols.items():
            second = chain((egress,), "second")
            for number in sorted(protocols):
                match = f"{protocol(number)} {count}"
                chains.add(at, match, goto(second), "one claimant a peer")
        for egress in dict.fromkeys(egress for egress, _ in self._protocols):
            second = chain((egress,), "second")
            prefix = log_prefix(f"{chain((egress,), 'second', MAX_PREFIX - 2)}: ")
            chains.add(second, LOG_RATE, f"-j LOG {prefix}", "a second claimant of a peer")
            chains.add(second, "", DROP, "a second claimant of a peer")


def _alike(guards: Sequence[Guard]) -> Iterator[Sequence[Guard]]:
    """What a rule each is for: a guard; of many, those that differ in their sources alone."""
    if len(guards) <= FEW:
        yield from ([guard] for guard in guards)
        return
    for tier in tiers(guards, lambda guard: guard.key):
        found: dict[tuple[str, Match], list[Guard]] = defaultdict(list)
        for guard in tier:
            rest = replace(guard.match, source=axes.ANY_ADDRESS)
            found[guard.key, rest].append(guard)
        yield from found.values()


@lru_cache(maxsize=1024)
def _protocols(l4: Intervals) -> frozenset[int]:
    """The protocols of which claims are counted: those that are named, and of `any` the tunnels."""
    found: set[int] = set()
    for channel in channels(l4):
        if channel.kind is Kind.ANY:
            found.update(_TUNNELS)
        elif channel.kind is Kind.PROTOCOL:
            numbers = range(channel.low, channel.high + 1)
            is_named = len(numbers) <= _MAX_NAMED
            # `-p 0` is any protocol for iptables; no tunnel has that number
            found.update(one for one in numbers if one and (is_named or one in _TUNNELS))
    return frozenset(found)
