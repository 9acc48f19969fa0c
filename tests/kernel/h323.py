"""The two messages of H.323 that announce something, encoded by hand (X.691, aligned PER).

Only what a gateway has to read is there: where the control channel of a call is (H.225.0,
CallProceeding), and where the media are (H.245, OpenLogicalChannel).
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from lab import Endpoint

_TPKT_VERSION, _TPKT_BYTES = 3, 4  # RFC 1006 section 6
#: Protocol discriminator, call reference, and the type of CALL PROCEEDING (Q.931 section 4).
_CALL_PROCEEDING = bytes.fromhex("08 02 0001 02")
_USER_USER, _X208 = 0x7E, 5
#: The message, `h245Address` present; H.225.0 version 2; an endpoint of no kind; an IPv4 address.
_ADDRESS_OF_H245 = bytes.fromhex("01 40 06 0008914a0002 0000")
#: Request, open logical channel 1, no data type, parameters of H.225.0 (an extension) follow.
_OPEN_CHANNEL = bytes.fromhex("03 00 0000 06 00")
#: `mediaChannel` and `mediaControlChannel` present, session 1.
_CHANNELS = bytes.fromhex("14 00 01")
_UNICAST_IPV4 = b"\0"


def _address(endpoint: Endpoint, offset: int = 0) -> bytes:
    return IPv4Address(endpoint.address).packed + struct.pack("!H", endpoint.port + offset)


def _read(found: bytes) -> tuple[str, int]:
    return str(IPv4Address(found[:4])), int.from_bytes(found[4:6], "big")


def _tpkt(body: bytes) -> bytes:
    return struct.pack("!BBH", _TPKT_VERSION, 0, _TPKT_BYTES + len(body)) + body


def call_proceeding(h245: Endpoint) -> bytes:
    """The callee says where its control channel is."""
    information = bytes([_X208]) + _ADDRESS_OF_H245 + _address(h245)
    element = struct.pack("!BH", _USER_USER, len(information)) + information
    return _tpkt(_CALL_PROCEEDING + element)


def control_of(message: bytes) -> tuple[str, int]:
    """Where a CallProceeding says the control channel is."""
    return _read(message[-6:])


def open_channel(media: Endpoint) -> bytes:
    """Where one side wants RTP, and on the port above it RTCP."""
    parameters = _CHANNELS + b"".join(_UNICAST_IPV4 + _address(media, more) for more in (0, 1))
    return _tpkt(_OPEN_CHANNEL + bytes([len(parameters)]) + parameters)


def media_of(message: bytes) -> tuple[str, int]:
    """Where an OpenLogicalChannel wants RTP."""
    return _read(message[-13:-7])
