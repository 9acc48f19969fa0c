"""The packet laboratory with tunnels: each looks like a wire, and is ESP on the wire below it.

The gateway's end is the kernel's IPsec, keyed by hand; the other is esp.FarEnd. What is sent on the
wire of a tunnel is sealed on its way to the gateway, and what the gateway protects arrives there.
Everything else that the gateway sends outside stays in clear, where `leaks` finds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import product
from pathlib import Path

from esp import AES_KEY, HMAC_KEY, ICV_BYTES, NAT_T, FarEnd, spi_of
from lab import Arrival, Lab, LabError, Wire
from lab.build import to_bytes
from lab.decode import decode

POLICIES = Path("/policies")
LOADERS = ("nftables", "iptables-nft", "iptables-legacy")
#: SPIs (RFC 4303 section 2.1): those of packets for the gateway, and of those from it.
TO_GATEWAY, FROM_GATEWAY = 0x1000, 0x2000
ANY = "0.0.0.0/0 ::/0"
CIPHERS = (
    f"auth-trunc hmac(sha256) 0x{HMAC_KEY.hex()} {ICV_BYTES * 8} enc cbc(aes) 0x{AES_KEY.hex()}"
)
SAY = """
import socket, sys
source, sport, destination, dport, text = sys.argv[1:]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind((source, int(sport)))
sender.sendto(text.encode(), (destination, int(dport)))
"""
#: What an IKE daemon does: it takes the port of NAT-T, and the kernel what comes there as ESP
#: (linux/udp.h: UDP_ENCAP, UDP_ENCAP_ESPINUDP).  It is there when the program has returned.
LISTEN = """
import os, signal, socket, sys
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.setsockopt(socket.IPPROTO_UDP, 100, 2)
listener.bind((sys.argv[1], int(sys.argv[2])))
if os.fork() == 0:
    os.closerange(0, 3)
    signal.pause()
