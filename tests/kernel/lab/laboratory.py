"""The laboratory as tests use it: load rules, send packets, see what became of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from .build import build
from .decode import decode, reassemble
from .fields import ICMPV6_HOUSEKEEPING, Arrival, Endpoint, LoadError, Observation, Probe, Wire
from .pptp import PptpSession
from .rpc import Channel
from .tcp import Conversation
from .udp import Heard, say

PORT_UNREACHABLE = {("icmp", 3, 3), ("icmpv6", 1, 4)}
ECHO_REPLIES = {("icmp", 0), ("icmpv6", 129)}


@dataclass(frozen=True)
class Completed:
    """A program that has run in the gateway."""

    returncode: int
    stdout: str
    stderr: str


class Lab:
    """A gateway under test between wires; see Wire, Probe and Observation.

    user_namespace: use one even where the caller is privileged enough to do without.
    Raises LabUnavailable where network namespaces cannot be created.
    """

    def __init__(self, wires: Sequence[Wire], user_namespace: bool = False) -> None:
        self.wires = tuple(wires)
        self._probes = 0
        self._channel = Channel()
        try:
            self._channel.call("start", self.wires, user_namespace)
        except BaseException:
            self._channel.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the laboratory; everything in it vanishes."""
        self._channel.close()

    def run(self, argv: Sequence[str], stdin: str = "") -> Completed:
        """Run a program in the gateway's network namespace."""
        return Completed(*self._channel.call("run", list(argv), stdin))

    def _load(self, argv: Sequence[str], text: str) -> None:
        done = self.run(argv, text)
        if done.returncode:
            raise LoadError(done.stderr or done.stdout)

    def load_nft(self, text: str) -> None:
        """Load nftables commands; rules already there stay."""
        self._load(["nft", "-f", "-"], text)

    def load_iptables(
        self, v4: str = "", v6: str = "", ipset: str | None = None, legacy: bool = False
    ) -> None:
        """Load ipset commands, then iptables-save texts; an empty text leaves its family alone."""
        if ipset:
            self._load(["ipset", "restore"], ipset)
        flavour = "legacy" if legacy else "nft"
        for program, text in (("iptables", v4), ("ip6tables", v6)):
            if text:
                self._load([f"{program}-{flavour}-restore"], text)

    def reset(self) -> None:
        """Back to no rules, no sets, no connections, and the settings the gateway began with.

        The kernel stops tracking connections (and reassembling fragments) a few milliseconds
        after the last rule that needed it is gone, and never once iptables-legacy had a nat
        table.  What must be seen without tracking needs a laboratory of its own.
        """
        self._channel.call("reset")

    def flush_conntrack(self) -> None:
        """Forget all connections and expectations; rules stay."""
        self._channel.call("flush_conntrack")

    def conntrack(self) -> list[str]:
        """The tracked connections of both families, as `conntrack -L` prints them."""
        lines = []
        for family in ("ipv4", "ipv6"):
            lines += self.run(["conntrack", "-L", "-f", family]).stdout.splitlines()
        return lines

    def sysctl(self, key: str, value: str | int) -> None:
        """Change a kernel setting in the gateway until the next reset."""
        self._channel.call("sysctl", key, str(value))

    def transmit(
        self, frames: Sequence[tuple[str | None, bytes]]
    ) -> tuple[list[tuple[str | None, bytes]], str | None]:
        """Send IP packets as they are; all that was captured, and the errno of a refused send."""
        captured, refused = self._channel.call("transmit", list(frames))
        return captured, refused

    def send(self, probe: Probe) -> Observation:
        """Send a packet and see everything the gateway did about it."""
        self._probes += 1
        marker = b"LAB%05d" % (self._probes % 100000)
        packets = build(probe, marker, self._probes)
        captured, refused = self.transmit([(probe.wire, packet) for packet in packets])
        local: list[Arrival] = []
        sent: list[tuple[Arrival, bool]] = []
        for datagram in reassemble(captured):
            seen = decode(
                datagram.packet,
                datagram.wire,
                fragments=datagram.fragments,
                complete=datagram.complete,
            )
            marked = marker in datagram.bytes_seen
            if not datagram.complete and datagram.ident == self._probes % (
                65536 if ":" not in seen.source else 1 << 32
            ):
                marked = True
            if seen.wire is not None:
                sent.append((seen, marked))
            elif marked and (probe.is_icmp_error or not seen.is_icmp_error):
                local.append(seen)
        return _sorted_out(probe, sent, tuple(local), refused)

    def reply(self, to: Observation | Arrival, **overrides: Any) -> Observation:
        """Answer from where a packet arrived, to the source seen there, ports swapped.

        overrides: fields of Probe.  An observation must have exactly one arrival, or none and
        have been received by the gateway, which then answers itself.
        """
        return self.send(dataclasses.replace(reply_to(to), **overrides))

    def tcp(self, client: Endpoint, server: Endpoint, dial: str | None = None) -> Conversation:
        """A TCP connection; dial: the address the client connects to, if not the server's."""
        for endpoint in (client, server):
            if endpoint.wire is None:
                self._channel.call("mute_tcp", endpoint.port)
        return Conversation(self.transmit, client, server, dial or server.address)

    def say(self, sender: Endpoint, to: tuple[str, int], payload: bytes) -> list[Heard]:
        """Send a UDP datagram to an address and port; every copy that arrived anywhere."""
        return say(self.transmit, sender, to, payload)

    def pptp(
        self,
        client: Endpoint,
        server: Endpoint,
        dial: str | None = None,
        client_call_id: int = 1,
        server_call_id: int = 100,
    ) -> PptpSession:
        """A PPTP session (RFC 2637); server.port is normally 1723."""
        conversation = self.tcp(client, server, dial)
        return PptpSession(self.send, conversation, client_call_id, server_call_id)


def _sorted_out(
    probe: Probe,
    sent: list[tuple[Arrival, bool]],
    local: tuple[Arrival, ...],
    refused: str | None,
) -> Observation:
    """Tell the probe's own packets from errors about it and from the gateway's answers."""
    arrivals: list[Arrival] = []
    errors: list[Arrival] = []
    answers: list[Arrival] = []
    for seen, marked in sent:
        kind = (seen.protocol, seen.icmp_type)
        if kind[0] == "icmpv6" and kind[1] in ICMPV6_HOUSEKEEPING:
            continue
        if marked and seen.is_icmp_error and not probe.is_icmp_error:
            of_stack = local and (*kind, seen.icmp_code) in PORT_UNREACHABLE
            (answers if of_stack else errors).append(seen)
        elif not marked or (local and kind in ECHO_REPLIES):
            answers.append(seen)
        else:
            arrivals.append(seen)
    return Observation(probe, tuple(arrivals), local, tuple(errors), tuple(answers), refused)


def reply_to(to: Observation | Arrival) -> Probe:
    """The packet that answers another."""
    if isinstance(to, Observation):
        to = to.arrival if to.arrivals or not to.local else to.local[0]
    echo = {("icmp", 8): 0, ("icmpv6", 128): 129}.get((str(to.protocol), to.icmp_type or 0))
    fields: dict[str, Any] = {
        "spi": to.spi,
        "inner": to.inner,
        "icmp_id": to.icmp_id,
        "icmp_type": echo,
        "icmp_code": None if echo is None else to.icmp_code,  # as Linux answers
        "sport": to.dport,
        "dport": to.sport,
        "flags": "SA" if to.flags == "S" else "A",
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return Probe(
        to.wire,
        to.destination,
        to.source,
        to.protocol,
        key=to.key,
        call_id=to.call_id,
        extensions=(),
        **known,
    )
