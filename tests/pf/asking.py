"""What becomes of a packet: asked of the model of single ones, and of the one of all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from firewall import Firewall, Host, Packet

from tunnelgate.flows import axes
from tunnelgate.flows.crossings import Crossing, Fate, Piece
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.sets import sets
from tunnelgate_targets.pf.read import Dialect, read
from tunnelgate_targets.pf.read.ruleset import Direction, Flags, Ruleset
from tunnelgate_targets.pf.read.walk import Walk

IN, OUT = Direction.IN, Direction.OUT
MODERN, CLASSIC = Dialect.MODERN, Dialect.CLASSIC
at = axes.address_of
ALICE, BOB, WEB = "192.168.1.20", "192.168.1.30", "192.168.1.40"
HQ, OTHER, PUBLIC, SECOND = "192.0.2.10", "192.0.2.20", "203.0.113.1", "203.0.113.2"
HOST = Host(
    {
        "em0": (at(PUBLIC), at(SECOND), at("2001:db8::1")),
        "em1": (at("192.168.1.1"),),
        "ppp3": (),
        "enc0": (),
        "lo0": (at("127.0.0.1"),),
    },
    {"em1": Intervals.of([(at("192.168.1.0"), at("192.168.1.255"))])},
    lambda address: "em1" if at("192.168.1.0") <= address <= at("192.168.1.255") else "em0",
    {"em1": frozenset({"inside"})},
)

Way = tuple[Direction, str]
ACROSS: tuple[Way, ...] = ((IN, "em1"), (OUT, "em0"))
"""From the inside to the outside."""
BACK: tuple[Way, ...] = ((IN, "em0"), (OUT, "em1"))
"""From the outside to the inside."""


def pf(text: str, dialect: Dialect = MODERN) -> Firewall:
    return Firewall(read(text + "\n", dialect), HOST)


def packet(
    source: str, destination: str, protocol: int = axes.UDP, low: int = 53, port: int = 40000
) -> Packet:
    ports = protocol in {axes.TCP, axes.UDP}
    return Packet(at(source), at(destination), protocol, low if ports else 0, port if ports else 0)


class Seen(NamedTuple):
    """A packet that passes, as it goes on.

    Attributes:
        fate: whether a state is left of it on the last interface.
        keeps_port: its source port is what it was.
    """

    fate: Fate
    source: int
    destination: int
    low: int
    keeps_port: bool
    tag: str | None


def of_a_packet(text: str, dialect: Dialect, sent: Packet, ways: tuple[Way, ...]) -> Seen | None:
    """What becomes of a packet that crosses interfaces one after the other."""
    firewall = pf(text, dialect)
    here, tag, received, fate = sent, None, None, Fate.FORGOTTEN
    for direction, interface in ways:
        received = interface if direction is IN else received
        passed = firewall.test(here, direction, interface, tag, received)
        if passed is None:
            return None
        state = firewall.states.find(here, direction, interface)
        fate = Fate.BOUND if state and state.interface else Fate.KEPT if state else Fate.FORGOTTEN
        here, tag = passed.packet, passed.tag
    keeps_port = here.source_port == sent.source_port
    return Seen(fate, here.source, here.destination, here.low, keeps_port, tag)


def of_all_packets(text: str, dialect: Dialect, sent: Packet, ways: tuple[Way, ...]) -> Seen | None:
    """The same of a box that holds this packet alone."""
    ruleset = _without_flags(read(text + "\n", dialect))
    gate = Walk(ruleset, sent.family, "pf.conf", alone=True).on(HOST.addresses)
    received, fate = None, Fate.FORGOTTEN
    piece = Piece(
        sets(
            l4=Intervals.of([axes.l4(sent.protocol, sent.low, sent.low)]),
            source_port=Intervals.single(sent.source_port),
            destination=Intervals.single(sent.destination),
            source=Intervals.single(sent.source),
        )
    )
    for direction, interface in ways:
        received = interface if direction is IN else received
        crossing = Crossing(direction is IN, interface, received, opens=sent.syn)
        piece, fate = next(iter(gate.crossed(piece, crossing)))
        if not fate.passes:
            return None
    return Seen(
        fate,
        sent.source if piece.source is None else piece.source,
        sent.destination if piece.destination is None else piece.destination,
        sent.low if piece.port is None else piece.port,
        piece.source_ports is None,
        piece.tag,
    )


def _without_flags(ruleset: Ruleset) -> Ruleset:
    """Rules that ask for no flags of TCP: of one that is not quick the model would say nothing."""
    rules = tuple(
        replace(one, criteria=replace(one.criteria, flags=Flags())) for one in ruleset.rules
    )
    return replace(ruleset, rules=rules)


Model = Callable[[str, Dialect, Packet, tuple[Way, ...]], Seen | None]
MODELS: Mapping[str, Model] = {"a packet": of_a_packet, "all packets": of_all_packets}
