"""A policy's pf ruleset, judged: emitted, read, run by the model, and compared with `decide`.

Where the model and `decide` differ, one of four is wrong: the emitter, the reader, the model, or
`decide`. AH is excepted, since pf cannot see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from firewall import Firewall, Host, Packet

from tunnelgate import meaning
from tunnelgate.flows import Intervals, axes
from tunnelgate.meaning import Decider, Outcome, Ports
from tunnelgate.plan import build
from tunnelgate.policy import Policy, Zone, resolve
from tunnelgate.policy.model import BEGINS_NOTHING, MULTICAST
from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast, parse_with_includes
from tunnelgate.target import find
from tunnelgate_targets.pf.read import Dialect, Ruleset, read
from tunnelgate_targets.pf.read.ruleset import Direction

TARGETS = {"pf": Dialect.MODERN, "pf-classic": Dialect.CLASSIC}
#: The interface on which pf sees what IPsec protects, before it is encrypted and decrypted.
ENC = "enc0"
_IKE = 500
_IP_IN_IP = {4, 41}


def policy_of(source: str | SourceFile) -> Policy:
    """A policy without findings of reading."""
    file = SourceFile(source) if isinstance(source, str) else source
    parsed = parse_with_includes(file)
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, (*parsed.diagnostics, *findings)
    return policy


def without_refused(source: str | SourceFile, target: str) -> SourceFile:
    """A policy without the statements that pf refuses, and with interfaces that it knows."""
    number = count(10)
    file = SourceFile(source) if isinstance(source, str) else source
    while True:
        text, parsed = file.text, parse_with_includes(file)
        refused = find(target).refuse(build(resolve(parsed.policy)[0]))
        if not refused:
            return file
        word = refused[0].primary.span
        (found,) = (
            one
            for one in parsed.policy.statements
            if one.span.file is file and one.span.start <= word.start <= one.span.end
        )
        start, end = found.span.start, found.span.end
        named = re.sub(r'"?[A-Za-z0-9_-]+\*"?', lambda _: f"em{next(number)}", text[start:end])
        if named == text[start:end] or not isinstance(found, ast.Zone):
            named = ""
        file = SourceFile(text[:start] + named + text[end:], file.path, file.name, file.library)


@dataclass(frozen=True)
class Seen:
    """Where a packet ended: `interface` is None where it was for the machine itself."""

    packet: Packet
    interface: str | None


class Gateway:
    """One policy on one machine, with interfaces, addresses and routes made up from its zones."""

    def __init__(self, policy: Policy, target: str, text: str | None = None) -> None:
        """`text` stands for what the target emits."""
        self.policy, self.target = policy, target
        self.decider = Decider(policy)
        self.text = text or find(target).emit(build(policy)).files["pf.conf"]
        self.ruleset: Ruleset = read(self.text, TARGETS[target])
        self.zones = [zone for zone in policy.zones[1:] if zone.over is None]
        self.actual = {value: _actual(zone, value) for zone in self.zones for value in _own(zone)}
        self.wires = {zone: [_wire(name) for name in zone.interfaces] for zone in self.zones}
        self.host = Host(self._addresses(), self._networks(), self._route)
        self.protected = Intervals.union_of(zone.holds for zone in policy.zones if zone.over)
        self.start()

    def start(self) -> None:
        """Forget all connections, and protect by IPsec what goes to a tunnel's network."""
        self.firewall = Firewall(self.ruleset, self.host)
        self.tunnels = True

    def _addresses(self) -> Mapping[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {"lo0": (axes.address_of("127.0.0.1"),), ENC: ()}
        for zone, wires in self.wires.items():
            for number, wire in enumerate(wires):
                found[wire] = tuple(self.actual[one] for one in _own(zone) if number == 0)
        return found

    def places(self) -> dict[str, tuple[int, ...]]:
        """The addresses of each interface on the axis: an unknown one has a place of its own."""
        return {
            wire: tuple(_own(zone)) if number == 0 else ()
            for zone, wires in self.wires.items()
            for number, wire in enumerate(wires)
        }

    def _networks(self) -> Mapping[str, Intervals]:
        return {wires[0]: zone.networks for zone, wires in self.wires.items()}

    def _route(self, address: int) -> str | None:
        """The interface of the zone with the most specific network, or of one with the rest."""
        zones = self.policy.zones_of(address)
        return self.wires[zones[0].carrier][0] if zones else None

    def _way(self, address: int) -> str | None:
        """The interface by which pf sees what leaves for an address."""
        return ENC if self.tunnels and address in self.protected else self._route(address)

    # -- packets

    def send(self, packet: Packet, wire: str | None) -> Seen | None:
        """A packet through the machine; None where it is dropped. No wire: it is sent here."""
        tag = None
        if wire is not None:
            passed = self.firewall.test(packet, Direction.IN, wire, received=wire)
            if passed is None:
                return None
            packet, tag = passed.packet, passed.tag
            if packet.destination in self.host.own() or packet.destination in MULTICAST:
                return Seen(packet, None)
        way = self._way(packet.destination)
        if way is None:
            return None
        passed = self.firewall.test(packet, Direction.OUT, way, tag, received=wire)
        return None if passed is None else Seen(passed.packet, way)

    def wire_of(self, packet: meaning.Packet) -> str | None:
        """Where a packet of `decide` comes in."""
        if packet.ingress.is_gateway:
            return None
        return ENC if packet.decrypted else self.wires[packet.ingress.carrier][0]

    def is_silent(self, packet: meaning.Packet) -> bool:
        """What the stack itself never sends or forwards: from itself by others, and to itself.

        And what happens to go to an address that stands for one that the policy does not know.
        """
        if packet.destination in set(self.actual.values()) - set(self.actual):
            return True
        own = {self.actual.get(one, one) for one in (packet.source, packet.destination)}
        own &= self.host.own()
        source = self.actual.get(packet.source, packet.source)
        if packet.ingress.is_gateway:
            return own != {source}
        return source in own

    def packet(self, packet: meaning.Packet) -> Packet:
        """A packet of `decide` as one on a wire."""
        protocol, low = packet.l4 >> 16, packet.l4 & 0xFFFF
        source, destination = (
            self.actual.get(one, one) for one in (packet.source, packet.destination)
        )
        ports = protocol in axes.WITH_PORTS | axes.WITH_TYPES
        return Packet(
            source,
            destination,
            protocol,
            low if ports else 0,
            packet.source_port if protocol in axes.WITH_PORTS | axes.WITH_TYPES else 0,
            options=protocol == axes.ICMPV6 and low >> 8 in {130, 131, 132, 143},
        )

    def mismatches(self, packet: meaning.Packet) -> Iterator[str]:
        """What is wrong with one packet, its answer, and an answer that nobody asked for.

        `_is_not_judged` says what pf cannot tell apart.
        """
        outcome = self.decider.decide(packet)
        sent, wire = self.packet(packet), self.wire_of(packet)
        if self._is_not_judged(outcome, sent, wire):
            return
        self.start()
        seen = self.send(sent, wire)
        if not self._agrees(outcome, sent, seen):
            yield f"{_told(outcome)}; pf: {_shown(seen)}"
        elif seen is not None and _has_answer(sent):
            yield from self._goes_on(sent, wire, seen)
            yield from self._answered(sent, wire, seen)
        if outcome.egress is not None and outcome.egress.over is not None:
            yield from self._in_clear(outcome, sent, wire)

    def _in_clear(self, outcome: Outcome, sent: Packet, wire: str | None) -> Iterator[str]:
        """Without its tunnel nothing leaves, whether the connection was there before or not."""
        for there in (True, False):
            self.start()
            if there:
                self.send(sent, wire)
            self.tunnels = False
            seen = self.send(sent, wire)
            if seen is not None:
                yield f"{_told(outcome)}; pf sends it in clear: {_shown(seen)}"

    def _goes_on(self, sent: Packet, wire: str | None, seen: Seen) -> Iterator[str]:
        """A further packet passes as the first did, and an error about it comes to its sender."""
        further = self.send(replace(sent, syn=False), wire)
        if further != Seen(replace(seen.packet, syn=False), seen.interface):
            yield f"after {_shown(seen)} the next packet is {_shown(further)}"
        if seen.interface is None:
            return
        protocol, low = (axes.ICMP, 3 << 8 | 4) if sent.family == 4 else (axes.ICMPV6, 2 << 8)
        whole = seen.packet
        error = Packet(whole.destination, whole.source, protocol, low, quoted=whole)
        told = self.send(error, seen.interface)
        expected = (sent.source, sent, None if wire is None else self._way(sent.source))
        if (
            told is None
            or (told.packet.destination, told.packet.quoted, told.interface) != expected
        ):
            yield f"an error about {_shown(seen)} is {_shown(told)}"

    def _answered(self, sent: Packet, wire: str | None, seen: Seen) -> Iterator[str]:
        """The answer passes, and is translated back; alone it is not taken for one."""
        answer = seen.packet.reply()
        back = self.send(answer, seen.interface)
        expected = Seen(sent.reply(), None if wire is None else self._way(sent.source))
        if back != expected:
            yield f"the answer to {_shown(seen)} should be {_shown(expected)}, is {_shown(back)}"
        self.start()
        alone = self.send(answer, seen.interface)
        if alone is not None and answer.protocol == axes.TCP and seen.interface is not None:
            yield f"an answer to nothing passes: {_shown(alone)}"

    def _is_not_judged(self, outcome: Outcome, sent: Packet, wire: str | None) -> bool:
        """Packets whose fate on pf is known to be another.

        AH, which pf cannot see. ICMP that begins nothing (Linux calls it invalid). The machine's
        own IP in IP through a tunnel, which looks like what tunnel mode encloses. What one
        interface's tunnels hold and another's have decrypted: enc0 does not tell. A host that
        reaches itself by a hairpin: its first state takes it back. Multicast listeners' messages to
        others, which are never forwarded (RFC 2710): pf drops them for their option.
        """
        packet = outcome.packet
        elsewhere = any(
            zone.over is not None
            and zone.over is not packet.ingress.carrier
            and packet.source in zone.holds
            for zone in self.policy.zones
        )
        return (
            sent.protocol == axes.AH
            or sent.is_answer
            or packet.l4 in BEGINS_NOTHING
            or (
                sent.protocol in _IP_IN_IP and wire is None and packet.destination in self.protected
            )
            or (packet.decrypted and elsewhere)
            or (outcome.delivered and outcome.destination == packet.source)
            or (sent.options and wire is not None and outcome.egress is not self.policy.gateway)
        )

    def _agrees(self, outcome: Outcome, sent: Packet, seen: Seen | None) -> bool:
        if not outcome.delivered or outcome.egress is None:
            return seen is None
        if seen is None:
            return False
        egress = outcome.egress
        if egress.is_gateway:
            return seen.interface is None
        packet = seen.packet
        expected = (self.actual.get(outcome.source, outcome.source), outcome.destination)
        wires = [ENC] if egress.over else self.wires[egress]
        low = outcome.l4 & 0xFFFF if sent.low else 0
        return (
            (packet.source, packet.destination, packet.low) == (*expected, low)
            and seen.interface in wires
            and _port_agrees(outcome, sent, packet)
        )


def _port_agrees(outcome: Outcome, sent: Packet, packet: Packet) -> bool:
    """Untranslated ports stay, IKE keeps its own, moved ones go above 4500, others where pf likes.

    pf keeps a port or replaces it whether it is free or not, so "kept if free" is either.
    """
    if outcome.ports is None or packet.protocol not in {axes.TCP, axes.UDP}:
        return outcome.ports is not None or packet.source_port == sent.source_port
    if outcome.ports is Ports.MOVED:
        return packet.source_port > 4500
    if packet.protocol == axes.UDP and sent.source_port == _IKE:
        return packet.source_port == _IKE
    return packet.source_port > 4500 or packet.source_port == sent.source_port


def _has_answer(packet: Packet) -> bool:
    questions = {axes.ICMP: {8}, axes.ICMPV6: {128}}
    return packet.kind in questions.get(packet.protocol, {packet.kind})


def _wire(name: str) -> str:
    """An interface that a name or wildcard stands for."""
    return name.replace("*", "7")


def _own(zone: Zone) -> list[int]:
    """The addresses in a zone, and a place for that of a family of which it says none."""
    known = {axes.family(one) for one in zone.addresses}
    unknown = (axes.unknown_address(zone.index, family) for family in {4, 6} - known)
    return [*zone.addresses, *unknown]


def _actual(zone: Zone, value: int) -> int:
    """The address that stands for one that the policy does not know; packets seldom go there."""
    if not axes.is_unknown(value):
        return value
    family = axes.family(value)
    inside = zone.networks & axes.family_axis(family)
    if inside:
        return inside.items[-1][1] - 5
    text = f"100.64.{zone.index}.1" if family == 4 else f"2001:db8:ffff:{zone.index}::1"
    return axes.address_of(text)


def decrypted(policy: Policy, packet: meaning.Packet) -> meaning.Packet | None:
    """The same packet out of a tunnel over the zone it comes in by, where there is one.

    IP in IP is left out: OpenBSD shows what tunnel mode encloses twice, first with the header
    around it (ipsec.conf(5)), and that has to pass.
    """
    tunnels = any(zone.over is packet.ingress for zone in policy.zones)
    return replace(packet, decrypted=True) if tunnels and packet.l4 >> 16 not in _IP_IN_IP else None


def _told(outcome: Outcome) -> str:
    packet = outcome.packet
    verdict = f"delivers to {outcome.egress}" if outcome.delivered else "drops"
    return (
        f"{packet.ingress}{' decrypted' if packet.decrypted else ''}: "
        f"{_place(packet.source)} -> {_place(packet.destination)} "
        f"{packet.l4 >> 16}/{packet.l4 & 0xFFFF} from port {packet.source_port}: decide {verdict} "
        f"as {_place(outcome.source)} -> {_place(outcome.destination)} {outcome.l4 & 0xFFFF} "
        f"{outcome.ports} ({outcome.reason.value}, {outcome.statement})"
    )


def _shown(seen: Seen | None) -> str:
    if seen is None:
        return "dropped"
    packet = seen.packet
    return (
        f"{seen.interface or 'here'} {_place(packet.source)} port {packet.source_port} -> "
        f"{_place(packet.destination)} {packet.protocol}/{packet.low}"
    )


def _place(value: int) -> str:
    return "?" if axes.is_unknown(value) else str(axes.to_address(value))
