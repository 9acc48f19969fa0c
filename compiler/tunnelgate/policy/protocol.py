"""What a protocol is: the channels it uses, and what NAT does to them."""

from __future__ import annotations

from enum import Enum
from functools import cached_property

from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.records import record


class NatBehaviour(Enum):
    """What happens to a protocol where addresses are translated."""

    FREE = "any number of hosts"
    SINGLE = "one host for each peer"
    NEVER = "survives no translation"
    HELPER = "needs its connection-tracking helper"


class Encryption(Enum):
    """What protects the content of a tunnel from a reader on the way."""

    STRONG = "encrypted"
    BROKEN = "broken encryption"
    INTEGRITY = "authenticated, readable"
    NONE = "readable"
    CONTENT = "up to what it carries"
    """Not a tunnel, or one whose protection is not its own affair (ssh, http, any)."""


@record
class ProtocolRow:
    """One row of the table of protocols.

    Attributes:
        name: as a policy says it.
        title: as its document says it, e.g. "Encapsulating Security Payload".
        channels: intervals on the axis `protocol << 16 | port` (flows/axes.py).
        nat: what source NAT does to it.
        encryption: what protects its content.
        source: RFC and section, or the vendor's page.
        parts: the rows this one is made of (`ipsec` = ike, nat-t, esp); empty for a plain one.
        helper: the name of its connection-tracking helper in the kernel, or "".
        tunnel: whether it carries other traffic inside (TG502 asks).
        note: one sentence that an administrator should know, or "".
    """

    name: str
    title: str
    channels: tuple[Interval, ...]
    nat: NatBehaviour
    encryption: Encryption
    source: str
    parts: tuple[str, ...] = ()
    helper: str = ""
    tunnel: bool = False
    note: str = ""

    @cached_property
    def l4(self) -> Intervals:
        """The channels as a set."""
        return Intervals.of(self.channels)
