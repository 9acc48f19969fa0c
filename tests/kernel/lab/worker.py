"""The process that owns the namespaces: it sends frames, captures frames and runs programs.

It is started by lab.Lab and takes requests from its standard input until that is closed.
"""

from __future__ import annotations

import errno
import os
import pickle
import resource
import select
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from .fields import LabError, Wire
from .netlink import Netfilter
from .sockets import (
    LOCAL_PROTOCOLS,
    Frame,
    Reader,
    ethernet,
    local_listener,
    mute_listener,
    packet_socket,
    wire_reader,
)
from .topology import create, enter_namespace, far_end, read_sysctl, write_sysctl

# Each loopback datagram waits its turn behind what is already queued on this CPU, so each one
# received proves one more hop (wire to gateway, gateway to wire, answer ...) has been made.
FENCE_ROUNDS = 8
PROGRAM_SECONDS = 60
LEGACY_CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


def run(argv: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the gateway."""
    return subprocess.run(
        argv,
        check=False,
        input=stdin,
        text=True,
        capture_output=True,
        close_fds=False,  # all descriptors close on exec anyway; this way the fork is cheap
        timeout=PROGRAM_SECONDS,
    )


def flush_legacy() -> None:
    """Empty the tables of iptables-legacy that exist, and set their policies to ACCEPT."""
    for program, names in (
        ("iptables-legacy-restore", "/proc/thread-self/net/ip_tables_names"),
        ("ip6tables-legacy-restore", "/proc/thread-self/net/ip6_tables_names"),
    ):
        file = Path(names)
        tables = file.read_text().split() if file.exists() else []
        text = ""
        for table in tables:
            policies = "".join(f":{chain} ACCEPT [0:0]\n" for chain in LEGACY_CHAINS[table])
            text += f"*{table}\n{policies}COMMIT\n"
        if text and (done := run([program], text)).returncode:
            raise LabError(f"{program}: {done.stderr}")


class Worker:
    """The gateway's surroundings: packet sockets in the world, raw sockets in the gateway."""

    def __init__(self, wires: tuple[Wire, ...], user_namespace: bool) -> None:
        cpus = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpus[os.getpid() % len(cpus)]})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        world = create(wires, user_namespace)
        gateway = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        enter_namespace(world)
        self._wires = {
            wire.interface: packet_socket(far_end(index)) for index, wire in enumerate(wires)
        }
        self._fence_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._fence_socket.bind(("127.0.0.1", 0))
        self._fence_socket.settimeout(5.0)
        enter_namespace(gateway)
        os.close(gateway)
        os.close(world)
        self._send4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._send6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._poll = select.epoll()
        self._readers: dict[int, Reader] = {}
        for interface, wire_socket in self._wires.items():
            self._watch(wire_socket, wire_reader(interface, wire_socket))
        for family, numbers in LOCAL_PROTOCOLS.items():
            for number in numbers:
                self._watch(*local_listener(family, number))
        self._netfilter = Netfilter()
        self._sysctls: dict[str, str] = {}
        self._muted: dict[int, socket.socket] = {}
        self._strays: list[Frame] = []

    def _watch(self, watched: socket.socket, reader: Reader) -> None:
        watched.setblocking(False)
        self._poll.register(watched.fileno(), select.EPOLLIN)
        self._readers[watched.fileno()] = reader

    def _fence(self) -> None:
        """Return only when everything sent so far has finished travelling."""
        address = self._fence_socket.getsockname()
        for _ in range(FENCE_ROUNDS):
            self._fence_socket.sendto(b"f", address)
            self._fence_socket.recv(16)

    def _drain(self) -> list[Frame]:
        """All that has been captured since the last call."""
        frames: list[Frame] = []
        while ready := self._poll.poll(0):
            for descriptor, _ in ready:
                try:
                    while True:
                        if frame := self._readers[descriptor]():
                            frames.append(frame)
                except BlockingIOError:
                    pass
        return frames

    def _send_one(self, wire: str | None, packet: bytes) -> None:
        """Put a packet on a wire, or send it from the gateway."""
        v4 = packet[0] >> 4 == 4
        if wire is not None:
            self._wires[wire].send(ethernet(packet))
        elif v4:
            self._send4.sendto(packet, (socket.inet_ntop(socket.AF_INET, packet[16:20]), 0))
        else:
            self._send6.sendto(packet, (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0))

    def transmit(self, frames: list[Frame]) -> tuple[list[Frame], str | None]:
        """Send, wait until all has travelled, return what was captured and the errno if any."""
        self._strays += self._drain()
        refused = None
        for wire, packet in frames:
            try:
                self._send_one(wire, packet)
            except OSError as error:
                refused = errno.errorcode.get(error.errno or 0, str(error))
        self._fence()
        return self._drain(), refused

    def strays(self) -> list[Frame]:
        """What has been captured since the last call and between the calls of `transmit`."""
        self._fence()
        strays, self._strays = self._strays + self._drain(), []
        return strays

    def run(self, argv: list[str], stdin: str) -> tuple[int, str, str]:
        """Run a program in the gateway: exit status, standard output, standard error."""
        done = run(argv, stdin)
        return done.returncode, done.stdout, done.stderr

    def sysctl(self, key: str, value: str) -> None:
        """Change a setting of the gateway until the next reset."""
        path = key.replace(".", "/")
        self._sysctls.setdefault(path, read_sysctl(path))
        write_sysctl(path, value)

    def mute_tcp(self, port: int) -> None:
        """Keep the gateway's stack from resetting connections to a port, until the next reset."""
        if port not in self._muted:
            self._muted[port] = mute_listener(port)

    def flush_conntrack(self) -> None:
        """Forget all connections and expectations."""
        self._netfilter.flush_conntrack()

    def reset(self) -> None:
        """Bring the gateway back to no rules, no sets, no connections, settings as created."""
        flush_legacy()
        self._netfilter.flush_nftables()
        self._netfilter.destroy_ipsets()
        self._netfilter.flush_conntrack()
        for path, value in self._sysctls.items():
            write_sysctl(path, value)
        self._sysctls.clear()
        for listener in self._muted.values():
            listener.close()
        self._muted.clear()
        write_sysctl("net/ipv4/route/flush", "1", required=False)
        write_sysctl("net/ipv6/route/flush", "1", required=False)


def main() -> None:
    """Create the namespaces, say so, then answer requests until the other side closes."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    os.environ["XTABLES_LOCKFILE"] = "/dev/null"
    worker: Worker | None = None
    while True:
        try:
            operation, arguments = pickle.load(requests)
        except EOFError:
            return
        reply: tuple[str, Any]
        try:
            if worker is None:
                worker = Worker(*arguments)
                reply = ("ok", None)
            else:
                reply = ("ok", getattr(worker, operation)(*arguments))
        except LabError as error:
            reply = ("failed", error)
        except Exception:
            reply = ("failed", LabError(traceback.format_exc()))
        pickle.dump(reply, replies)
        replies.flush()
