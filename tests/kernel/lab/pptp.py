"""A PPTP client and server (RFC 2637): the control connection, and data in enhanced GRE."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .fields import Observation, Probe
from .tcp import Conversation

MAGIC = 0x1A2B3C4D
CONTROL_MESSAGE = 1
VERSION = 0x0100
# Control message types, RFC 2637 sections 2.1 to 2.8.
START_REQUEST, START_REPLY, CALL_REQUEST, CALL_REPLY = 1, 2, 7, 8
RESULT_CONNECTED = 1
NAMES = b"laboratory".ljust(64, b"\0") * 2  # host name and vendor string
CALL_ID_AT = 12  # offset in a call request and a call reply
PEER_CALL_ID_AT = 14  # offset in a call reply


def _message(kind: int, body: bytes) -> bytes:
    """A control message with its 12 byte header."""
    return struct.pack("!HHIHH", 12 + len(body), CONTROL_MESSAGE, MAGIC, kind, 0) + body


def _start(kind: int, result: int) -> bytes:
    """A start control connection request or reply (156 bytes)."""
    return _message(kind, struct.pack("!HBBIIHH", VERSION, result, 0, 1, 1, 0, 1) + NAMES)


def _call_request(call_id: int) -> bytes:
    """An outgoing call request (168 bytes)."""
    fields = struct.pack("!HHIIIIHHHH", call_id, 1, 300, 100_000_000, 3, 3, 64, 0, 0, 0)
    return _message(CALL_REQUEST, fields + bytes(128))


def _call_reply(call_id: int, peer_call_id: int) -> bytes:
    """An outgoing call reply (32 bytes)."""
    fields = (call_id, peer_call_id, RESULT_CONNECTED, 0, 0, 100_000, 64, 0, 0)
    return _message(CALL_REPLY, struct.pack("!HHBBHIHHI", *fields))


def _u16(message: bytes, offset: int) -> int:
    value: int = struct.unpack_from("!H", message, offset)[0]
    return value


class PptpSession:
    """One call; .connect() first, then .data().

    client_call_id, server_call_id: what each side chose for itself (packets *to* it carry it).
    server_saw_call_id: the client's call id as the server read it in the call request.
    client_saw_call_id: the server's call id as the client read it in the call reply.
    client_saw_own_call_id: the client's own call id as the reply quotes it back.
    """

    def __init__(
        self,
        send: Callable[[Probe], Observation],
        conversation: Conversation,
        client_call_id: int,
        server_call_id: int,
    ) -> None:
        self._send = send
        self.conversation = conversation
        self.client_call_id = client_call_id
        self.server_call_id = server_call_id
        self.server_saw_call_id: int | None = None
        self.client_saw_call_id: int | None = None
        self.client_saw_own_call_id: int | None = None

    def connect(self) -> bool:
        """Control connection and outgoing call; whether every message came through whole."""
        talk = self.conversation
        if not talk.connect():
            return False
        start = _start(START_REQUEST, 0)
        if talk.client_sends(start) != start:
            return False
        start = _start(START_REPLY, 1)
        if talk.server_sends(start) != start:
            return False
        request = _call_request(self.client_call_id)
        seen = talk.client_sends(request)
        if len(seen) != len(request):
            return False
        self.server_saw_call_id = _u16(seen, CALL_ID_AT)
        reply = _call_reply(self.server_call_id, self.server_saw_call_id)
        seen = talk.server_sends(reply)
        if len(seen) != len(reply):
            return False
        self.client_saw_call_id = _u16(seen, CALL_ID_AT)
        self.client_saw_own_call_id = _u16(seen, PEER_CALL_ID_AT)
        return True

    def data_up(self) -> Observation:
        """A data packet from the client, with the call id that it was told."""
        client = self.conversation.client.endpoint
        return self._send(
            Probe(
                client.wire,
                client.address,
                self.conversation.dial,
                "gre",
                call_id=self.client_saw_call_id or 0,
            )
        )

    def data_down(self) -> Observation:
        """A data packet from the server, to whom and with the call id that it was told."""
        server, peer = self.conversation.server.endpoint, self.conversation.server_saw
        if peer is None:
            raise LookupError("not connected")
        return self._send(
            Probe(
                server.wire,
                server.address,
                peer[0],
                "gre",
                call_id=self.server_saw_call_id or 0,
            )
        )

    def data(self) -> tuple[Observation, Observation]:
        """One data packet from the client, then one from the server."""
        return self.data_up(), self.data_down()

    def carries_data(self) -> bool:
        """Whether data passes both ways to the right host with the call id that host chose."""
        client, server = self.conversation.client.endpoint, self.conversation.server.endpoint
        up, down = self.data()
        return [
            [
                (seen.wire, seen.destination, seen.call_id)
                for seen in observed.arrivals + observed.local
            ]
            for observed in (up, down)
        ] == [
            [(server.wire, server.address, self.server_call_id)],
            [(client.wire, client.address, self.client_call_id)],
        ]
