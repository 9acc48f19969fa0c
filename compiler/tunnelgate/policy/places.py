"""WHERES: which zones and addresses a statement means."""

from __future__ import annotations

from tunnelgate.diagnostics import Label
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import Host, Side, Zone
from tunnelgate.policy.params import PLACE, Params
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.values import BadValue, parse_address
from tunnelgate.policy.zones import Place, ZoneResolver
from tunnelgate.syntax import ast


class PlaceResolver:
    """Looks places up among the zones, hosts and groups of the policy, and bare addresses."""

    def __init__(self, reporter: Reporter, zones: ZoneResolver, params: Params) -> None:
        self.reporter = reporter
        self._zones = zones
        self._params = params
        self._own = Intervals.of((one, one) for zone in zones.zones for one in zone.addresses)

    @property
    def gateway(self) -> Zone:
        """The zone of the machine itself."""
        return self._zones.zones[0]

    def side(self, node: ast.Places) -> Side | None:
        """What a list of places means; None, and findings, where something in it has no meaning."""
        found: dict[Zone, Intervals] = {}
        items = self._params.all(node.items, PLACE)
        excepted = self._params.all(node.excepted, PLACE)
        complete = items is not None and excepted is not None
        for atom in items or ():
            pieces = self._pieces(atom)
            complete &= pieces is not None
            for zone, addresses in pieces or ():
                found[zone] = found[zone] | addresses if zone in found else addresses
        for atom in excepted or ():
            complete &= self._except(found, atom)
        if excepted and self.gateway in found:
            found[self.gateway] = self._existing(found[self.gateway])
        if not complete:
            return None
        zones = sorted(found.items(), key=lambda item: item[0].index)
        return Side(tuple((zone, addresses) for zone, addresses in zones if addresses), node.span)

    def one(self, atom: ast.Atom) -> Side | None:
        """What a single place means."""
        return self.side(ast.Places((atom,), (), atom.span))

    def host(self, atom: ast.Atom) -> Host | None:
        """The host that an atom names; a bare address is a host without a name."""
        value = self._params.one(atom, PLACE)
        if value is None:
            return None
        atom = value
        if atom.kind is ast.AtomKind.NAME:
            place = self.place(atom)
            if isinstance(place, Host) or place is None:
                return place
            kind = "zone" if isinstance(place, Zone) else "group"
            self.reporter.say(
                rules.WRONG_KIND,
                atom.span,
                f"`{atom.text}` is a {kind}, not a host",
                "packets are handed to one machine: name a `host`",
                labels=[Label(place.span, "defined here")],
            )
            return None
        side = self.one(atom)
        if side is None or not side.zones:
            return None
        zone, addresses = side.zones[0]
        if not addresses.is_single() or zone.is_gateway:
            self.reporter.say(
                rules.WRONG_KIND,
                atom.span,
                f"`{atom.text}` is not one machine behind the gateway",
                "packets are handed to one machine: name a `host` or its address",
            )
            return None
        return Host(atom.text, zone, addresses, atom.span)

    def place(self, atom: ast.Atom) -> Place | None:
        """What a name means; None, and a finding, where nothing has it."""
        place = self._zones.places.get(atom.text)
        if place is None:
            self.reporter.unknown(
                rules.UNKNOWN_NAME,
                atom.span,
                atom.text,
                "place",
                ["any", *self._zones.places],
                "a place is `any`, `gateway`, or a zone, host or group of this policy",
            )
        else:
            self._zones.use(place)
        return place

    def _pieces(self, atom: ast.Atom) -> list[tuple[Zone, Intervals]] | None:
        if atom.kind is ast.AtomKind.ADDRESS:
            return self._bare(atom)
        if atom.text == "any":
            for zone in self._zones.zones:
                self._zones.use(zone)
            return [(zone, _whole(zone)) for zone in self._zones.zones[1:]]
        place = self.place(atom)
        if place is None:
            return None
        if isinstance(place, Zone):
            return [(place, _whole(place))]
        return [(place.zone, place.addresses)]

    def _except(self, found: dict[Zone, Intervals], atom: ast.Atom) -> bool:
        """Take a place away. A bare prefix is taken from every zone, whoever holds it."""
        if atom.kind is ast.AtomKind.ADDRESS:
            addresses = self.addresses(atom)
            if addresses is None:
                return False
            for zone in found:
                found[zone] -= addresses
            return True
        pieces = self._pieces(atom)
        for zone, addresses in pieces or ():
            if zone in found:
                found[zone] -= addresses
        return pieces is not None

    def _existing(self, own: Intervals) -> Intervals:
        """Addresses of the gateway without the unknown ones that can be none of them.

        An unknown one is of those that its zone holds: with all of these it is taken away, too.
        """
        for zone in self._zones.zones:
            for place in filter(axes.is_unknown, zone.addresses):
                home = zone.holds & axes.family_axis(axes.family(place))
                if home and not own.overlaps(home):
                    own -= Intervals.single(place)
        return own

    def addresses(self, atom: ast.Atom) -> Intervals | None:
        """What a bare address, prefix or range means; None, and a finding, where it is none."""
        try:
            return Intervals((parse_address(atom.text).interval,))
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, atom.span, error)
            return None

    def _bare(self, atom: ast.Atom) -> list[tuple[Zone, Intervals]] | None:
        addresses = self.addresses(atom)
        if addresses is None:
            return None
        if addresses <= self._own:
            return [(self.gateway, addresses)]
        holders = [zone for zone in self._zones.zones if addresses.overlaps(zone.holds)]
        if len(holders) == 1 and addresses <= holders[0].holds:
            self._zones.use(holders[0])
            return [(holders[0], addresses)]
        names = ", ".join(f"`{zone.name}`" for zone in holders)
        if not holders:
            message, help = f"no zone holds `{atom.text}`", "add it to the `network` of a zone"
        elif len(holders) == 1:
            message = f"zone {names} holds only a part of `{atom.text}`"
            help = "name the part that is meant, or widen the zone's `network`"
        else:
            message = f"`{atom.text}` is in several zones: {names}"
            help = "name the zone, or a `group` in it"
        self.reporter.say(rules.OUTSIDE_ZONE, atom.span, message, help)
        return None


def _whole(zone: Zone) -> Intervals:
    """What a zone's name means: its interfaces alone, or IPsec protection and its network."""
    return zone.holds if zone.over is not None else axes.ANY_ADDRESS
