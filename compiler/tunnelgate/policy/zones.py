"""Zones, hosts and groups: who holds which address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Literal, NamedTuple

from tunnelgate.diagnostics import Label, Safety
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.diagnostics.reading import no_folder, not_read
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.policy.model import UNROUTED, Group, Host, Unused, Zone
from tunnelgate.policy.params import ADDRESS, INTERFACE, MSS, NETWORK, PLACE, Params
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.values import (
    BadValue,
    parse_address,
    parse_interface,
    parse_number,
    show_address,
)
from tunnelgate.source import SourceError, SourceFile, Span
from tunnelgate.syntax import ast

Place = Zone | Host | Group
_RESERVED = frozenset({"any", "gateway"})


@dataclass
class Draft:
    """A zone while its members are read."""

    node: ast.Zone
    interfaces: dict[str, Span] = field(default_factory=dict)
    names_interfaces: bool = False
    over: ast.Atom | None = None
    networks: dict[Interval, Span] = field(default_factory=dict)
    addresses: dict[int, Span] = field(default_factory=dict)
    mss: int | Literal["clamp"] | None = None
    hosts: list[ast.Host] = field(default_factory=list)
    groups: list[ast.Group] = field(default_factory=list)


class OpenGroup(NamedTuple):
    """A group that others have to be made for first: the names among its entries, once through."""

    zone: Zone
    node: ast.Group
    atoms: list[ast.Atom]
    found: Intervals
    names: Iterator[str]


class ZoneResolver:
    """Makes zones, hosts and groups of the zone statements of a policy."""

    def __init__(self, reporter: Reporter, file: SourceFile, params: Params) -> None:
        self.reporter = reporter
        self._params = params
        self.places: dict[str, Place] = {}
        self.zones: list[Zone] = []
        self._used: set[str] = set()
        self._file = file
        self._spans: dict[str, Span] = {}
        self._pending: dict[str, tuple[Zone, ast.Group]] = {}

    def resolve(self, nodes: list[ast.Zone]) -> None:
        """Fill `zones` (the gateway first) and `places`."""
        drafts = [self._draft(node) for node in nodes]
        drafts = [draft for draft in drafts if self._claim(draft.node.name)]
        self._check_shared_interfaces(drafts)
        holds = self._holdings(drafts)
        self._build(drafts, holds)
        for draft in drafts:
            zone = self.places.get(draft.node.name.text)
            if isinstance(zone, Zone):
                for host in draft.hosts:
                    self._host(zone, host)
        self._groups(
            (zone, group)
            for draft in drafts
            if isinstance(zone := self.places.get(draft.node.name.text), Zone)
            for group in draft.groups
        )

    # -- names

    def unused(self) -> Iterator[Unused]:
        """The places, but for the gateway, that nothing was about so far."""
        kinds: dict[type[Place], Literal["zone", "host", "group"]]
        kinds = {Zone: "zone", Host: "host", Group: "group"}
        for name, place in self.places.items():
            if name not in self._used and place is not self.zones[0]:
                yield Unused(kinds[type(place)], name, place.span)

    def use(self, place: Place) -> None:
        """Take note that a statement is about a place, and so about its zone."""
        self._used.add(place.name)
        if not isinstance(place, Zone):
            self._used.add(place.zone.name)

    def _claim(self, name: ast.Atom) -> bool:
        """Whether a name of a place is free and allowed; takes it."""
        if name.text in _RESERVED:
            self.reporter.say(
                rules.DUPLICATE_NAME,
                name.span,
                f"`{name.text}` is a built-in place",
                "choose another name",
            )
            return False
        if name.text in self._spans:
            self.reporter.say(
                rules.DUPLICATE_NAME,
                name.span,
                f"there are two places named `{name.text}`",
                "give one of them another name",
                text="again here",
                labels=[Label(self._spans[name.text], "first here")],
            )
            return False
        self._spans[name.text] = name.span
        return True

    # -- members

    def _draft(self, node: ast.Zone) -> Draft:
        draft = Draft(node)
        for member in node.members:
            match member:
                case ast.Interfaces():
                    self._interfaces(draft, member)
                case ast.IpsecOver():
                    draft.over = member.zone
                case ast.Networks():
                    self._networks(draft, member)
                case ast.Addresses():
                    self._addresses(draft, member)
                case ast.Mss():
                    self._mss(draft, member)
                case ast.Host():
                    draft.hosts.append(member)
                case ast.Group():
                    draft.groups.append(member)
        return draft

    def _interfaces(self, draft: Draft, member: ast.Interfaces) -> None:
        draft.names_interfaces = True
        for atom in self._params.all(member.names, INTERFACE) or ():
            try:
                draft.interfaces.setdefault(parse_interface(atom.text), atom.span)
            except BadValue as error:
                self.reporter.bad_value(rules.BAD_VALUE, atom.span, error)

    def _networks(self, draft: Draft, member: ast.Networks) -> None:
        for atom in self._params.all(member.addresses, NETWORK) or ():
            interval = self._interval(atom)
            if interval is None:
                continue
            if "-" in atom.text:
                self.reporter.say(
                    rules.BAD_VALUE,
                    atom.span,
                    "a network is a prefix, not a range",
                    "write it as `10.0.0.0/24`",
                )
                continue
            draft.networks.setdefault(interval, atom.span)

    def _addresses(self, draft: Draft, member: ast.Addresses) -> None:
        for atom in self._params.all(member.addresses, ADDRESS) or ():
            base, length, _ = atom.text.partition("/")
            interval = None if length else self._interval(atom)
            if length or (interval is not None and interval[0] != interval[1]):
                self.reporter.say(
                    rules.BAD_VALUE,
                    atom.span,
                    f"`{atom.text}` is not a single address",
                    "`address` names the gateway's own addresses, without a length; "
                    "what lives in the zone is its `network`",
                    replace=base if length else None,
                    safety=Safety.UNSAFE,
                )
            if interval is None or interval[0] != interval[1]:
                continue
            draft.addresses.setdefault(interval[0], atom.span)

    def _mss(self, draft: Draft, member: ast.Mss) -> None:
        value = self._params.one(member.value, MSS)
        if value is None:
            return
        if value.text == "clamp":
            draft.mss = "clamp"
            return
        try:
            draft.mss = parse_number(value.text, 536, 65495, "MSS")
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, value.span, error)

    def _interval(self, atom: ast.Atom) -> Interval | None:
        try:
            return parse_address(atom.text).interval
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, atom.span, error)
            return None

    # -- who holds what

    def _check_shared_interfaces(self, drafts: list[Draft]) -> None:
        owners: dict[str, tuple[ast.Atom, Span]] = {}
        for draft in drafts:
            for name, span in draft.interfaces.items():
                if name in owners:
                    other, other_span = owners[name]
                    self.reporter.say(
                        rules.ZONE_CONFLICT,
                        span,
                        f"interface `{name}` is in two zones, `{other.text}` and "
                        f"`{draft.node.name.text}`",
                        "leave it in one of them; a second network behind one interface is a "
                        "second `network` of its zone",
                        labels=[Label(other_span, "first here")],
                    )
                owners.setdefault(name, (draft.node.name, span))

    def _holdings(self, drafts: list[Draft]) -> list[Intervals]:
        """What each zone holds: the most specific network wins, the rest goes to the rest.

        No tunnel holds what is not routed, or one of everything would stop neighbour discovery.
        """
        by_size: dict[int, list[tuple[Interval, int]]] = defaultdict(list)
        owner: dict[Interval, int] = {}
        for index, draft in enumerate(drafts):
            for interval, span in draft.networks.items():
                if interval in owner:
                    other = drafts[owner[interval]]
                    self.reporter.say(
                        rules.ZONE_CONFLICT,
                        span,
                        f"network `{span.text}` is in two zones, `{other.node.name.text}` "
                        f"and `{draft.node.name.text}`",
                        "leave it in one of them, or name the more specific part in the other",
                        labels=[Label(other.networks[interval], "first here")],
                    )
                    continue
                owner[interval] = index
                by_size[interval[1] - interval[0]].append((interval, index))
        taken = Intervals.EMPTY
        parts: list[list[Interval]] = [[] for _ in drafts]
        for _, claims in sorted(by_size.items()):
            for interval, index in claims:
                part = Intervals((interval,)) - taken
                parts[index].extend(part - UNROUTED if drafts[index].over else part)
            taken |= Intervals.of(interval for interval, _ in claims)
        rest = axes.ANY_ADDRESS - Intervals.of(chain(*parts)) - axes.UNKNOWN
        return [
            Intervals.of(part) if draft.networks else rest
            for draft, part in zip(drafts, parts, strict=True)
        ]

    def _build(self, drafts: list[Draft], holds: list[Intervals]) -> None:
        self.zones.append(self._gateway(drafts))
        self.places["gateway"] = self.zones[0]
        ipsec = [draft for draft in drafts if draft.over is not None]
        for draft, held in zip(drafts, holds, strict=True):
            if draft.over is None:
                self._add_zone(draft, held, None)
        for draft, held in zip(drafts, holds, strict=True):
            if draft in ipsec:
                self._add_ipsec_zone(draft, held)

    def _gateway(self, drafts: list[Draft]) -> Zone:
        start = drafts[0].node.name.span if drafts else Span(self._file, 0, 0)
        return Zone(0, "gateway", (), None, Intervals.EMPTY, Intervals.EMPTY, (), None, start)

    def _add_zone(self, draft: Draft, held: Intervals, over: Zone | None) -> None:
        name = draft.node.name
        if over is None and not draft.names_interfaces:
            self.reporter.say(
                rules.INCOMPLETE_ZONE,
                name.span,
                f"zone `{name.text}` has no interface",
                "add a line `interface eth0`, or `ipsec over ZONE` for what the gateway's own "
                "IPsec protects",
            )
        index = len(self.zones)
        addresses = tuple(draft.addresses)
        if not addresses and over is None:
            addresses = (axes.unknown_address(index, 4), axes.unknown_address(index, 6))
        zone = Zone(
            index,
            name.text,
            tuple(draft.interfaces),
            over,
            Intervals.of(draft.networks),
            held,
            addresses,
            draft.mss,
            name.span,
        )
        self.zones.append(zone)
        self.places[name.text] = zone

    def _add_ipsec_zone(self, draft: Draft, held: Intervals) -> None:
        assert draft.over is not None
        name = draft.node.name
        over = self.places.get(draft.over.text)
        if not isinstance(over, Zone) or over.is_gateway:
            self.reporter.unknown(
                rules.UNKNOWN_NAME,
                draft.over.span,
                draft.over.text,
                "zone",
                [zone.name for zone in self.zones[1:]],
                "name the zone whose interfaces carry the tunnel",
            )
        elif over.over is not None:
            self.reporter.say(
                rules.WRONG_KIND,
                draft.over.span,
                f"zone `{over.name}` is itself `ipsec over {over.over.name}`",
                "IPsec in IPsec has no meaning here; name the zone of the interface",
                replace=over.over.name,
                safety=Safety.UNSAFE,
            )
        elif draft.interfaces:
            self.reporter.say(
                rules.INCOMPLETE_ZONE,
                next(iter(draft.interfaces.values())),
                f"zone `{name.text}` has an interface and is `ipsec over {over.name}`",
                "a zone is one or the other: a route-based tunnel (xfrm, vti) is a zone with its "
                "interface, a policy-based one is `ipsec over`",
                labels=[Label(draft.over.span, "here")],
            )
        elif not draft.networks:
            self.reporter.say(
                rules.INCOMPLETE_ZONE,
                name.span,
                f"zone `{name.text}` is `ipsec over {over.name}` and has no network",
                "add the line `network 10.20.0.0/16` with what the tunnel protects: it is what "
                "must never be sent in clear",
            )
        else:
            self._used.add(over.name)
            self._add_zone(draft, held, over)

    # -- hosts and groups

    def _host(self, zone: Zone, node: ast.Host) -> None:
        found: list[Interval] = []
        families: dict[int, Span] = {}
        for atom in self._params.all(node.addresses, ADDRESS) or ():
            interval = self._interval(atom)
            if interval is None:
                continue
            family = axes.family(interval[0])
            if interval[0] != interval[1]:
                self.reporter.say(
                    rules.BAD_VALUE,
                    atom.span,
                    f"host `{node.name.text}` is one machine, `{atom.text}` are many addresses",
                    "make it a `group`",
                )
            elif family in families:
                self.reporter.say(
                    rules.BAD_VALUE,
                    atom.span,
                    f"host `{node.name.text}` has two IPv{family} addresses",
                    "a host is one endpoint with at most one address a family; make it a "
                    "`group`, or two hosts",
                    labels=[Label(families[family], "the first")],
                )
            else:
                # kept even where it is outside: one mistake must not become many
                self._check_held(zone, interval, atom)
                families[family] = atom.span
                found.append(interval)
        if self._claim(node.name):
            self.places[node.name.text] = Host(
                node.name.text, zone, Intervals.of(found), node.name.span
            )

    def _groups(self, drafts: Iterable[tuple[Zone, ast.Group]]) -> None:
        """Make groups; what one names comes before it. Not by recursion: chains may be long."""
        for zone, node in drafts:
            if self._claim(node.name):
                self._pending[node.name.text] = (zone, node)
        while self._pending:
            open_ = [self._open(next(iter(self._pending)))]
            while open_:
                group = open_[-1]
                inner = next((one for one in group.names if one in self._pending), None)
                if inner is None:
                    self._close(open_.pop())
                else:
                    open_.append(self._open(inner))

    def _open(self, name: str) -> OpenGroup:
        """Begin with a group: from now on nothing can name it, since it would hold itself."""
        zone, node = self._pending.pop(name)
        atoms = self._params.all(node.entries, PLACE) or []
        found = Intervals.EMPTY
        if node.file is not None:
            found = self._from_file(zone, node.file, atoms)
        names = (atom.text for atom in atoms if atom.kind is ast.AtomKind.NAME)
        return OpenGroup(zone, node, atoms, found, names)

    def _close(self, group: OpenGroup) -> None:
        zone, node = group.zone, group.node
        sets = [group.found, *(self._entry(zone, node, atom) for atom in group.atoms)]
        name = node.name.text
        self.places[name] = Group(name, zone, Intervals.union_of(sets), node.name.span)

    def _from_file(self, zone: Zone, name: ast.Atom, atoms: list[ast.Atom]) -> Intervals:
        """The addresses in a group's file; its names are put to the atoms."""
        from tunnelgate.policy.entries import MANY, address_atoms, read_entries  # for few policies

        if self._file.library is None:
            self.reporter.diagnostics.append(no_folder(name.span))
            return Intervals.EMPTY
        try:
            file = self._file.library.read(name.text)
        except SourceError as error:
            self.reporter.diagnostics.append(not_read(name.span, error))
            return Intervals.EMPTY
        entries = read_entries(file)
        self.reporter.diagnostics += entries.findings
        atoms += entries.names
        addresses = Intervals.of(entries.addresses)
        if addresses - zone.holds and not entries.findings:
            strays = (
                (interval, atom)
                for interval, atom in address_atoms(file)
                if Intervals((interval,)) - zone.holds
            )
            for interval, atom in islice(strays, MANY):
                self._check_held(zone, interval, atom)
            if (another := next(strays, None)) is not None:
                message = f"stopped after {MANY} addresses outside the zone"
                self.reporter.say(
                    rules.OUTSIDE_ZONE, another[1].span, message, "is this the file you meant?"
                )
        return addresses

    def _entry(self, zone: Zone, node: ast.Group, atom: ast.Atom) -> Intervals:
        if atom.kind is not ast.AtomKind.NAME:
            interval = self._interval(atom)
            if interval is None:
                return Intervals.EMPTY
            self._check_held(zone, interval, atom)
            return Intervals((interval,))
        place = self.places.get(atom.text)
        if place is None:
            known = [name for name, one in self.places.items() if not isinstance(one, Zone)]
            self.reporter.unknown(
                rules.UNKNOWN_NAME,
                atom.span,
                atom.text,
                "host or group",
                known,
                "name a host or a group of this zone, and no group that holds this one",
            )
            return Intervals.EMPTY
        if isinstance(place, Zone):
            self.reporter.say(
                rules.WRONG_KIND,
                atom.span,
                f"`{atom.text}` is a zone, not a part of one",
                "a group holds hosts, groups, addresses, prefixes and ranges of its zone",
            )
            return Intervals.EMPTY
        if place.zone is not zone:
            self.reporter.say(
                rules.OUTSIDE_ZONE,
                atom.span,
                f"`{atom.text}` is in zone `{place.zone.name}`, group `{node.name.text}` in "
                f"`{zone.name}`",
                "a group has one zone; name both groups in the statement instead",
                labels=[Label(place.span, "defined here")],
            )
            return Intervals.EMPTY
        self._used.add(place.name)
        return place.addresses

    def _check_held(self, zone: Zone, interval: Interval, atom: ast.Atom) -> None:
        """Say so where a zone does not hold addresses."""
        outside = Intervals((interval,)) - zone.holds
        if not outside:
            return
        stray = outside.first()
        owner = next((one for one in self.zones if stray in one.holds), None)
        where = (
            f"`{show_address(stray)}` belongs to `{owner.name}`" if owner else "no zone holds it"
        )
        networks = [f"its network is `{', '.join(_networks_text(zone))}`"] if zone.networks else []
        self.reporter.say(
            rules.OUTSIDE_ZONE,
            atom.span,
            f"zone `{zone.name}` does not hold `{atom.text}`",
            "; ".join(
                [where, *networks, "move it to the zone it lives in, or widen the `network`"]
            ),
            labels=[Label(zone.span, "this zone")],
        )


def _networks_text(zone: Zone) -> list[str]:
    return [str(net) for part in zone.networks for net in axes.to_networks(part)][:4]
