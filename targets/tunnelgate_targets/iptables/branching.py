"""Many rules of which a packet meets one, as a tree of chains: its cost grows with their logarithm.

What a set can decide goes into a set (rows.py). A translation says where to, which no set does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval
from tunnelgate_targets.iptables.lines import Chains, jump
from tunnelgate_targets.iptables.names import chain, digest
from tunnelgate_targets.iptables.words import known, prefixes, protocol

#: So many rules stand in one chain.
_FEW = 16
#: Binary digits of an address or a port that one chain tells apart.
_DIGITS = 3
_PORT_BITS = 16


class Leaf(NamedTuple):
    """A rule: where all that it matches comes from and goes, its channels, and what writes it into
    a chain.

    No packet meets two of different effect, so that their order is no matter.
    """

    source: Interval
    destination: Interval
    channel: Interval
    write: Callable[[str], None]


class Branches:
    """Writes trees of rules of one link, or of a pair of them, into a table."""

    def __init__(self, chains: Chains, family: int, zones: tuple[str, ...], role: str) -> None:
        self.chains = chains
        self.first = known(family).first()
        self.zones = zones
        self.role = role

    def plant(self, at: str, leaves: Sequence[Leaf]) -> None:
        """Write rules, by their addresses and then by their ports where they are many."""
        self._plant(at, leaves, (self._by_source, self._by_destination, self._by_port))

    def _plant(self, at: str, leaves: Sequence[Leaf], ways: tuple[_Way, ...]) -> None:
        if len(leaves) <= _FEW or not ways:
            for leaf in leaves:
                leaf.write(at)
            return
        branches, rest = ways[0](leaves)
        for match, some in branches.items():
            if len(some) == 1:
                some[0].write(at)
                continue
            inner = chain(self.zones, f"{self.role}-{digest(f'{at} {match}')}")
            self.chains.add(at, match, jump(inner), f"{len(some)} rules")
            self.chains.begin(inner)
            self._plant(inner, some, ways)
        self._plant(at, rest, ways[1:])

    def _by_source(self, leaves: Sequence[Leaf]) -> _Branches:
        blocks, rest = _blocks([(leaf, leaf.source) for leaf in leaves], self.first)
        return {f"-s {prefixes(block)[0]}": some for block, some in blocks.items()}, rest

    def _by_destination(self, leaves: Sequence[Leaf]) -> _Branches:
        blocks, rest = _blocks([(leaf, leaf.destination) for leaf in leaves], self.first)
        return {f"-d {prefixes(block)[0]}": some for block, some in blocks.items()}, rest

    def _by_port(self, leaves: Sequence[Leaf]) -> _Branches:
        by_protocol: dict[int, list[Leaf]] = defaultdict(list)
        rest: list[Leaf] = []
        for leaf in leaves:
            low, high = (end >> _PORT_BITS for end in leaf.channel)
            is_told = low == high and low in (axes.TCP, axes.UDP)
            (by_protocol[low] if is_told else rest).append(leaf)
        found: dict[str, list[Leaf]] = {}
        for number, some in by_protocol.items():
            blocks, others = _blocks([(leaf, leaf.channel) for leaf in some], 0)
            for block, held in blocks.items():
                low, high = (end & axes.PORTS - 1 for end in block)
                found[f"{protocol(number)} --dport {low}:{high}"] = held
            rest += others
        return found, rest


_Branches = tuple[dict[str, list[Leaf]], list[Leaf]]
_Way = Callable[[Sequence[Leaf]], _Branches]


def _blocks(
    placed: Sequence[tuple[Leaf, Interval]], first: int
) -> tuple[dict[Interval, list[Leaf]], list[Leaf]]:
    """Leaves by the block of an axis that holds all of them, and those that no one block holds.

    A block is as large as a few of them make up all that these leaves hold; `first` is the place
    where the axis begins.
    """
    low = min(interval[0] for _, interval in placed) - first
    high = max(interval[1] for _, interval in placed) - first
    size = max((low ^ high).bit_length() - _DIGITS, 0)
    blocks: dict[Interval, list[Leaf]] = defaultdict(list)
    rest: list[Leaf] = []
    for leaf, interval in placed:
        begin, end = ((place - first) >> size for place in interval)
        if begin == end and low != high:
            at = first + (begin << size)
            blocks[at, at + (1 << size) - 1].append(leaf)
        else:
            rest.append(leaf)
    return dict(sorted(blocks.items())), rest
