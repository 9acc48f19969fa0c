"""A ruleset that packets ask on each interface that they cross: on the way in, and on the way out.

pf is one. How its rules are asked is the reader's business (`targets/…/pf/read/walk.py`); where
packets go between two interfaces is the proof's (`proof/pf.py`). This is what both speak of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, Protocol, runtime_checkable

from tunnelgate.flows.fields import EVERYTHING, Rate, Sets
from tunnelgate.flows.intervals import Interval, Intervals

#: What a source becomes that may be one of several addresses; no place of the axis.
WHICHEVER = -1


class Act(NamedTuple):
    """A rule that did something to packets; acts are ordered as a ruleset is asked.

    Attributes:
        stage: which of the lists that packets ask on their way; each is asked from its top.
        line: where the rule stands.
    """

    stage: int
    line: int


class Piece(NamedTuple):
    """Packets that the same was done to so far.

    Attributes:
        sets: which they are, as they arrived; the axes of `flows.fields`.
        destination, port, source: what became of them; None is what they were.
        source_ports: the first and last port that a new source port may be; None where it stays.
        tag: theirs; None where they have none.
        rates: the limits of the rules that let them pass.
        line: where the rule stands that decided last, 0 where none did.
        acts: the rules that translated it, that decided about it, and those by which it has the
            tags that these ask for.
        tagged_by: the rules by which it has its tag.
    """

    sets: Sets = EVERYTHING
    destination: int | None = None
    port: int | None = None
    source: int | None = None
    source_ports: Interval | None = None
    tag: str | None = None
    rates: frozenset[Rate] = frozenset()
    line: int = 0
    acts: tuple[Act, ...] = ()
    tagged_by: tuple[Act, ...] = ()

    def narrowed(self, axis: int, wanted: Intervals | None) -> Piece | None:
        """The part of it that is in a set on one axis, itself if all is; None where there is none.

        What is None asks nothing.
        """
        have = self.sets[axis]
        if wanted is None or have is wanted:
            return self
        both = wanted if have is None else have & wanted
        if not both.items:
            return None
        if both == have:
            return self
        return self._replace(sets=(*self.sets[:axis], both, *self.sets[axis + 1 :]))

    def is_translated(self) -> bool:
        """Whether an address of it is another than it was."""
        return self.source is not None or self.destination is not None


class Crossing(NamedTuple):
    """Packets on one interface, in one direction.

    Attributes:
        inward: they come in, seen from the machine.
        interface: where they are asked about.
        received: the interface that they came in by; None for what the machine sends itself.
        opens: their TCP opens a connection; else it is the middle of one.
    """

    inward: bool
    interface: str
    received: str | None
    opens: bool = True


class Fate(Enum):
    """What a ruleset says about packets on one interface, of which it knows no connection."""

    FORGOTTEN = "passes, and its answer asks the rules"
    KEPT = "passes, and its connection on every interface"
    BOUND = "passes, and its connection on this interface"
    DROPPED = "dropped"
    LEFT = "left to the rules of others"

    @property
    def passes(self) -> bool:
        """Whether the packet goes on, whatever becomes of its answer."""
        return self in {Fate.FORGOTTEN, Fate.KEPT, Fate.BOUND}


Located = Callable[[Intervals], Intervals]
"""A set of addresses that a ruleset writes out, with those that it cannot know."""


def as_written(addresses: Intervals) -> Intervals:
    """Where all addresses are known."""
    return addresses


class Gate(Protocol):
    """A ruleset on a machine, for one family."""

    def crossed(self, piece: Piece, crossing: Crossing) -> Iterator[tuple[Piece, Fate]]:
        """What becomes of packets that come to an interface, part by part.

        Of two parts that hold a packet the first one counts.

        Raises:
            Unmodelled: the ruleset asks what only a real machine knows.
        """
        ...


@runtime_checkable
class Screens(Protocol):
    """A ruleset as read, for one family.

    Attributes:
        file: the name of the file whose lines the pieces tell.
    """

    file: str

    def on(self, addresses: Mapping[str, tuple[int, ...]], located: Located = as_written) -> Gate:
        """It on a machine with these addresses by interface, as places on their axis.

        Args:
            addresses: the machine's.
            located: a set that is written out, with the unknown addresses that are in it.
        """
        ...
