"""A TCP client and server that speak in order over raw frames, through the gateway.

No timers and no retransmission: a segment that does not arrive is lost, which is the point.
Each side believes only what it sees, so a gateway that rewrites addresses, ports, or (in a
connection tracking helper) the payload and its length has to translate sequence numbers properly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .build import ipv4, ipv6, tcp, to_bytes
from .decode import decode, layout
from .fields import Endpoint

Frames = list[tuple[str | None, bytes]]
Transmit = Callable[[Sequence[tuple[str | None, bytes]]], tuple[Frames, str | None]]

SEGMENT_BYTES = 1200
CLIENT_FIRST_SEQUENCE, SERVER_FIRST_SEQUENCE = 1_000_000, 5_000_000
SEQUENCE_SPACE = 1 << 32


@dataclass(frozen=True)
class Segment:
    """A TCP segment as it arrived."""

    source: str
    sport: int
    flags: str
    seq: int
    ack: int
    payload: bytes
    checksum_ok: bool


class Side:
    """One end: what it has sent, what it has received, whom it believes to talk to."""

    def __init__(self, endpoint: Endpoint, peer: tuple[str, int] | None, sequence: int) -> None:
        self.endpoint = endpoint
        self.peer = peer
        self.next_to_send = sequence
        self.next_expected: int | None = None
        self.damaged = 0  # segments thrown away because of a wrong checksum

    def segment(self, flags: str, payload: bytes = b"") -> tuple[str | None, bytes]:
        """The next segment as a frame for the laboratory."""
        if self.peer is None:
            raise LookupError("nobody has connected to this side yet")
        source, destination = to_bytes(self.endpoint.address), to_bytes(self.peer[0])
        ports = self.endpoint.port, self.peer[1]
        acknowledged = self.next_expected or 0
        body = tcp(
            source,
            destination,
            *ports,
            payload,
            flags=flags,
            seq=self.next_to_send,
            ack=acknowledged,
        )
        advance = len(payload) + ("S" in flags) + ("F" in flags)
        self.next_to_send = (self.next_to_send + advance) % SEQUENCE_SPACE
        assemble = ipv4 if len(source) == 4 else ipv6
        return self.endpoint.wire, assemble(source, destination, 6, body)

    def received(self, frames: Frames) -> list[Segment]:
        """The segments for this side among captured frames."""
        segments = []
        for wire, packet in frames:
            if wire != self.endpoint.wire:
                continue
            seen = decode(packet, wire)
            mine = (seen.destination, seen.dport) == (self.endpoint.address, self.endpoint.port)
            if seen.protocol != "tcp" or not mine or seen.sport is None:
                continue
            if self.peer is not None and self.peer != (seen.source, seen.sport):
                continue
            if not seen.checksum_ok:
                self.damaged += 1
                continue
            body = seen.packet[layout(seen.packet).start :]
            numbers = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
            payload = body[(body[12] >> 4) * 4 :]
            flags = seen.flags or ""
            segments.append(Segment(seen.source, seen.sport, flags, *numbers, payload, True))
        return segments

    def accept(self, segment: Segment) -> bytes:
        """Take a segment in order; its payload, or nothing if it is not the one expected."""
        if "R" in segment.flags or segment.seq != self.next_expected:
            return b""
        if "A" in segment.flags and segment.ack != self.next_to_send:
            return b""
        advance = len(segment.payload) + ("F" in segment.flags)
        self.next_expected = (self.next_expected + advance) % SEQUENCE_SPACE
        return segment.payload


class Conversation:
    """One TCP connection between two endpoints; .connect() first.

    server_saw: the address and port that the client has in the server's eyes, once connected.
    client_saw: the address and port that answered the client.
    """

    def __init__(self, transmit: Transmit, client: Endpoint, server: Endpoint, dial: str) -> None:
        self._transmit = transmit
        self.dial = dial
        self.client = Side(client, (dial, server.port), CLIENT_FIRST_SEQUENCE)
        self.server = Side(server, None, SERVER_FIRST_SEQUENCE)
        self.connected = False

    @property
    def server_saw(self) -> tuple[str, int] | None:
        """Whom the server talks to."""
        return self.server.peer

    @property
    def client_saw(self) -> tuple[str, int] | None:
        """Whom the client talks to, None before it was answered."""
        return self.client.peer if self.client.next_expected is not None else None

    def _carry(self, sender: Side, receiver: Side, flags: str, payload: bytes) -> list[Segment]:
        frames, _ = self._transmit([sender.segment(flags, payload)])
        return receiver.received(frames)

    def connect(self) -> bool:
        """The three-way handshake; whether both sides ended it."""
        for segment in self._carry(self.client, self.server, "S", b""):
            if segment.flags == "S":
                self.server.peer = (segment.source, segment.sport)
                self.server.next_expected = segment.seq + 1
        if self.server.peer is None:
            return False
        for segment in self._carry(self.server, self.client, "SA", b""):
            if segment.flags == "SA" and segment.ack == self.client.next_to_send:
                self.client.next_expected = segment.seq + 1
        if self.client.next_expected is None:
            return False
        acknowledgements = self._carry(self.client, self.server, "A", b"")
        self.connected = any(
            segment.flags == "A" and segment.ack == self.server.next_to_send
            for segment in acknowledgements
        )
        return self.connected

    def _sends(self, sender: Side, receiver: Side, data: bytes) -> bytes:
        """Send data in segments, each acknowledged; what the other side got of it."""
        if not self.connected:
            raise LookupError("not connected")
        got = b""
        for start in range(0, len(data), SEGMENT_BYTES):
            piece = data[start : start + SEGMENT_BYTES]
            for segment in self._carry(sender, receiver, "PA", piece):
                got += receiver.accept(segment)
            for segment in self._carry(receiver, sender, "A", b""):
                sender.accept(segment)
        return got

    def client_sends(self, data: bytes) -> bytes:
        """Send from the client; the bytes the server saw, none if they were lost."""
        return self._sends(self.client, self.server, data)

    def server_sends(self, data: bytes) -> bytes:
        """Send from the server; the bytes the client saw, none if they were lost."""
        return self._sends(self.server, self.client, data)

    def close(self) -> bool:
        """End the connection in both directions; whether both sides saw the end."""
        ended = []
        for sender, receiver in ((self.client, self.server), (self.server, self.client)):
            segments = self._carry(sender, receiver, "FA", b"")
            ended.append(any("F" in segment.flags for segment in segments))
            for segment in segments:
                receiver.accept(segment)
        self._carry(self.client, self.server, "A", b"")
        self.connected = False
        return all(ended)
