"""One UDP datagram with a payload of the test's, and what was heard of it on the other side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .build import ipv4, ipv6, to_bytes, udp
from .decode import decode, layout
from .fields import Endpoint

UDP_HEADER_BYTES = 8
Frames = list[tuple[str | None, bytes]]
Transmit = Callable[[Sequence[tuple[str | None, bytes]]], tuple[Frames, str | None]]


@dataclass(frozen=True)
class Heard:
    """A datagram as it arrived: where, from whom, for whom, and what it says."""

    wire: str | None
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes

    @property
    def receiver(self) -> Endpoint:
        """Who has heard it."""
        return Endpoint(self.wire, *self.destination)


def say(transmit: Transmit, sender: Endpoint, to: tuple[str, int], payload: bytes) -> list[Heard]:
    """Send a datagram; every copy that arrived whole anywhere."""
    source, destination = to_bytes(sender.address), to_bytes(to[0])
    body = udp(source, destination, sender.port, to[1], payload)
    assemble = ipv4 if len(source) == 4 else ipv6
    frames, _ = transmit([(sender.wire, assemble(source, destination, 17, body))])
    return [heard for wire, packet in frames if (heard := _heard(wire, packet)) is not None]


def _heard(wire: str | None, packet: bytes) -> Heard | None:
    seen = decode(packet, wire)
    if seen.protocol != "udp" or not seen.checksum_ok or seen.sport is None or seen.dport is None:
        return None
    payload = seen.packet[layout(seen.packet).start + UDP_HEADER_BYTES :]
    return Heard(wire, (seen.source, seen.sport), (seen.destination, seen.dport), payload)
