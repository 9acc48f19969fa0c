"""The values the laboratory works with: what is sent (Probe) and what was seen (Observation)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

# IANA protocol numbers.  "ipip" is 4 (IP in IP), not the 94 that /etc/protocols gives that name.
PROTOCOL_NUMBERS = {
    "icmp": 1,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "6in4": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
}
PROTOCOL_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}
# IPv6 extension headers that may stand before the payload (RFC 8200 section 4).
EXTENSION_NUMBERS = {"hopopts": 0, "fragment": 44, "dstopts": 60}
EXTENSION_NAMES = {0: "hopopts", 43: "routing", 44: "fragment", 60: "dstopts"}

# ICMP types that are error messages and quote the packet they are about (RFC 792).
ICMP_ERROR_TYPES = frozenset({3, 4, 5, 11, 12})
# ICMPv6 errors are all types below 128 (RFC 4443 section 2.1).
ICMPV6_FIRST_INFORMATIONAL = 128
# Multicast listener and neighbour discovery: the gateway's own housekeeping, never an answer.
ICMPV6_HOUSEKEEPING = frozenset({130, 131, 132, 133, 134, 135, 136, 137, 143})


class LabError(Exception):
    """The laboratory itself failed (not the ruleset under test)."""


class LabUnavailable(LabError):
    """This machine does not let the caller create network namespaces."""


class LoadError(LabError):
    """A ruleset was refused; the message is what the loading tool wrote to stderr."""


class _Brief:
    """A dataclass whose text leaves out the fields that say nothing."""

    def __repr__(self) -> str:
        shown = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(self)  # type: ignore[arg-type]
            if item.repr and getattr(self, item.name) != item.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True)
class Wire:
    """One interface of the gateway and what lies behind it.

    interface: name of the device in the gateway, at most 15 characters.
    addresses: the gateway's own addresses with the length of the on-link prefix.
    networks: prefixes routed out through the interface; where two wires name the same prefix,
        the one given first wins.
    mtu: bytes, both directions.
    """

    interface: str
    addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    mtu: int = 1500


@dataclass(frozen=True)
class Endpoint:
    """A TCP port on a host behind a wire, or (wire None) on the gateway itself."""

    wire: str | None
    address: str
    port: int


@dataclass(frozen=True, repr=False)
class Probe(_Brief):
    """One packet to send.  Fields that the protocol does not have are ignored.

    wire: the interface it arrives on; None means the gateway itself sends it.
    protocol: a name of PROTOCOL_NUMBERS or an IP protocol number; the payload of a number that
        has no name there is opaque.
    spi, sequence: of ESP.
    key: GRE version 0 with this key; call_id: GRE version 1 (PPTP, RFC 2637); neither: plain GRE.
    inner: the protocol that an AH packet protects.
    icmp_type: None means echo request.  quote: the packet that an ICMP error is about.
    mtu: the MTU field of "fragmentation needed" and "packet too big" errors, in bytes.
    mss: the maximum segment size that a TCP segment announces, in bytes; None for no option.
    fragment: send as fragments carrying at most so many bytes each (rounded down to 8).
    extensions: IPv6 extension headers: hopopts, dstopts, in this order, and "fragment", which
        makes the packet its own only fragment (atomic, RFC 6946).
    size: least payload size in bytes.
    """

    wire: str | None
    source: str
    destination: str
    protocol: str | int = "udp"
    sport: int = 40000
    dport: int = 500
    spi: int = 0x1000
    sequence: int = 1
    key: int | None = None
    call_id: int | None = None
    inner: str | int = "tcp"
    flags: str = "S"
    mss: int | None = None
    icmp_type: int | None = None
    icmp_code: int = 0
    icmp_id: int = 77
    quote: bytes = b""
    mtu: int = 0
    fragment: int | None = None
    extensions: tuple[str, ...] = ()
    size: int = 0
    df: bool = True
    ttl: int = 64

    @property
    def number(self) -> int:
        """The IP protocol number."""
        return self.protocol if isinstance(self.protocol, int) else PROTOCOL_NUMBERS[self.protocol]

    @property
    def is_icmp_error(self) -> bool:
        """Whether the probe is itself an ICMP error message."""
        return is_icmp_error(self.number, self.icmp_type)


@dataclass(frozen=True, repr=False)
class Arrival(_Brief):
    """One packet as its receiver sees it.  Fields that the packet does not have are None.

    wire: the interface it left the gateway on; None means the gateway's own stack received it.
    sport, dport: for AH those of the protected packet.
    mss: what a TCP segment announces, in bytes.
    icv_ok: whether the integrity value of an AH packet still verifies.
    quoted: the packet an ICMP error is about.  length: bytes, with the IP header.
    fragments: how many frames carried it; complete: whether they made up the whole packet.
    extensions: IPv6 extension headers once reassembled, outermost first.
    checksum_ok: whether the IPv4 header and TCP, UDP or ICMP checksums are right.
    """

    wire: str | None
    source: str
    destination: str
    protocol: str | int
    sport: int | None = None
    dport: int | None = None
    flags: str | None = None
    mss: int | None = None
    spi: int | None = None
    key: int | None = None
    call_id: int | None = None
    inner: str | int | None = None
    icv_ok: bool | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    icmp_id: int | None = None
    mtu: int | None = None
    quoted: Arrival | None = None
    extensions: tuple[str, ...] = ()
    ttl: int = 0
    length: int = 0
    fragments: int = 1
    complete: bool = True
    checksum_ok: bool | None = None
    packet: bytes = field(default=b"", repr=False)

    @property
    def number(self) -> int:
        """The IP protocol number."""
        return self.protocol if isinstance(self.protocol, int) else PROTOCOL_NUMBERS[self.protocol]

    @property
    def is_icmp_error(self) -> bool:
        """Whether this is an ICMP error message."""
        return is_icmp_error(self.number, self.icmp_type)


@dataclass(frozen=True, repr=False)
class Observation(_Brief):
    """What became of one probe.

    arrivals: the probe's packets that left the gateway, on any wire.
    local: the probe's packets that the gateway's own stack received (after its input rules).
    icmp: error messages about the probe, sent by the gateway's rules or its routing.
    answers: what else the gateway sent meanwhile: TCP resets, echo replies of its own, and the
        "port unreachable" of its stack for a packet that `local` shows as received.
    send_error: the errno name if the gateway's own send was refused (EPERM: dropped in output).
    """

    probe: Probe
    arrivals: tuple[Arrival, ...] = ()
    local: tuple[Arrival, ...] = ()
    icmp: tuple[Arrival, ...] = ()
    answers: tuple[Arrival, ...] = ()
    send_error: str | None = None

    @property
    def dropped(self) -> bool:
        """Whether nothing of the probe came through, neither to a wire nor to the gateway."""
        return not self.arrivals and not self.local

    @property
    def rejected(self) -> bool:
        """Whether the probe was refused audibly: an ICMP error or a TCP reset."""
        reset = any(answer.flags is not None and "R" in answer.flags for answer in self.answers)
        return self.dropped and (bool(self.icmp) or reset)

    @property
    def arrival(self) -> Arrival:
        """The one arrival; an error if there was none or more than one."""
        if len(self.arrivals) != 1:
            raise LookupError(f"{len(self.arrivals)} arrivals, expected one: {self}")
        return self.arrivals[0]


def is_icmp_error(number: int, icmp_type: int | None) -> bool:
    """Whether a message of this IP protocol number and ICMP type is an error message."""
    if icmp_type is None:
        return False
    if number == PROTOCOL_NUMBERS["icmp"]:
        return icmp_type in ICMP_ERROR_TYPES
    return number == PROTOCOL_NUMBERS["icmpv6"] and icmp_type < ICMPV6_FIRST_INFORMATIONAL
