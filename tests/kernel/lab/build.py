"""Build IPv4 and IPv6 packets byte by byte, checksums and AH integrity values included."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct

from .fields import EXTENSION_NUMBERS, PROTOCOL_NAMES, PROTOCOL_NUMBERS, Probe

AH_KEY = b"laboratory-ah-key"
AH_ICV_BYTES = 12  # HMAC-SHA1-96, RFC 2404
AH_HEADER_BYTES = 12 + AH_ICV_BYTES
IPV4_HEADER_BYTES = 20
IPV6_HEADER_BYTES = 40
TCP_HEADER_BYTES = 20
TCP_MSS, TCP_MSS_BYTES = 2, 4
TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}
GRE_KEY_PRESENT = 0x2000  # RFC 2890
GRE_PPTP_DATA = 0x3001  # key and sequence present, version 1: RFC 2637 section 4.1
ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_PPP = 0x880B
# An RFC 792/4443 error need not quote more than this many bytes of the packet it is about.
QUOTE_BYTES = 520
LARGEST_FRAGMENT_BYTES = 65528


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def to_bytes(address: str) -> bytes:
    """An address as 4 or 16 bytes."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def pseudo_header(source: bytes, destination: bytes, number: int, length: int) -> bytes:
    """What TCP, UDP and ICMPv6 checksums cover besides their own bytes."""
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, number, length)
    return source + destination + struct.pack("!II", length, number)


def ipv4(
    source: bytes,
    destination: bytes,
    number: int,
    body: bytes,
    *,
    ident: int = 0,
    df: bool = True,
    ttl: int = 64,
    offset: int = 0,
    more: bool = False,
) -> bytes:
    """An IPv4 packet; offset is in bytes."""
    flags = (0x4000 if df else 0) | (0x2000 if more else 0) | offset // 8
    length = IPV4_HEADER_BYTES + len(body)
    header = struct.pack("!BBHHHBBH", 0x45, 0, length, ident, flags, ttl, number, 0)
    header += source + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def ipv6(source: bytes, destination: bytes, number: int, body: bytes, *, ttl: int = 64) -> bytes:
    """An IPv6 packet; number is that of the first header in the body."""
    return struct.pack("!IHBB", 6 << 28, len(body), number, ttl) + source + destination + body


def udp(source: bytes, destination: bytes, sport: int, dport: int, payload: bytes) -> bytes:
    """A UDP datagram with its checksum (0 is sent as 0xffff, RFC 768)."""
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    total = checksum(pseudo_header(source, destination, 17, len(datagram)) + datagram) or 0xFFFF
    return datagram[:6] + struct.pack("!H", total) + datagram[8:]


def tcp(
    source: bytes,
    destination: bytes,
    sport: int,
    dport: int,
    payload: bytes,
    *,
    flags: str,
    seq: int = 1000,
    ack: int = 0,
    mss: int | None = None,
) -> bytes:
    """A TCP segment with its checksum; its one option may be the MSS (RFC 9293 section 3.2)."""
    bits = sum(TCP_FLAGS[flag] for flag in flags)
    options = b"" if mss is None else struct.pack("!BBH", TCP_MSS, TCP_MSS_BYTES, mss)
    start = (TCP_HEADER_BYTES + len(options)) // 4 << 4
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, start, bits, 65535, 0, 0)
    segment += options + payload
    total = checksum(pseudo_header(source, destination, 6, len(segment)) + segment)
    return segment[:16] + struct.pack("!H", total) + segment[18:]


def icmp(probe: Probe, source: bytes, destination: bytes, payload: bytes) -> bytes:
    """An ICMP or ICMPv6 message: an echo, or an error that quotes probe.quote."""
    v6 = probe.number == PROTOCOL_NUMBERS["icmpv6"]
    kind = probe.icmp_type if probe.icmp_type is not None else (128 if v6 else 8)
    if probe.is_icmp_error:
        rest = struct.pack("!I", probe.mtu)
        payload = probe.quote[:QUOTE_BYTES] + payload
    else:
        rest = struct.pack("!HH", probe.icmp_id, 1)
    message = struct.pack("!BBH", kind, probe.icmp_code, 0) + rest + payload
    covered = pseudo_header(source, destination, 58, len(message)) if v6 else b""
    total = checksum(covered + message)
    return message[:2] + struct.pack("!H", total) + message[4:]


def gre(probe: Probe, payload: bytes) -> bytes:
    """GRE version 1 if the probe has a call id, else version 0 with or without a key."""
    if probe.call_id is not None:
        size = len(payload)
        header = struct.pack("!HHHHI", GRE_PPTP_DATA, ETHERTYPE_PPP, size, probe.call_id, 1)
    elif probe.key is not None:
        header = struct.pack("!HHI", GRE_KEY_PRESENT, ETHERTYPE_IPV4, probe.key)
    else:
        header = struct.pack("!HH", 0, ETHERTYPE_IPV4)
    return header + payload


