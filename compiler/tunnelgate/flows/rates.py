"""Rows that pass while there is credit, in lists where order decides.

What passes with a limit may pass by a later row as well: it passes if any row that allows it has no
limit, or has credit left. In a settled list the first row that matches says it all: whether a
packet passes in any case, or by which credits.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunnelgate.flows.fields import DROP, Delivered, Sets
from tunnelgate.flows.firstmatch import Row


def settled(rows: Sequence[Row]) -> list[Row]:
    """The same list with every limited row moved to where its packets would be dropped."""
    if not any(isinstance(row.label, Delivered) and row.label.rates for row in rows):
        return list(rows)
    done: list[Row] = []
    for row in reversed(rows):
        if isinstance(row.label, Delivered) and row.label.rates:
            done = _deferred(row, row.label, done)
        else:
            done.insert(0, row)
    return done


def _deferred(limited: Row, passes: Delivered, rest: Sequence[Row]) -> list[Row]:
    """A list in which a limited row stands before what its packets meet without credit."""
    found: list[Row] = []
    for at, row in enumerate(rest):
        both = common(limited.sets, row.sets)
        if both is not None and row.label == DROP:
            found.append(Row(both, passes, limited.cause))
        elif both is not None and isinstance(row.label, Delivered) and row.label.rates:
            label = row.label._replace(rates=row.label.rates | passes.rates)
            found.append(Row(both, label, limited.cause))
        found.append(row)
        if both == limited.sets:
            return [*found, *rest[at + 1 :]]
    return found


def common(one: Sets, other: Sets) -> Sets | None:
    """What both ask; None where no flow is asked for by both."""
    found = []
    for left, right in zip(one, other, strict=True):
        if left is None or right is None:
            found.append(right if left is None else left)
            continue
        both = left if left is right else left & right
        if not both:
            return None
        found.append(both)
    return tuple(found)
