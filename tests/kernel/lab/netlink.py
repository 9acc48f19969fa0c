"""Empty the kernel's tables over netlink, which costs microseconds where a program costs
milliseconds.  Message numbers are those of linux/netfilter/nfnetlink*.h, nf_tables.h, ipset."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

NETLINK_NETFILTER = 12
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NLMSG_ERROR = 2
NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 0x10, 0x11
SUBSYSTEM_CONNTRACK, SUBSYSTEM_EXPECTATIONS, SUBSYSTEM_IPSET, SUBSYSTEM_NFTABLES = 1, 2, 6, 10
CONNTRACK_DELETE = SUBSYSTEM_CONNTRACK << 8 | 2
EXPECTATION_DELETE = SUBSYSTEM_EXPECTATIONS << 8 | 2
NFT_TABLE_DELETE = SUBSYSTEM_NFTABLES << 8 | 2
IPSET_DESTROY = SUBSYSTEM_IPSET << 8 | 3
# struct nlattr: length 5, IPSET_ATTR_PROTOCOL, value 6 (the oldest still understood), padding.
IPSET_PROTOCOL = struct.pack("=HHB3x", 5, 1, 6)
IPSET_ERR_BUSY = 4100  # linux/netfilter/ipset/ip_set.h
# A set may be held for a moment by rules that the kernel is still taking apart.
IPSET_PATIENCE_SECONDS = 2.0
# "Nothing there", or the subsystem is not even loaded.
HARMLESS = {0, errno.ENOENT, errno.EINVAL, errno.EOPNOTSUPP}


class Netfilter:
    """A netlink socket to the netfilter of the current network namespace."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(5.0)

    @staticmethod
    def _message(kind: int, flags: int, resource: int = 0, attributes: bytes = b"") -> bytes:
        """One message with the family unspecified, which means all of them."""
        body = struct.pack("=BB", socket.AF_UNSPEC, 0) + struct.pack("!H", resource) + attributes
        return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body

    def _ask(self, messages: bytes) -> int:
        """Send, wait for the one acknowledgement, return its errno (0 for success)."""
        self._socket.send(messages)
        while True:
            reply = self._socket.recv(65536)
            if struct.unpack("=H", reply[4:6])[0] == NLMSG_ERROR:
                code: int = struct.unpack("=i", reply[16:20])[0]
                return -code

    def _delete(self, what: str, messages: bytes) -> None:
        """Send a deletion; an error unless it succeeded or had nothing to do."""
        code = self._ask(messages)
        if code not in HARMLESS:
            raise OSError(code, f"cannot flush {what}: {os.strerror(code)}")

    def flush_nftables(self) -> None:
        """Delete all nftables tables of all families, those of iptables-nft too."""
        self._delete(
            "nftables",
            self._message(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, SUBSYSTEM_NFTABLES)
            + self._message(NFT_TABLE_DELETE, NLM_F_REQUEST | NLM_F_ACK)
            + self._message(NFNL_MSG_BATCH_END, NLM_F_REQUEST, SUBSYSTEM_NFTABLES),
        )

    def flush_conntrack(self) -> None:
        """Delete all expectations and all connection tracking entries."""
        for what, kind in (
            ("expectations", EXPECTATION_DELETE),
            ("conntrack", CONNTRACK_DELETE),
        ):
            self._delete(what, self._message(kind, NLM_F_REQUEST | NLM_F_ACK))

    def destroy_ipsets(self) -> None:
        """Destroy all sets, waiting for the kernel to let go of the rules that used them."""
        request = self._message(IPSET_DESTROY, NLM_F_REQUEST | NLM_F_ACK, 0, IPSET_PROTOCOL)
        deadline = time.monotonic() + IPSET_PATIENCE_SECONDS
        while (code := self._ask(request)) == IPSET_ERR_BUSY and time.monotonic() < deadline:
            time.sleep(0.0005)
        if code not in HARMLESS:
            raise OSError(code, f"cannot destroy ipsets: error {code}")
