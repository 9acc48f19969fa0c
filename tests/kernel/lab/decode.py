"""Read IPv4 and IPv6 packets, put fragments together again, judge checksums and AH values."""

from __future__ import annotations

import hmac
import socket
import struct
from dataclasses import dataclass, replace
from typing import Any

from .build import (
    AH_ICV_BYTES,
    TCP_FLAGS,
    TCP_HEADER_BYTES,
    TCP_MSS,
    ah_icv,
    checksum,
    ipv4,
    pseudo_header,
)
from .fields import EXTENSION_NAMES, PROTOCOL_NAMES, Arrival, is_icmp_error

IPV4_FRAGMENT_MASK = 0x3FFF  # "more fragments" and the offset
FRAGMENT_HEADER = 44


@dataclass(frozen=True)
class Layout:
    """Where the parts of a packet are."""

    source: bytes
    destination: bytes
    number: int
    start: int  # offset of the payload, in bytes
    ttl: int
    extensions: tuple[str, ...] = ()
    ident: int = 0
    offset: int = 0  # of the fragment, in bytes
    more: bool = False
    fragment_at: int | None = None  # offset of an IPv6 fragment header
    announced_at: int = 0  # offset of the byte that announces that header

    @property
    def is_fragment(self) -> bool:
        """Whether this is a fragment, also if it is the only one (atomic, RFC 6946)."""
        return self.more or self.offset > 0 or self.fragment_at is not None

    @property
    def piece_at(self) -> int:
        """Offset of what the fragment carries of the original packet."""
        return self.start if self.fragment_at is None else self.fragment_at + 8


def _u16(data: bytes, offset: int) -> int | None:
    """Two bytes as a number, or None where a quotation ends before them."""
    if len(data) < offset + 2:
        return None
    return int.from_bytes(data[offset : offset + 2], "big")


def _u32(data: bytes, offset: int) -> int | None:
    """Four bytes as a number, or None where a quotation ends before them."""
    if len(data) < offset + 4:
        return None
    return int.from_bytes(data[offset : offset + 4], "big")


def layout(packet: bytes) -> Layout:
    """Find the payload of a packet, past IPv6 extension headers."""
    if packet[0] >> 4 == 4:
        ident, flags = struct.unpack("!HH", packet[4:8])
        return Layout(
            source=packet[12:16],
            destination=packet[16:20],
            number=packet[9],
            start=(packet[0] & 15) * 4,
            ttl=packet[8],
            ident=ident,
            offset=(flags & 0x1FFF) * 8,
            more=bool(flags & 0x2000),
        )
    number, start, announced_at = packet[6], 40, 6
    found = Layout(packet[8:24], packet[24:40], number, start, packet[7])
    names: tuple[str, ...] = ()
    while number in EXTENSION_NAMES and len(packet) >= start + 8 and found.offset == 0:
        names += (EXTENSION_NAMES[number],)
        if number == FRAGMENT_HEADER:
            bits, ident = struct.unpack("!HI", packet[start + 2 : start + 8])
            found = replace(found, ident=ident, offset=bits & 0xFFF8, more=bool(bits & 1))
            found = replace(found, fragment_at=start, announced_at=announced_at)
            size = 8
        else:
            size = (packet[start + 1] + 1) * 8
        announced_at = start
        number, start = packet[start], start + size
    return replace(found, number=number, start=start, extensions=names)


def _checksum_ok(packet: bytes, where: Layout) -> bool | None:
    """Whether the checksums are right; None if there is none to check."""
    body = packet[where.start :]
    header = None if len(where.source) == 16 else checksum(packet[: where.start]) == 0
    if where.more or where.offset or where.number not in (1, 6, 17, 58):
        return header
    if where.number == 17 and _u16(body, 6) == 0:
        return header
    covered = b""
    if where.number != 1:
        covered = pseudo_header(where.source, where.destination, where.number, len(body))
    return header is not False and checksum(covered + body) == 0


def _tcp_flags(body: bytes) -> str | None:
    """The flags as letters in the order FSRPA, or None in a quotation too short for them."""
    if len(body) < 14:
        return None
    return "".join(letter for letter, bit in TCP_FLAGS.items() if body[13] & bit)


def _tcp_mss(body: bytes) -> int | None:
    """The announced MSS; None without the option, which the laboratory puts first."""
    has_options = len(body) >= 24 and body[12] >> 4 > TCP_HEADER_BYTES // 4
    return _u16(body, 22) if has_options and body[20] == TCP_MSS else None


def _ah_fields(packet: bytes, where: Layout) -> dict[str, Any]:
    """SPI, protected protocol and integrity of an AH packet."""
    body = packet[where.start :]
    if len(body) < 12 + AH_ICV_BYTES:
        return {"spi": _u32(body, 4)}
    inner, words = body[0], body[1]
    seen = body[12 : 12 + AH_ICV_BYTES]
    fields: dict[str, Any] = {
        "spi": _u32(body, 4),
        "inner": PROTOCOL_NAMES.get(inner, inner),
        "icv_ok": hmac.compare_digest(seen, ah_icv(packet, where.start)),
    }
    if inner in (6, 17):
        protected = body[(words + 2) * 4 :]
        fields |= {"sport": _u16(protected, 0), "dport": _u16(protected, 2)}
    return fields


