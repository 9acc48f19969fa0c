"""The sockets the worker sends and captures with."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Callable

Frame = tuple[str | None, bytes]  # the gateway's interface (None: the gateway itself), IP packet
Reader = Callable[[], Frame | None]  # takes one packet from a socket; None for one of no interest

# linux/if_ether.h, linux/if_packet.h, asm-generic/socket.h, linux/in6.h, linux/bpf_common.h
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD
PACKET_OUTGOING = 4
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
IPV6_RECVPKTINFO, IPV6_PKTINFO, IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 49, 50, 51, 52
BPF_RETURN = 6

HARDWARE_ADDRESS = bytes.fromhex("020000000001")  # of every interface, at both ends
RECEIVE_BUFFER_BYTES = 1 << 23
LARGEST_FRAME_BYTES = 1 << 16
# The protocols a raw socket can listen to: not 0 (none) and not 255 (send only), and of IPv6 not
# the extension headers, which the stack takes off before it delivers.
LOCAL_PROTOCOLS = {
    socket.AF_INET: list(range(1, 255)),
    socket.AF_INET6: [number for number in range(1, 255) if number not in (43, 44, 59, 60, 135)],
}


def packet_socket(interface: str) -> socket.socket:
    """A socket that sends and captures whole Ethernet frames on an interface."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.bind((interface, ETH_P_ALL))
    try:
        wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:  # in a user namespace; what is allowed there holds hundreds of frames
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    return wire


def ethernet(packet: bytes) -> bytes:
    """The frame that carries an IP packet over a wire."""
    kind = ETH_P_IP if packet[0] >> 4 == 4 else ETH_P_IPV6
    return HARDWARE_ADDRESS + HARDWARE_ADDRESS + struct.pack("!H", kind) + packet


def wire_reader(interface: str, wire: socket.socket) -> Reader:
    """Reads the IP packets that the gateway put on a wire."""

    def read() -> Frame | None:
        frame, address = wire.recvfrom(LARGEST_FRAME_BYTES)
        if address[2] == PACKET_OUTGOING or address[1] not in (ETH_P_IP, ETH_P_IPV6):
            return None
        return interface, frame[14:]

    return read


def local_listener(family: int, number: int) -> tuple[socket.socket, Reader]:
    """A socket for what the gateway's own stack receives of one IP protocol, and its reader.

    A raw IPv6 socket hides the header; the reader puts a plain one in its place.
    """
    raw = socket.socket(family, socket.SOCK_RAW, number)

    def read4() -> Frame:
        return None, raw.recv(LARGEST_FRAME_BYTES)

    def read6() -> Frame:
        body, ancillary, _, address = raw.recvmsg(LARGEST_FRAME_BYTES, 128)
        data = {kind: value for _, kind, value in ancillary}
        destination = data[IPV6_PKTINFO][:16]
        hops = struct.unpack("=i", data[IPV6_HOPLIMIT])[0]
        source = socket.inet_pton(socket.AF_INET6, address[0].partition("%")[0])
        header = struct.pack("!IHBB", 6 << 28, len(body), number, hops)
        return None, header + source + destination + body

    if family == socket.AF_INET:
        return raw, read4
    raw.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    raw.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
    return raw, read6


def mute_listener(port: int) -> socket.socket:
    """A listening socket that keeps the gateway's stack from answering segments with resets.

    It takes the segments, and its packet filter (one instruction: keep nothing) throws them
    away; raw sockets have seen them by then.
    """
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    instruction = ctypes.create_string_buffer(struct.pack("=HBBI", BPF_RETURN, 0, 0, 0), 8)
    program = struct.pack("HP", 1, ctypes.addressof(instruction))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    listener.listen()
    return listener