"""
Frame = tuple[str | None, bytes]


@dataclass(frozen=True)
class Tunnel:
    """A pair of security associations with a peer, and the policies that lead packets into it.

    name: of the wire that it looks like.  below: the wire that carries ESP.
    near, far: the addresses of the gateway and of the peer.
    inside, outside: networks that are protected, on the gateway's side and on the other.
    upper: in transport mode, which packets between near and far; {0} and {1} are the words for the
        gateway's port and the peer's.
    is_in_udp: the peer is behind NAT.
    is_open: IPsec lets in whatever comes, in clear or not, so that the ruleset alone judges.
    """

    name: str
    far: str
    inside: str
    outside: str
    below: str = "eth0"
    near: str = "203.0.113.1"
    upper: str | None = None
    is_in_udp: bool = False
    is_open: bool = False

    @property
    def _mode(self) -> str:
        return "transport" if self.upper is not None else "tunnel"

    def associations(self, number: int) -> Iterable[str]:
        """Commands of ip(8) for both directions; number tells tunnels apart."""
        encap = f"encap espinudp {NAT_T} {NAT_T} 0.0.0.0" if self.is_in_udp else ""
        for source, destination, first in (
            (self.near, self.far, FROM_GATEWAY),
            (self.far, self.near, TO_GATEWAY),
        ):
            rest = association(source, destination, first + number, number, self._mode)
            yield f"{rest} {encap}"

    def policies(self, number: int) -> Iterable[str]:
        """Commands of ip(8) for what must be protected."""
        rest = f"proto esp reqid {number} mode {self._mode}"
        for inside, outside in _pairs(self.inside, self.outside):
            upper = (self.upper or "").format("sport", "dport")
            yield (
                f"xfrm policy add src {inside} dst {outside} {upper} dir out "
                f"tmpl src {self.near} dst {self.far} {rest}"
            )
        back = _pairs(ANY, ANY) if self.is_open else _pairs(self.inside, self.outside)
        level = "level use" if self.is_open else ""
        for inside, outside in back:
            upper = (self.upper or "").format("dport", "sport")
            for way in ("in", "fwd"):
                yield (
                    f"xfrm policy add src {outside} dst {inside} {upper} dir {way} "
                    f"tmpl src {self.far} dst {self.near} {rest} {level}"
                )

    def far_end(self, number: int) -> FarEnd:
        """The peer."""
        ends = to_bytes(self.far), to_bytes(self.near)
        return FarEnd(*ends, TO_GATEWAY + number, self.upper is not None, self.is_in_udp)


def association(source: str, destination: str, spi: int, number: int, mode: str = "tunnel") -> str:
    """The command of ip(8) for one direction; number ties it to its policies."""
    flag = "flag af-unspec" if mode == "tunnel" else ""
    return (
        f"xfrm state add src {source} dst {destination} proto esp spi {spi:#x} "
        f"reqid {number} mode {mode} {flag} {CIPHERS}"
    )


def ip(lab: Lab, commands: Iterable[str]) -> None:
    """Run commands of ip(8) in a laboratory."""
    done = lab.run(["ip", "-batch", "-"], "".join(f"{command}\n" for command in commands))
    if done.returncode:
        raise LabError(done.stderr)


def _named(flavour: str) -> Path:
    """A folder in which this flavour of iptables has the names that scripts use."""
    folder = Path("/tmp", flavour)
    folder.mkdir(exist_ok=True)
    for program in ("iptables", "ip6tables"):
        for suffix in ("", "-restore"):
            link = folder / f"{program}{suffix}"
            if not link.is_symlink():
                link.symlink_to(f"/usr/sbin/{program}-{flavour}{suffix}")
    return folder


def _pairs(inside: str, outside: str) -> Iterator[tuple[str, str]]:
    """The networks of both sides that are of one family."""
    for one, other in product(inside.split(), outside.split()):
        if (":" in one) == (":" in other):
            yield one, other


class TunnelLab(Lab):
    """A gateway whose IPsec is up or down."""

    def __init__(self, wires: Sequence[Wire], *tunnels: Tunnel) -> None:
        super().__init__(wires)
        self.tunnels = dict(enumerate(tunnels, start=1))
        self._ends = {number: one.far_end(number) for number, one in self.tunnels.items()}
        self._numbers = {one.name: number for number, one in self.tunnels.items()}
        self._clear: list[Arrival] = []
        for near in {one.near for one in tunnels if one.is_in_udp}:
            self.run(["python3", "-c", LISTEN, near, str(NAT_T)])

    def load(self, policy: str, loader: str, layout: str = "whole") -> None:
        """The ruleset of a policy that was compiled outside, and nothing else."""
        self.reset()
        self.reload(policy, loader, layout)

    def reload(self, policy: str, loader: str, layout: str = "whole") -> None:
        """The same over what is there."""
        target, _, flavour = loader.partition("-")
        folder = POLICIES / policy / layout / target
        files = {file.name: file.read_text() for file in folder.iterdir()}
        if target == "nftables":
            self.load_nft(files["ruleset.nft"])
        elif layout == "shared":
            path = f"PATH={_named(flavour)}:{os.environ['PATH']}"
            done = self.run(["env", path, "sh", str(folder / "shared.sh"), "load"])
            assert done.returncode == 0, done.stderr
        else:
            rules, sets = (files["rules.v4"], files["rules.v6"]), files.get("ipset.conf")
            self.load_iptables(*rules, sets, legacy=flavour == "legacy")

    # -- IPsec

    def up(self, *names: str) -> None:
        """Associations and policies of these tunnels, or of all."""
        for name in names or self._numbers:
            number = self._numbers[name]
            tunnel = self.tunnels[number]
            ip(self, [*tunnel.associations(number), *tunnel.policies(number)])

    def down(self) -> None:
        """Neither associations nor policies, as if the daemon had ended."""
        ip(self, ["xfrm policy flush", "xfrm state flush"])

    def expire(self) -> None:
        """Policies alone, as between two associations."""
        ip(self, ["xfrm state flush"])

    # -- packets

    def transmit(self, frames: Sequence[Frame]) -> tuple[list[Frame], str | None]:
        """The same with the wires of tunnels."""
        captured, refused = super().transmit([self._below(*frame) for frame in frames])
        return [self._above(*frame) for frame in captured], refused

    def own(self, source: str, destination: str, dport: int, sport: int = 0) -> list[Arrival]:
        """A datagram that a program on the gateway sends, wherever it leaves.

        sport: 0 for whichever is free.
        """
        text = f"{source} to {destination}"
        self._strays()
        self.run(["python3", "-c", SAY, source, str(sport), destination, str(dport), text])
        return [seen for seen in self._strays() if text.encode() in seen.packet]

    def leaks(self) -> list[Arrival]:
        """What the gateway has sent in clear, from or to a protected network, since the last call.

        Only where an association in tunnel mode protects it, whether that is up or down.
        """
        self._strays()
        clear, self._clear = self._clear, []
        hidden = [
            ip_network(network)
            for one in self.tunnels.values()
            if one.upper is None
            for network in one.outside.split()
        ]
        ends = {seen: map(ip_address, (seen.source, seen.destination)) for seen in clear}
        return [
            seen
            for seen, both in ends.items()
            if any(end in network for end, network in product(both, hidden))
        ]

    def _strays(self) -> list[Arrival]:
        """What was captured beside `transmit`, since this was asked last."""
        frames = [self._above(*frame) for frame in self._channel.call("strays")]
        return [decode(packet, wire) for wire, packet in frames]

    def _below(self, wire: str | None, packet: bytes) -> Frame:
        number = self._numbers.get(wire or "")
        if number is None:
            return wire, packet
        return self.tunnels[number].below, self._ends[number].seal(packet)

    def _above(self, wire: str | None, packet: bytes) -> Frame:
        if wire is None:
            return wire, packet
        number = (spi_of(packet) or 0) - FROM_GATEWAY
        if number in self.tunnels and self.tunnels[number].below == wire:
            return self.tunnels[number].name, self._ends[number].open(packet)
        if any(one.below == wire for one in self.tunnels.values()):
            self._clear.append(decode(packet, wire))
        return wire, packet
