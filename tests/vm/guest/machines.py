"""Machines around the gateway, each with the IPsec of its own kernel: bare ESP between them.

A machine is a laboratory of its own, with a host behind it for whom it speaks ESP. What it sends
outside is put on the wire of the gateway, and what leaves that on the wire of whoever it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from esp import spi_of
from lab import Arrival, Lab, Probe, Wire
from lab.build import build
from lab.decode import decode
from tunnels import Tunnel, TunnelLab, association, ip

#: SPIs that nobody else has drawn; all are greater than those of the gateway's own tunnels.
_SPIS = count(0x10000)
_IDENT = 1


class Machine(Lab):
    """A VPN client or a peer of it.

    address: where its ESP comes from and goes to.  inner: of the host behind it.
    spis: what it draws those of packets for it from (RFC 4303 section 2.1).
    """

    def __init__(self, address: str, inner: str, spis: Iterator[int] = _SPIS) -> None:
        outside = Wire("eth0", (f"{address}/32",), ("0.0.0.0/0",))
        super().__init__([outside, Wire("eth1", networks=(f"{inner}/32",))])
        self.address, self.inner = address, inner
        self.spis = spis

    def down(self) -> None:
        """Without IPsec, as after a restart."""
        ip(self, ["xfrm policy flush", "xfrm state flush"])


class Session:
    """A tunnel between a host behind the gateway and a peer that sees an address of the gateway."""

    _numbers = count(1)

    def __init__(self, host: Machine, peer: Machine, public: str) -> None:
        self.host, self.peer = host, peer
        self._number = next(self._numbers)
        self._far = {host: (peer, peer.address), peer: (host, public)}
        # by sender: the SPI of the keys that were drawn last, and of those that it uses
        self._drawn: dict[Machine, int] = {}
        self._used: dict[Machine, int] = {}
        self._begin(host, peer)

    def restart(self, one: Machine) -> None:
        """One of both has forgotten all that it knew, and has new keys with the other."""
        one.down()
        del self._used[one]
        self._begin(one)

    def _begin(self, *those: Machine) -> None:
        """Policies for those who have none yet, and keys for both."""
        self.draw()
        for one in those:
            other, far = self._far[one]
            networks = f"{one.inner}/32", f"{other.inner}/32"
            ip(one, Tunnel("", far, *networks, near=one.address).policies(self._number))
        for one in self._far:
            self.switch(one)

    def draw(self) -> None:
        """New keys, with which both receive, and neither sends yet."""
        for sender, (receiver, _) in self._far.items():
            spi = self._drawn[sender] = next(receiver.spis)
            _, source = self._far[receiver]
            ip(receiver, [association(source, receiver.address, spi, self._number)])

    def switch(self, sender: Machine) -> None:
        """One of both sends with the keys that were drawn last."""
        _, far = self._far[sender]
        if sender in self._used:
            ends = f"src {sender.address} dst {far} proto esp spi {self._used[sender]:#x}"
            ip(sender, [f"xfrm state delete {ends}"])
        spi = self._used[sender] = self._drawn[sender]
        ip(sender, [association(sender.address, far, spi, self._number)])


class Network:
    """Machines on the wires of a gateway.

    outside: the ESP of machines that has left it on `eth0`, oldest first.
    """

    def __init__(self, gateway: TunnelLab, wires: dict[str, Iterable[Machine]]) -> None:
        self.gateway = gateway
        self.outside: list[Arrival] = []
        self._wires = {one: wire for wire, machines in wires.items() for one in machines}
        self._numbers = count(1)

    def talk(self, one: Machine, other: Machine) -> bool:
        """Whether a packet gets there, and another back."""
        return self.reaches(one, other) and self.reaches(other, one)

    def reaches(self, sender: Machine, receiver: Machine, size: int = 0) -> bool:
        """Whether the host behind one machine gets what the host behind the other sends it."""
        marker = b"PACKET%05d" % next(self._numbers)
        probe = Probe("eth1", sender.inner, receiver.inner, size=size)
        got = []
        for protected in _protected(sender, build(probe, marker, _IDENT)[0]):
            for machine, passed in self._through(sender, protected):
                frames, _ = machine.transmit([("eth0", passed)])
                got += [machine for wire, frame in frames if wire == "eth1" and marker in frame]
        return got == [receiver]

    def _through(self, sender: Machine, packet: bytes) -> Iterator[tuple[Machine, bytes]]:
        """What the gateway makes of a packet on a machine's wire, and who is there to get it."""
        for wire, frame in self.gateway.transmit([(self._wires[sender], packet)])[0]:
            seen = decode(frame, wire)
            if wire == "eth0" and seen.spi is not None:
                self.outside.append(seen)
            for machine, at in self._wires.items():
                if (at, machine.address) == (wire, seen.destination):
                    yield machine, frame


def _protected(sender: Machine, packet: bytes) -> list[bytes]:
    """The ESP that a packet of the host behind a machine becomes, and nothing in clear."""
    frames, _ = sender.transmit([("eth1", packet)])
    outside = [frame for wire, frame in frames if wire == "eth0"]
    assert all(map(spi_of, outside)), f"{sender.address} sends in clear"
    return outside
