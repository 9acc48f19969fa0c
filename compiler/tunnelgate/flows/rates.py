"""Rows that pass while there is credit, in lists where order decides.

What passes with a limit may pass by a later row as well: it passes if any row that allows it has no
limit, or has credit left. In a settled list the first row that matches says it all: whether a
packet passes in any case, or by which credits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunnelgate.flows.fields import DROP, Delivered, Rate, Sets
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.index import BoxIndex


def settled(rows: Sequence[Row]) -> list[Row]:
    """The same list with every limited row moved to where its packets would be dropped."""
    if not any(_rates(row) for row in rows):
        return list(rows)
    whole = _Node(None)
    places = [at for at, row in enumerate(rows) if not _rates(row)]
    for at in places:
        whole.put(rows[at])
    behind = len(places)
    for at in range(len(rows) - 1, -1, -1):
        if _rates(rows[at]):
            _defer(rows[at], whole, behind)
        else:
            behind -= 1
    return list(whole.rows())


def _rates(row: Row) -> frozenset[Rate]:
    """The credits of which a row needs one; none where it passes, or drops, in any case."""
    return row.label.rates if isinstance(row.label, Delivered) else frozenset()


class _Node:
    """A row, and those that stand before it for a part of what it holds; of a list, no row."""

    def __init__(self, row: Row | None) -> None:
        self.row = row
        self._before: BoxIndex[_Node] = BoxIndex()

    def put(self, row: Row) -> None:
        """One more, behind the others."""
        self._before.add(row.sets, _Node(row))

    def meeting(self, box: Sets, first: int = 0) -> Iterator[tuple[_Node, Sets]]:
        """Those before it, in order, that meet a box, and what they have in common with it."""
        return ((node, both) for _, both, node in self._before.in_order(box, first))

    def before(self) -> Iterator[_Node]:
        """Those before it, in order."""
        return (node for _, node in self._before.entries)

    def rows(self) -> Iterator[Row]:
        """The list: what stands before a row, and then the row."""
        path = [(self, self.before())]
        while path:
            node, before = path[-1]
            inner = next(before, None)
            if inner is not None:
                path.append((inner, inner.before()))
                continue
            path.pop()
            if node.row is not None:
                yield node.row


def _defer(limited: Row, whole: _Node, behind: int) -> None:
    """Put a limited row before all that its packets meet without credit, from a place on.

    Not by recursion: as many rows may lie in each other as a policy has limits.
    """
    path = [(whole, limited.sets, whole.meeting(limited.sets, behind))]
    while path:
        node, both, before = path[-1]
        inner = next(before, None)
        if inner is not None:
            path.append((*inner, inner[0].meeting(inner[1])))
            continue
        path.pop()
        if node.row is not None:
            _put_before(node, node.row, Row(both, limited.label, limited.cause))
            if both == limited.sets:
                return  # nothing of it comes further


def _put_before(node: _Node, row: Row, limited: Row) -> None:
    """Put a part of a limited row before one that holds it, where credit is needed to pass that."""
    rates = _rates(row)
    if row.label == DROP:
        node.put(limited)
    elif rates and isinstance(row.label, Delivered):
        label = row.label._replace(rates=rates | _rates(limited))
        made = limited._replace(label=label)
        if limited.sets == row.sets:
            node.row = made  # nothing is left of the other
        else:
            node.put(made)
