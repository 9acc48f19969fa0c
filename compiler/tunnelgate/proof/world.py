"""What a policy says of the world that its ruleset stands in: interfaces, routes, own addresses.

Policy and ruleset are asked about the same world; nothing of it comes from the ruleset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import NEVER_SPOOFED
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import MULTICAST

#: Stands for every name that no policy writes out: no interface is named so (dev_valid_name).
STRANGER = "~"

#: Sources of which the kernel forwards nothing (ip6_forward, ip_route_input_slow).
NEVER_FORWARDED = NEVER_SPOOFED | Intervals.single(axes.address_of("0.0.0.0"))


@dataclass(frozen=True, slots=True)
class Way:
    """How packets come in.

    Attributes:
        zone: the zone that they are of; the gateway for what it sends itself.
        interface: the one they arrive on; None for the gateway's own.
        decrypted: they came through the gateway's own IPsec.
    """

    zone: Zone
    interface: str | None
    decrypted: bool


@dataclass(frozen=True)
class World:
    """The surroundings of a gateway, by its policy."""

    policy: Policy

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The zones on the axis of egress."""
        return {zone.name: zone.index for zone in self.policy.zones}

    @cached_property
    def zones(self) -> dict[str, Zone]:
        """The zones by name."""
        return {zone.name: zone for zone in self.policy.zones}

    @property
    def gateway(self) -> Zone:
        """The machine itself."""
        return self.policy.gateway

    def interfaces(self, zone: Zone) -> list[str]:
        """The interfaces that carry a zone; for a wildcard, a name like no other."""
        names = zone.carrier.interfaces
        return [name[:-1] + STRANGER if name.endswith("*") else name for name in names]

    def departure(self, zone: Zone, choice: int) -> str | None:
        """One of the interfaces that a zone is left by; None for the gateway itself.

        With each number below `choices` every interface of every zone is chosen once or more.
        """
        names = self.interfaces(zone)
        return names[choice % len(names)] if names else None

    @cached_property
    def choices(self) -> int:
        """How many interfaces the zone with the most of them has."""
        return max(len(self.interfaces(zone)) for zone in self.policy.zones)

    @cached_property
    def own(self) -> Intervals:
        """The machine's addresses, unknown ones too."""
        return self.policy.own_addresses

    def own_of(self, zone: Zone) -> Intervals:
        """Those of the interfaces that carry a zone."""
        return Intervals.of((value, value) for value in zone.carrier.addresses)

    def space(self, egress: Zone, *, from_gateway: bool) -> Intervals:
        """The destinations that are routed to a zone."""
        if egress is self.gateway:
            return self.own if from_gateway else self.own | MULTICAST
        routed = egress.holds - self.own
        return routed if from_gateway else routed - MULTICAST

    def choice(self, egress: Zone) -> Intervals | None:
        """The zone on the axis of egress, where several may hold its addresses; else None."""
        several = sum(zone.is_rest for zone in self.policy.zones) > 1
        return Intervals.single(egress.index) if egress.is_rest and several else None

    def zone_of(self, address: int) -> Zone | None:
        """The zone that an address is routed to: where several may hold it, that of a host."""
        found = self.policy.zones_of(address)
        named = (host.zone for host in self.policy.hosts if address in host.addresses)
        return next((zone for zone in (*named, *found) if zone in found), None)

    def public(self, egress: Zone, family: int) -> int | None:
        """The address that a masquerade towards a zone gives: its primary one, known or not.

        None where the kernel chooses by destination: of several of IPv6 (RFC 6724 section 5).
        """
        own = [one for one in egress.carrier.addresses if axes.family(one) == family]
        if not own:
            return axes.unknown_address(egress.carrier.index, family)
        return own[0] if family == 4 or len(own) == 1 else None

    @cached_property
    def _dynamic(self) -> list[tuple[int, int]]:
        """The unknown addresses, and one that stands for each: of its zone, and named nowhere."""
        found = []
        for zone in self.policy.zones:
            for place in zone.addresses:
                if axes.is_unknown(place):
                    home = (zone.holds & axes.family_axis(axes.family(place))) - axes.UNKNOWN
                    unnamed = home - self._named(place, home)
                    if unnamed:
                        found.append((place, unnamed.first()))
        return found

    def _named(self, place: int, home: Intervals) -> Intervals:
        """The addresses of a zone that statements tell from the others there.

        Of the gateway's it is what is excepted, where the unknown one is among the rest.
        """
        sides = [side for rule in self.policy.rules for side in (rule.source, rule.destination)]
        sides += [side for nat in self.policy.nats for side in (nat.source, nat.destination)]
        sets = []
        told = []
        for zone, one in (pair for side in sides for pair in side):
            if zone is self.gateway and place in one:
                told.append(home - one)
            else:
                sets.append(one)
        sets += [entry.sources for one in self.policy.forwards for entry in one.entries]
        sets += [host.addresses for host in self.policy.hosts]
        sets += [group.addresses for group in self.policy.groups]
        special = [axes.address_of(text) for text in ("0.0.0.0", "::")]
        size = home.size()
        told += [*map(Intervals.single, special), MULTICAST, NEVER_SPOOFED]
        for one in sets:
            here = one & home
            # what is excepted is named, not what is left
            told.append(here if 2 * here.size() <= size else home - here)
        return Intervals.union_of(told)

    def located(self, addresses: Intervals) -> Intervals:
        """A set that a ruleset writes out, with the unknown addresses that are in it."""
        for place, example in self._dynamic:
            one = Intervals.single(place)
            addresses = addresses | one if example in addresses else addresses - one
        return addresses

    @cached_property
    def existing(self) -> Intervals:
        """The addresses that there are: all that are known, and the unknown ones of zones.

        A zone that holds no address of a family has none of the gateway's either.
        """
        return (axes.ANY_ADDRESS - axes.UNKNOWN) | Intervals.of(
            (place, place) for place, _ in self._dynamic
        )
