"""Connection-tracking helpers as objects of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Helper

#: What the kernel is asked of a destination where own addresses are not known (nft(8), FIB).
LOCAL = {
    None: "",
    "arrival": "fib daddr . iif type local",
    "machine": "fib daddr type local",
    "other": "fib daddr type != local",
}
_TRANSPORTS = (("tcp", axes.TCP), ("udp", axes.UDP))


@dataclass(frozen=True, slots=True, order=True)
class NamedHelper:
    """A helper for one transport, since the kernel has one object for each (nft(8), CT HELPER).

    Attributes:
        type: its name in the kernel.
        family: the word of the only family it is for, "" for both.
        watched: the channels it watches.
    """

    name: str
    type: str
    transport: str
    family: str
    watched: Intervals = field(compare=False)


def named(helper: Helper) -> Iterator[NamedHelper]:
    """The objects that a helper needs: two where it watches TCP and UDP, as `sip` does."""
    family = "ip" if helper.families == (4,) else ""
    for word, number in _TRANSPORTS:
        watched = helper.match.l4 & Intervals.of([axes.l4(number)])
        if watched:
            yield NamedHelper(f"helper.{helper.name}.{word}", helper.name, word, family, watched)


def objects(helpers: Iterable[Helper]) -> list[NamedHelper]:
    """The objects of all helpers, each once."""
    return sorted({one for helper in helpers for one in named(helper)})
