"""The gateway of a policy: interfaces, addresses and routes made up from its zones, packets of the
model as packets that can be sent, and what the model says of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from fate import Fate
from lab import Probe, Wire

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.fields import ANY_SPI
from tunnelgate.meaning import Decider, Outcome, Packet, Ports
from tunnelgate.meaning.decide import NEIGHBOUR_DISCOVERY
from tunnelgate.plan import build
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import ESP
from tunnelgate.policy.options import PORTLESS

_PROBE_NAMES = {6: "tcp", 17: "udp", 47: "gre", 50: "esp", 51: "ah", 1: "icmp", 58: "icmpv6"}


class Wiring:
    """What stands for the zones and the unknown addresses of a policy.

    tunnels: by carrier, the wire that its IPsec looks like; without one it is down.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.decider = Decider(policy)
        self.plan = build(policy)
        self.is_counted = any(pair.guards for pair in self.plan.pairs)
        self.tells_spis = any(one.options.spi is not None for one in policy.forwards)
        self.tunnels: dict[Zone, str] = {}
        self._actual: dict[int, int] = {}
        self.wires = [
            wire for zone in policy.zones[1:] if zone.over is None for wire in self._wires(zone)
        ]

    @staticmethod
    def names(zone: Zone) -> list[str]:
        """The interfaces of a zone."""
        return [name.replace("*", "7") for name in zone.interfaces]

    def _wires(self, zone: Zone) -> Iterator[Wire]:
        own = []
        for value in (*zone.addresses, *self._unmentioned(zone)):
            actual = self._actual[value] = self._address(zone, value)
            own.append(f"{axes.to_address(actual)}/{32 if axes.family(value) == 4 else 128}")
        if zone.is_rest:
            networks = ["0.0.0.0/0", "::/0"]
        else:
            networks = [str(net) for part in zone.networks for net in axes.to_networks(part)]
        for number, name in enumerate(self.names(zone)):
            # further interfaces of a zone have no route: packets may arrive there, none leaves
            yield Wire(
                name, tuple(own) if number == 0 else (), tuple(networks) if number == 0 else ()
            )

    @staticmethod
    def _unmentioned(zone: Zone) -> Iterator[int]:
        """What a zone outside has besides, so that there is an address to masquerade with."""
        for family in (4, 6) if zone.is_rest else ():
            if zone.primary(family) is None:
                yield axes.unknown_address(zone.index, family)

    def _address(self, zone: Zone, value: int) -> int:
        """The address that stands for an unknown one: far from what statements speak of, since
        the model takes it for one that none of them names.
        """
        if not axes.is_unknown(value):
            return value
        family = axes.family(value)
        inside = zone.networks & axes.family_axis(family)
        if inside:
            places = (*self.policy.hosts, *self.policy.groups)
            taken = Intervals.union_of(one.addresses for one in places)
            broadcast = Intervals.single(inside.items[-1][1])
            return (inside - taken - broadcast).items[-1][1]
        text = f"100.64.{zone.index}.1" if family == 4 else f"2001:db8:ffff:{zone.index}::1"
        return axes.address_of(text)

    def actual(self, value: int) -> int:
        """An address as it is on this gateway."""
        return self._actual.get(value, value)

    def text(self, value: int) -> str:
        """The same, written."""
        return str(axes.to_address(self.actual(value)))

    def probe(self, packet: Packet) -> Probe:
        """The packet of the model as one that can be sent."""
        protocol, low = packet.l4 >> 16, packet.l4 & 0xFFFF
        wires = [self.tunnels[packet.ingress]] if packet.decrypted else self.names(packet.ingress)
        return Probe(
            wires[0] if wires else None,
            self.text(packet.source),
            self.text(packet.destination),
            _PROBE_NAMES.get(protocol, protocol),
            sport=packet.source_port,
            spi=packet.spi,
            dport=low if protocol in axes.WITH_PORTS else 500,
            icmp_type=low >> 8 if protocol in axes.WITH_TYPES else None,
            icmp_code=low & 0xFF if protocol in axes.WITH_TYPES else 0,
            ttl=255 if packet.l4 in NEIGHBOUR_DISCOVERY else 64,
        )

    def fate(self, outcome: Outcome) -> Fate:
        """What the model says, of the probe."""
        egress = outcome.egress
        if not outcome.delivered or egress is None:
            return Fate()
        if egress.is_gateway:
            return Fate(is_local=True)
        wires = self.names(egress)
        if egress.over is not None:
            wires = [name for zone, name in self.tunnels.items() if zone is egress.over]
        has_ports = outcome.l4 >> 16 in {axes.TCP, axes.UDP}
        return Fate(
            tuple(wires),
            source=self.text(outcome.source),
            destination=self.text(outcome.destination),
            sport=outcome.packet.source_port if has_ports else None,
            dport=outcome.l4 & 0xFFFF if has_ports else None,
            is_moved=outcome.ports is Ports.MOVED,
        )

    def is_answered(self, outcome: Outcome) -> bool:
        """Whether an answer must find who asked: there is one, and it is routed to him."""
        packet = outcome.packet
        protocol, low = packet.l4 >> 16, packet.l4 & 0xFFFF
        is_own = packet.ingress is self.policy.gateway
        is_routed = is_own or packet.ingress in self.policy.zones_of(packet.source)[:1]
        has_answer = protocol not in axes.WITH_TYPES or low >> 8 in {8, 128}
        is_decrypted = packet.decrypted and packet.ingress.over is None
        return is_routed and has_answer and not is_decrypted

    def answering(self, packet: Packet) -> int | None:
        """The SPI of an answer to ESP: of the sender's range if it has one, else of nobody's."""
        if packet.l4 not in ESP or not self.tells_spis:
            return None
        told = [one for one in self.policy.forwards if one.options.spi is not None]
        mine = [
            one.spis
            for one in told
            if one.target == packet.source
            and any(packet.destination in entry.sources for entry in one.entries)
        ]
        others = ANY_SPI - Intervals.union_of(one.spis for one in told)
        return (mine[0] if mine else others).first()

    def waits(self, packet: Packet) -> bool:
        """Whether connections of before may count against it, gone as they are."""
        return packet.l4 in PORTLESS and self.is_counted
