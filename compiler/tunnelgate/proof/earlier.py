"""Chains that ask what earlier packets have left: learned SPIs, claims, conntrack zones.

What is there nobody can say of one flow, so such a chain must not decide about any: whatever it
finds, it lets every flow on that is alone with its peer. Drops for what another host has left are
no property of one flow, as collisions of protocols without ports are not.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.fields import DROP, L4, Sets
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import (
    ACCEPT,
    Chain,
    Drop,
    Facts,
    Ruleset,
    Unmodelled,
    Zone,
    rows,
)
from tunnelgate.proof.hooks import CONNTRACK

#: What a zone is set for: ESP, and errors about it.
_WITH_ZONES = Intervals.of([axes.l4(axes.ESP), axes.l4(axes.ICMP)])


def expect_to_pass(ruleset: Ruleset, chain: Chain, facts: Facts, within: Sets) -> None:
    """Refuse a chain that may do anything but let flows on.

    Raises:
        Unmodelled: it drops what is alone, or translates.
    """
    assert chain.hook is not None, "a base chain has a hook"
    if isinstance(chain.hook.policy, Drop):
        raise Unmodelled("a chain that decides asks what earlier packets have left")
    for row in rows(ruleset, chain, facts, within):
        if row.label != ACCEPT and not is_question(row, chain):
            raise Unmodelled("this hangs on earlier packets", _line(row))


def zones(ruleset: Ruleset, facts: Facts) -> Iterator[Row]:
    """The rows that set a zone for what arrives; nothing else may happen before a translation.

    Raises:
        Unmodelled: a chain drops there, or sets a zone for other protocols.
    """
    for chain in ruleset.at("prerouting", nat=False):
        for row in rows(ruleset, chain, facts):
            if row.label == DROP:
                raise Unmodelled("a drop before destinations are translated", _line(row))
            if isinstance(row.label, Zone) and not is_question(row, chain):
                channels = row.sets[L4]
                if channels is None or not channels <= _WITH_ZONES:
                    raise Unmodelled("a zone of other protocols than ESP", _line(row))
                yield row


def zoned(found: list[Row]) -> tuple[tuple[Sets, ...], tuple[Sets, ...]]:
    """The flows in zones of their own ends, and those in zones by what was learned."""
    rows = [(row.label, row.sets) for row in found if isinstance(row.label, Zone)]
    own = tuple(sets for zone, sets in rows if zone.is_own)
    return own, tuple(sets for zone, sets in rows if not zone.is_own)


def is_question(row: Row, chain: Chain) -> bool:
    """Whether a row sets the zone of what has one: it asks what the map has (hooks.py)."""
    assert chain.hook is not None, "a base chain has a hook"
    return isinstance(row.label, Zone) and chain.hook.priority > CONNTRACK


def _line(row: Row) -> int:
    return row.cause if isinstance(row.cause, int) else 0
