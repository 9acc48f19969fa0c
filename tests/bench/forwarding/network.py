"""Gateways to send packets through: each between two wires, in namespaces of its own.

    client  wire0 ~~ eth0  gateway  eth1 ~~ wire1  peer

The client and the peer are two wires of one namespace that answers nothing; what arrives there is
counted and thrown away.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab import Wire
from lab.topology import create, enter_namespace, far_end

from .flood import Flood

_CLIENT = Wire("eth0", ("10.255.255.254/32",), ("10.0.0.0/8",))
_PEER = Wire("eth1", ("192.255.255.254/32",), ("192.0.0.0/8",))
#: Connections that are over at once: every packet begins one.
_TIMEOUTS = ("nf_conntrack_udp_timeout", "nf_conntrack_generic_timeout")


class NotLoaded(Exception):
    """A program in the gateway failed, mostly one that loads a ruleset; what it said."""


class Lost(Exception):
    """Packets that did not get through the gateway: what was measured is not forwarding."""


class Gateway:
    """A gateway without rules. `client` and `peer` send what comes from either side."""

    def __init__(self, namespace: int, client: Flood, peer: Flood) -> None:
        self._namespace = namespace
        self._client = client
        self._peer = peer

    def run(self, argv: Sequence[str | Path], stdin: str = "") -> None:
        """Run a program in the gateway. Raises NotLoaded with what it says when it fails."""
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: enter_namespace(self._namespace),
        )
        if done.returncode:
            raise NotLoaded(done.stderr.strip())

    def load(self, loader: str, folder: Path) -> None:
        """Load a compiled folder: by `nftables`, `iptables-nft` or `iptables-legacy`.

        Raises NotLoaded.
        """
        if loader == "nftables":
            self.run(["nft", "-f", folder / "ruleset.nft"])
            return
        flavour = loader.removeprefix("iptables-")
        sets = folder / "ipset.conf"
        if sets.exists():
            self.run(["ipset", "restore"], sets.read_text())
        for program, file in (("iptables", "rules.v4"), ("ip6tables", "rules.v6")):
            self.run([f"{program}-{flavour}-restore"], (folder / file).read_text())

    def establish(self, frames: Sequence[bytes], answers: Sequence[bytes]) -> None:
        """Begin a connection with each frame, and let each be answered."""
        self.run(["conntrack", "-F"])
        self.exchange(frames, answers)

    def exchange(self, frames: Sequence[bytes], answers: Sequence[bytes]) -> None:
        """Send each frame of the client once, then each of the peer."""
        self._client.send(frames, len(frames))
        self._peer.send(answers, len(answers))

    def every_packet_begins(self) -> None:
        """From now on connections are over as soon as they have begun."""
        self.run(["conntrack", "-F"])
        self.run(["sysctl", "-qw", *(f"net.netfilter.{name}=0" for name in _TIMEOUTS)])

    def cost(self, frames: Sequence[bytes], packets: int, *, answering: bool = False) -> float:
        """The CPU time of a packet from client to peer, or back, in nanoseconds. Raises Lost."""
        sender, wire = (self._peer, far_end(0)) if answering else (self._client, far_end(1))
        before = self._arrived(wire)
        spent = sender.send(frames, packets)
        arrived = self._arrived(wire) - before
        if arrived < packets:  # the gateway itself may announce something, too
            raise Lost(f"{arrived} of {packets} packets got through")
        return spent / packets

    def _arrived(self, wire: str) -> int:
        """How many packets a wire has taken from the gateway so far."""
        lines = Path(f"/proc/{self._peer.pid}/net/dev").read_text().splitlines()
        (counters,) = (line for line in lines if line.strip().startswith(f"{wire}:"))
        return int(counters.partition(":")[2].split()[1])


@contextmanager
def gateways(program: Path, count: int) -> Iterator[list[Gateway]]:
    """So many gateways; the caller's namespace is what it was, afterwards."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    with ExitStack() as stack:
        stack.callback(os.close, home)
        stack.callback(enter_namespace, home)
        yield [_gateway(program, stack) for _ in range(count)]


def _gateway(program: Path, stack: ExitStack) -> Gateway:
    world = create((_CLIENT, _PEER), user_namespace=False)
    stack.callback(os.close, world)
    namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    stack.callback(os.close, namespace)
    client, peer = (stack.enter_context(Flood(program, world, far_end(end))) for end in (0, 1))
    return Gateway(namespace, client, peer)