def transport(
    probe: Probe, protocol: str | int, source: bytes, destination: bytes, payload: bytes
) -> bytes:
    """The bytes above the IP header for every protocol but AH."""
    match PROTOCOL_NAMES.get(protocol, protocol) if isinstance(protocol, int) else protocol:
        case "udp":
            return udp(source, destination, probe.sport, probe.dport, payload)
        case "tcp":
            ports = (probe.sport, probe.dport)
            return tcp(source, destination, *ports, payload, flags=probe.flags, mss=probe.mss)
        case "icmp" | "icmpv6":
            return icmp(probe, source, destination, payload)
        case "gre":
            return gre(probe, payload)
        case "esp":
            return struct.pack("!II", probe.spi, probe.sequence) + payload
        case "ipip":
            ends = to_bytes("10.1.1.1"), to_bytes("10.2.2.2")
            return ipv4(*ends, 17, udp(*ends, 7, 7, payload))
        case "6in4":
            ends = to_bytes("2001:db8:a::1"), to_bytes("2001:db8:b::1")
            return ipv6(*ends, 17, udp(*ends, 7, 7, payload))
        case int():
            return payload
    raise ValueError(f"unknown protocol {protocol!r}")


def ah_icv(packet: bytes, ah_offset: int) -> bytes:
    """The integrity value that an AH packet should carry (RFC 4302, HMAC-SHA1-96).

    ah_offset: where the AH header begins.  Fields that routers change count as zero.
    """
    fixed = bytearray(packet)
    if packet[0] >> 4 == 4:
        fixed[1] = 0  # type of service
        fixed[6:8] = b"\0\0"  # flags and fragment offset
        fixed[8] = 0  # time to live
        fixed[10:12] = b"\0\0"  # header checksum
    else:
        fixed[0:4] = b"\x60\0\0\0"  # traffic class and flow label
        fixed[7] = 0  # hop limit
    icv = ah_offset + 12
    fixed[icv : icv + AH_ICV_BYTES] = bytes(AH_ICV_BYTES)
    return hmac.new(AH_KEY, bytes(fixed), hashlib.sha1).digest()[:AH_ICV_BYTES]


def _with_extensions(names: tuple[str, ...], number: int, body: bytes) -> tuple[int, bytes]:
    """Put IPv6 options before a body; the first number to announce, and the bytes."""
    for name in reversed(names):
        if name != "fragment":
            body = struct.pack("!BB", number, 0) + b"\x01\x04\0\0\0\0" + body  # PadN
            number = EXTENSION_NUMBERS[name]
    return number, body


def build(probe: Probe, marker: bytes, ident: int) -> list[bytes]:
    """The probe as IP packets, more than one only if it is to be fragmented.

    marker: bytes by which the probe is recognised, repeated to fill the payload.
    ident: the IP identification (16 bits used in IPv4, 32 in fragmented IPv6).
    """
    source, destination = to_bytes(probe.source), to_bytes(probe.destination)
    payload = (marker * (probe.size // len(marker) + 1))[: max(probe.size, len(marker))]
    inner = probe.inner if probe.number == PROTOCOL_NUMBERS["ah"] else probe.protocol
    body = transport(probe, inner, source, destination, payload)
    if probe.number == PROTOCOL_NUMBERS["ah"]:
        inner_number = inner if isinstance(inner, int) else PROTOCOL_NUMBERS[inner]
        words = AH_HEADER_BYTES // 4 - 2
        header = struct.pack("!BBHII", inner_number, words, 0, probe.spi, 1) + bytes(AH_ICV_BYTES)
        ah_bytes = len(body) + AH_HEADER_BYTES
        body = header + body
    number = probe.number
    if len(source) == 4:
        df = probe.df and probe.fragment is None
        packet = ipv4(source, destination, number, body, ident=ident & 0xFFFF, df=df, ttl=probe.ttl)
    else:
        number, body = _with_extensions(probe.extensions, number, body)
        packet = ipv6(source, destination, number, body, ttl=probe.ttl)
    if probe.number == PROTOCOL_NUMBERS["ah"]:
        offset = len(packet) - ah_bytes
        packet = packet[: offset + 12] + ah_icv(packet, offset) + packet[offset + 24 :]
    if probe.fragment is not None:
        return split(packet, probe.fragment - probe.fragment % 8, ident)
    if "fragment" in probe.extensions:
        return split(packet, LARGEST_FRAGMENT_BYTES, ident)
    return [packet]


def split(packet: bytes, size: int, ident: int) -> list[bytes]:
    """Cut a packet into fragments of `size` bytes each, size a multiple of 8.

    IPv6 hop-by-hop options stay in front of every fragment (RFC 8200 section 4.5).
    """
    if packet[0] >> 4 == 4:
        ends, body = (packet[12:16], packet[16:20]), packet[IPV4_HEADER_BYTES:]
        return [
            ipv4(
                *ends,
                packet[9],
                body[offset : offset + size],
                ident=ident & 0xFFFF,
                df=False,
                ttl=packet[8],
                offset=offset,
                more=offset + size < len(body),
            )
            for offset in range(0, len(body), size)
        ]
    ends, body = (packet[8:24], packet[24:40]), packet[IPV6_HEADER_BYTES:]
    first, front = packet[6], b""
    if first == EXTENSION_NUMBERS["hopopts"]:
        front, body = body[:8], body[8:]
        first, front = front[0], bytes([EXTENSION_NUMBERS["fragment"]]) + front[1:]
    outer = EXTENSION_NUMBERS["hopopts" if front else "fragment"]
    fragments = []
    for offset in range(0, len(body), size):
        more = int(offset + size < len(body))
        header = struct.pack("!BBHI", first, 0, offset | more, ident)
        piece = front + header + body[offset : offset + size]
        fragments.append(ipv6(*ends, outer, piece, ttl=packet[7]))
    return fragments
