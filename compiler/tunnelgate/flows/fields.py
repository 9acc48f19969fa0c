"""The fields by which flows are told apart, and the labels of what happens to them.

Policies (meaning/flatten.py) and rulesets (the `read` of a target) become first-match lists over
these axes with these labels, which is all that the two have in common.
"""

from __future__ import annotations

from typing import NamedTuple

from tunnelgate.flows.intervals import Intervals

#: The axes of a flow, in the order in which lists are compared. The first tells apart where a
#: packet leaves whose destination several zones may hold; the source port is that of UDP.
EGRESS, L4, SOURCE_PORT, DESTINATION, SOURCE = range(5)
AXES = 5
ANY_PORT = Intervals.span(0, 0xFFFF)
#: ESP has no ports: on the axis of source ports stands its SPI (RFC 4303 section 2.1).
SPI = SOURCE_PORT
ANY_SPI = Intervals.span(0, 0xFFFFFFFF)

Sets = tuple[Intervals | None, ...]
"""What a row asks of each axis; None where it asks nothing."""

EVERYTHING: Sets = (None,) * AXES

DROP = "dropped"
"""The label of what does not pass."""

KEPT, MOVED = "kept if free", "moved above 4500"
"""What becomes of the source port where a source is translated.

Moved to 4501-65535: the kernel keeps a port that lies in the range it is given, so a range that
holds 4500 would leave 4500 where it is (measured).
"""


class Rate(NamedTuple):
    """So many new connections in a unit of time, of all sources together or of each."""

    connections: int
    unit: str
    per_source: bool

    @property
    def burst(self) -> int:
        """How many begin at once: five, or what comes in a hundredth of a second where that is more
        (language reference, Options).
        """
        seconds = 1 if self.unit == "second" else 60
        return max(5, -(-self.connections // (100 * seconds)))


class Delivered(NamedTuple):
    """The label of what passes: by which zone it leaves, and the host and port it is sent to.

    `destination` and `port` are None where no forward changes them. `rates` are those of which one
    must have credit left; empty where it passes in any case. Zones stand by their names and
    addresses by their places (axes.py), so that labels of different origin can be compared.
    """

    egress: str
    destination: int | None = None
    port: int | None = None
    rates: frozenset[Rate] = frozenset()


class Arrival(NamedTuple):
    """A way in: a zone, in clear or through the gateway's own IPsec."""

    zone: str
    decrypted: bool = False
