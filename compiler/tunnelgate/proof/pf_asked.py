"""Which packets a proof of pf is about, and in words those that it is not about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from ipaddress import ip_network

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import ANY_PORT, Arrival
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import AH, BEGINS_NOTHING, ICMPV6_ERRORS, MULTICAST
from tunnelgate.proof.known import Known
from tunnelgate.proof.pf import ENC, wires
from tunnelgate.proof.world import Way, World

_L2TP = Intervals.single(1701)
#: Without protocol 0, which pf cannot name, and the ICMP of the other family.
_L4 = {
    family: axes.ANY_L4 - Intervals.of([axes.l4(0), axes.l4(other)])
    for family, other in ((4, axes.ICMPV6), (6, axes.ICMP))
}
#: Advertisements that answer a question of neighbour discovery (RFC 4861).
_ADVERTISED = Intervals.of(axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF) for kind in (134, 136))
_IP_IN_IP = Intervals.of([axes.l4(4), axes.l4(41)])
_GRE = Intervals.of([axes.l4(axes.GRE)])
LISTENERS = Intervals.of(
    axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF) for kind in (130, 131, 132, 143)
)
"""Messages of multicast listeners, which are never forwarded (RFC 2710, RFC 3810)."""
#: Where nothing is ever forwarded to; pf takes it for the machine itself.
_NOWHERE = Intervals.of(
    axes.network(ip_network(text)) for text in ("0.0.0.0/32", "255.255.255.255/32", "fe80::/10")
)


class Asked:
    """The packets that are asked about, and in words those that are not."""

    def __init__(self, world: World, meant: Mapping[Arrival, tuple[list[Row], ...]]) -> None:
        self.world, self.policy = world, world.policy
        self._known = Known(world.policy)
        self.tunnels = [zone for zone in self.policy.zones if zone.over is not None]
        self._protected = Intervals.union_of(zone.holds for zone in self.tunnels)
        self._inside = [zone for zone in self.policy.zones[1:] if self._known.inside(zone)]
        self._has_helpers = any(
            row.label is not None for *_, helpers in meant.values() for row in helpers
        )
        self._l2tp_alone = any(self._known.never_clear(zone) for zone in self.policy.zones[1:])
        self.own = Way(world.gateway, None, decrypted=False)

    def caveats(self) -> Iterator[str]:
        """What is not shown, a clause each."""
        yield "the model of pf is told from its manual and source: no kernel with pf was asked"
        yield "AH is not shown, since pf looks through it, nor protocol 0, which pf cannot name"
        yield "ICMP answers and IPv4 ICMP errors about no known connection are not shown"
        if self._translates_errors:
            yield "nor are ICMPv6 ones, whose source pf translates by `nat ipv6`, as Linux does not"
        yield (
            "destinations that end a network, as broadcasts do, are not shown, nor sources of "
            "0.0.0.0 in a zone without IPv4"
        )
        if self._several_unknown:
            yield "packets to own addresses of which the policy knows none are not shown"
        if self.tunnels or self._inside:
            yield "IP in IP is not shown: enc0 shows it of what tunnel mode encloses too"
        if self._inside:
            yield "what was decrypted and is of no tunnel is not shown: enc0 does not tell its zone"
        if self._has_helpers:
            yield "GRE is not shown: on pf it begins without the control connection of PPTP"
        if self._l2tp_alone:
            yield "UDP from the gateway's own port 1701 is not shown: pf lets none out in clear"

    @cached_property
    def _translates_errors(self) -> bool:
        return any(nat.family == 6 for nat in self.policy.nats)

    @cached_property
    def _several_unknown(self) -> bool:
        unknown = self.policy.own_addresses & axes.UNKNOWN
        parts = [unknown & axes.family_axis(family) for family in (4, 6)]
        return any(part and not part.is_single() for part in parts)

    def of(self, way: Way, family: int) -> Iterator[Box]:
        """The packets of a way, as boxes."""
        channels, goals = self.channels(way, family), self._goals(way, family)
        ports = ANY_PORT
        if way.interface is None and self._l2tp_alone:
            ports -= _L2TP
        numbers = Intervals.of((one.index, one.index) for one in self.policy.zones)
        sources = self.sources(way, family)
        here = goals & (self.policy.own_addresses | MULTICAST)
        yield numbers, channels - LISTENERS, ports, goals, sources
        yield numbers, channels & LISTENERS, ports, here, sources

    def channels(self, way: Way, family: int) -> Intervals:
        """The protocols and ports that are asked about."""
        found = self.answers(way, family) - BEGINS_NOTHING - _ADVERTISED
        if self._translates_errors:
            found -= ICMPV6_ERRORS
        return found | LISTENERS & _L4[family]

    def answers(self, way: Way, family: int) -> Intervals:
        """Those of answers, and of errors about a connection; no listener is answered."""
        found = _L4[family] - AH - LISTENERS
        if self.tunnels or way.decrypted:
            found -= _IP_IN_IP
        return found - _GRE if self._has_helpers else found

    def to_tunnels(self, way: Way) -> Intervals:
        """What goes to a tunnel."""
        of_gateway = way.interface is None
        return Intervals.union_of(
            self.world.space(zone, from_gateway=of_gateway) for zone in self.tunnels
        )

    def known(self, family: int) -> Intervals:
        """The addresses that have a notation."""
        return axes.family_axis(family) - axes.UNKNOWN

    def _goals(self, way: Way, family: int) -> Intervals:
        axis, own = axes.family_axis(family), self.policy.own_addresses
        ends = Intervals.of(
            (end, end) for one in self.policy.zones for item in one.networks for end in item
        )
        found = (self.known(family) | own & axis & self.world.existing) - ends - _NOWHERE
        unknown = own & axis & axes.UNKNOWN
        if unknown and not unknown.is_single():
            found -= unknown  # to pf they are all its own
        return found - own - MULTICAST if way.interface is None else found

    def sources(self, way: Way, family: int) -> Intervals:
        """The sources of a way."""
        own = self.policy.own_addresses
        if way.interface is None:
            return own & axes.family_axis(family) & self.world.existing
        found = self.known(family) - own
        if way.zone.over is not None:
            return found & way.zone.holds
        if way.decrypted:
            return found - self._protected
        if family == 4 and not way.zone.holds & self.known(family):
            found -= Intervals.single(0)  # nobody there asks for an IPv4 address
        return found

    def ways(self) -> Iterator[Way]:
        """Every way in: the gateway's own, then each interface, in clear and decrypted.

        What was decrypted and is of no tunnel is asked about once: nothing of it passes.
        """
        yield self.own
        if self.tunnels and not self._inside:
            yield Way(self.tunnels[0].carrier, ENC, decrypted=True)
        for zone in self.policy.zones[1:]:
            if zone.over is not None:
                yield Way(zone, ENC, decrypted=True)
                continue
            for wire in wires(zone):
                yield Way(zone, wire, decrypted=False)