def _icmp_fields(number: int, body: bytes) -> dict[str, Any]:
    """Type, code and the quoted packet or echo identifier of an ICMP message."""
    if len(body) < 8:
        return {}
    fields: dict[str, Any] = {"icmp_type": body[0], "icmp_code": body[1]}
    if not is_icmp_error(number, body[0]):
        return fields | {"icmp_id": _u16(body, 4)}
    fields["mtu"] = _u32(body, 4)
    quoted = body[8:]
    if len(quoted) >= (20 if number == 1 else 40):
        fields["quoted"] = decode(quoted, None)
    return fields


def _payload_fields(packet: bytes, where: Layout) -> dict[str, Any]:
    """What the header after the IP header says, for the protocols the laboratory speaks."""
    body = packet[where.start :]
    match PROTOCOL_NAMES.get(where.number):
        case "udp":
            return {"sport": _u16(body, 0), "dport": _u16(body, 2)}
        case "tcp":
            ports = {"sport": _u16(body, 0), "dport": _u16(body, 2)}
            return {**ports, "flags": _tcp_flags(body), "mss": _tcp_mss(body)}
        case "esp":
            return {"spi": _u32(body, 0)}
        case "ah":
            return _ah_fields(packet, where)
        case "gre":
            bits = _u16(body, 0) or 0
            if bits & 7 == 1:
                return {"call_id": _u16(body, 6)}
            return {"key": _u32(body, 4)} if bits & 0x2000 else {}
        case "icmp" | "icmpv6":
            return _icmp_fields(where.number, body)
    return {}


def decode(
    packet: bytes, wire: str | None, *, fragments: int = 1, complete: bool = True
) -> Arrival:
    """Describe a packet; what a truncated packet does not show stays None."""
    where = layout(packet)
    total = _u16(packet, 2) if packet[0] >> 4 == 4 else 40 + (_u16(packet, 4) or 0)
    packet = packet[:total]
    fields = _payload_fields(packet, where) if where.offset == 0 else {}
    if not complete:
        fields["icv_ok"] = None
    family = socket.AF_INET if len(where.source) == 4 else socket.AF_INET6
    return Arrival(
        wire=wire,
        source=socket.inet_ntop(family, where.source),
        destination=socket.inet_ntop(family, where.destination),
        protocol=PROTOCOL_NAMES.get(where.number, where.number),
        extensions=where.extensions,
        ttl=where.ttl,
        length=total or 0,
        fragments=fragments,
        complete=complete,
        checksum_ok=_checksum_ok(packet, where),
        packet=packet,
        **fields,
    )


@dataclass(frozen=True)
class Datagram:
    """A packet that came in one or several frames.

    packet: the whole, or the first fragment if some are missing.
    bytes_seen: everything that came, to search for a marker.
    """

    wire: str | None
    packet: bytes
    ident: int = 0
    fragments: int = 1
    complete: bool = True
    bytes_seen: bytes = b""


def _join(wire: str | None, pieces: list[tuple[Layout, bytes]]) -> Datagram:
    """Make one datagram of the fragments that belong together."""
    pieces = sorted(pieces, key=lambda piece: piece[0].offset)
    expected = 0
    for where, packet in pieces:
        complete = where.offset == expected
        if not complete:
            break
        expected += len(packet) - where.piece_at
    first, front = pieces[0]
    complete = complete and not pieces[-1][0].more
    body = b"".join(packet[where.piece_at :] for where, packet in pieces)
    if not complete:
        whole = front
    elif len(first.source) == 4:
        ends = first.source, first.destination
        whole = ipv4(*ends, first.number, body, ident=first.ident, df=False, ttl=first.ttl)
    else:
        header = bytearray(front[: first.fragment_at])
        header[first.announced_at] = front[first.fragment_at or 0]
        header[4:6] = struct.pack("!H", len(header) - 40 + len(body))
        whole = bytes(header) + body
    return Datagram(wire, whole, first.ident, len(pieces), complete, body)


def reassemble(frames: list[tuple[str | None, bytes]]) -> list[Datagram]:
    """Put fragments together; everything else passes through as it is, in order."""
    done: list[Datagram] = []
    groups: dict[tuple[str | None, bytes, bytes, int], list[tuple[Layout, bytes]]] = {}
    for wire, packet in frames:
        where = layout(packet)
        if where.is_fragment:
            key = (wire, where.source, where.destination, where.ident)
            groups.setdefault(key, []).append((where, packet))
        else:
            done.append(Datagram(wire, packet, where.ident, bytes_seen=packet))
    return done + [_join(key[0], pieces) for key, pieces in groups.items()]
