"""A packet as pf sees it, and the key by which a state knows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunnelgate.flows import axes
from tunnelgate_targets.pf.read.ruleset import Direction

_ERRORS = {axes.ICMP: {3, 4, 5, 11, 12}, axes.ICMPV6: {1, 2, 3, 4}}
#: Answers, and the questions they belong to (`pf_icmp_mapping`).
_ANSWERS = {axes.ICMP: {0: 8, 14: 13, 16: 15, 18: 17}, axes.ICMPV6: {129: 128, 134: 133, 136: 135}}
#: Protocols of which a state knows a port or an identifier.
WITH_IDENTIFIER = frozenset({axes.TCP, axes.UDP, axes.ICMP, axes.ICMPV6})


@dataclass(frozen=True)
class Packet:
    """A packet, as pf sees it: an AH header around it (`ah`) is walked through and matches nothing.

    Attributes:
        low: destination port, or type and code of ICMP (`type << 8 | code`).
        source_port: or the identifier of an ICMP question; 0 where a protocol has neither.
        syn: of TCP: it opens a connection.
        options: it has IP options or a hop-by-hop header, as multicast listener messages do.
        quoted: what an ICMP error is about.
    """

    source: int
    destination: int
    protocol: int
    low: int = 0
    source_port: int = 0
    syn: bool = True
    options: bool = False
    ah: bool = False
    quoted: Packet | None = None

    @property
    def family(self) -> int:
        """4 or 6."""
        return axes.family(self.source)

    @property
    def kind(self) -> int:
        """The type of ICMP."""
        return self.low >> 8

    @property
    def is_error(self) -> bool:
        """Whether it is an ICMP error."""
        return self.kind in _ERRORS.get(self.protocol, ())

    @property
    def is_answer(self) -> bool:
        """Whether it is the answer to an ICMP question."""
        return self.kind in _ANSWERS.get(self.protocol, ())

    def reply(self) -> Packet:
        """What the other side answers."""
        turned = replace(self, source=self.destination, destination=self.source, syn=False)
        if self.protocol in _ANSWERS:
            answers = {question: answer for answer, question in _ANSWERS[self.protocol].items()}
            return replace(turned, low=answers[self.kind] << 8)
        return replace(turned, low=self.source_port, source_port=self.low)


Key = tuple[int, int, int, int, int]
"""Protocol, then address and port of both ends; the first is the end out on the wire."""


def opposite(direction: Direction) -> Direction:
    """The other way."""
    return Direction.OUT if direction is Direction.IN else Direction.IN


def key_of(packet: Packet, direction: Direction) -> Key:
    """The key of a packet that crosses an interface; protocols without ports have zeros."""
    low = packet.low if packet.protocol in {axes.TCP, axes.UDP} else 0
    port = packet.source_port if packet.protocol in WITH_IDENTIFIER else 0
    if packet.protocol in _ANSWERS:
        question = _ANSWERS[packet.protocol].get(packet.kind)
        low, port = (packet.kind, port) if question is None else (port, question)
    ends = (packet.source, port, packet.destination, low)
    return (packet.protocol, *(ends if direction is Direction.IN else ends[2:] + ends[:2]))


def with_key(key: Key, direction: Direction, packet: Packet) -> Packet:
    """The packet with the addresses and ports of a key."""
    ends = key[1:] if direction is Direction.IN else key[3:] + key[1:3]
    source, port, destination, low = ends
    packet = replace(packet, source=source, destination=destination)
    if packet.protocol in {axes.TCP, axes.UDP}:
        return replace(packet, source_port=port, low=low)
    if packet.protocol in _ANSWERS:
        return replace(packet, source_port=low if packet.is_answer else port)
    return packet
