"""The far end of a security association, from RFC 4303: AES-CBC (RFC 3602, by the kernel's socket
of ciphers) with HMAC-SHA-256-128 (RFC 4868). It shares nothing with the kernel's own IPsec."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
from dataclasses import dataclass, field
from itertools import count

from lab.build import ipv4, udp
from lab.decode import layout

ESP, UDP = 50, 17
NAT_T = 4500
AES_KEY = b"0123456789abcdef"
HMAC_KEY = b"0123456789abcdef0123456789abcdef"
BLOCK_BYTES = 16
ICV_BYTES = 16
IV = bytes(range(BLOCK_BYTES))
#: What ESP carries: the number of a whole packet, by its version.
WHOLE = {4: 4, 6: 41}


class Forged(Exception):
    """An ESP packet whose integrity value is wrong."""


def _aes(operation: int, iv: bytes, data: bytes) -> bytes:
    """AES-CBC as operation says (ALG_OP_ENCRYPT or ALG_OP_DECRYPT)."""
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as cipher:
        cipher.bind(("skcipher", "cbc(aes)"))
        cipher.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, AES_KEY)
        worker, _ = cipher.accept()
        with worker:
            worker.sendmsg_afalg([data], op=operation, iv=iv)
            return worker.recv(len(data))


def _icv(covered: bytes) -> bytes:
    return hmac.new(HMAC_KEY, covered, hashlib.sha256).digest()[:ICV_BYTES]


def _sealed(spi: int, sequence: int, number: int, payload: bytes) -> bytes:
    padding = bytes(range(1, (-len(payload) - 2) % BLOCK_BYTES + 1))
    plain = payload + padding + struct.pack("!BB", len(padding), number)
    covered = struct.pack("!II", spi, sequence) + IV + _aes(socket.ALG_OP_ENCRYPT, IV, plain)
    return covered + _icv(covered)


def carried(packet: bytes) -> bytes | None:
    """The ESP of an IPv4 packet, bare or in UDP (RFC 3948); None where it carries no such thing."""
    where = layout(packet)
    body = packet[where.start :]
    if packet[0] >> 4 != 4 or where.number not in {ESP, UDP}:
        return None
    if where.number == ESP:
        return body
    is_nat_t = NAT_T in struct.unpack("!HH", body[:4])
    # IKE on this port begins with four zeros where ESP has its SPI
    return body[8:] if is_nat_t and any(body[8:12]) else None


def spi_of(packet: bytes) -> int | None:
    """The SPI of an IPv4 packet with ESP."""
    body = carried(packet)
    return None if body is None else int.from_bytes(body[:4], "big")


@dataclass
class FarEnd:
    """Who talks ESP to the gateway: seals what goes to it, opens what comes from it.

    is_transport: the payload of a packet is protected, not a packet as a whole.
    is_in_udp: it is behind NAT, so that ESP travels in UDP.
    """

    address: bytes
    gateway: bytes
    spi: int
    is_transport: bool
    is_in_udp: bool
    _sequence: count[int] = field(default_factory=lambda: count(1))

    def seal(self, packet: bytes) -> bytes:
        """A packet as ESP on its way to the gateway."""
        sequence = next(self._sequence)
        if self.is_transport:
            where = layout(packet)
            body = _sealed(self.spi, sequence, where.number, packet[where.start :])
        else:
            body = _sealed(self.spi, sequence, WHOLE[packet[0] >> 4], packet)
        ends = self.address, self.gateway
        if self.is_in_udp:
            return ipv4(*ends, UDP, udp(*ends, NAT_T, NAT_T, body), ident=sequence & 0xFFFF)
        return ipv4(*ends, ESP, body, ident=sequence & 0xFFFF)

    def open(self, packet: bytes) -> bytes:
        """What an ESP packet of the gateway protects.

        Raises Forged where that was not made with the key.
        """
        where, body = layout(packet), carried(packet) or b""
        covered, icv = body[:-ICV_BYTES], body[-ICV_BYTES:]
        if icv != _icv(covered):
            raise Forged(packet.hex())
        iv, hidden = covered[8 : 8 + BLOCK_BYTES], covered[8 + BLOCK_BYTES :]
        plain = _aes(socket.ALG_OP_DECRYPT, iv, hidden)
        length, number = plain[-2:]
        payload = plain[: -2 - length]
        if not self.is_transport:
            return payload
        return ipv4(where.source, where.destination, number, payload, ttl=where.ttl)
