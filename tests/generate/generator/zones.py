"""The ground a policy stands on: zones with interfaces, networks, addresses, hosts and groups."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from random import Random

from .profiles import ANYTHING, Profile

_WAN_ADDRESSES = ("203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2")


@dataclass(frozen=True)
class Place:
    """A host or a group, and the zone it is in."""

    name: str
    zone: str
    families: frozenset[int]


@dataclass(frozen=True)
class Ground:
    """The zones of a policy as text, and what statements may name of them.

    Attributes:
        zones: all of them by name, ipsec zones included.
        outside: those that hold the rest.
        addresses: by zone, the gateway's own; empty where they are not known.
        literals: by zone, addresses, prefixes and ranges that it alone holds.
    """

    text: str
    zones: tuple[str, ...]
    outside: tuple[str, ...]
    hosts: tuple[Place, ...]
    groups: tuple[Place, ...]
    addresses: dict[str, tuple[str, ...]]
    literals: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Inside:
    """What an inside zone is made of."""

    name: str
    networks: tuple[str, ...]
    addresses: tuple[str, ...]
    hosts: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    literals: tuple[str, ...]


_INSIDE = (
    _Inside(
        "lan",
        ("192.168.1.0/24", "fd00:1::/64"),
        ("192.168.1.1", "fd00:1::1"),
        (
            ("alice", "192.168.1.20, fd00:1::20"),
            ("bob", "192.168.1.30"),
            ("carol", "fd00:1::40"),
            ("edge", "192.168.1.254"),
        ),
        (
            ("staff", "192.168.1.16/28, fd00:1::/96"),
            ("mixed", "192.168.1.5-192.168.1.9, alice, 192.168.1.64/26"),
        ),
        ("192.168.1.77", "192.168.1.64/26", "192.168.1.100-192.168.1.120", "fd00:1::/68"),
    ),
    _Inside(
        "dmz",
        ("10.9.0.0/16", "fd00:9::/48"),
        ("10.9.0.254", "fd00:9::fe"),
        (("box", "10.9.0.1, fd00:9::1"), ("web", "10.9.255.254"), ("mail", "10.9.3.3")),
        (("servers", "10.9.0.0/30, web"), ("racks", "10.9.2.0/23, fd00:9:0:1::/64")),
        ("10.9.8.0/21", "10.9.0.9", "fd00:9:0:2::/63"),
    ),
    # inside the network of dmz: the most specific network decides
    _Inside(
        "lab",
        ("10.9.128.0/20", "fd00:9:0:8000::/64"),
        ("10.9.128.1",),
        (("rig", "10.9.128.7, fd00:9:0:8000::7"), ("probe", "10.9.143.254")),
        (("rigs", "10.9.130.0/24, rig"),),
        ("10.9.140.0/23", "fd00:9:0:8000::8/125"),
    ),
)
_OUTSIDE_HOSTS = (
    ("hq", "192.0.2.10, 2001:db8:51::10"),
    ("peer", "198.51.100.7"),
    ("peer6", "2001:db8:77::7"),
)
_OUTSIDE_GROUPS = (
    ("partners", "198.51.100.0/24, 198.51.101.7-198.51.101.9"),
    ("far", "192.0.2.0/25, 2001:db8:51::/48"),
)
_OUTSIDE_LITERALS = ("192.0.2.0/24", "198.51.100.128/25", "8.8.8.8", "2001:db8:99::/48")
_SITE = ("10.20.0.0/16", "fd20::/48")
_MSS = ("clamp", "1300")


def ground(choose: Random, like: Profile = ANYTHING) -> Ground:
    """Zones: one or two outside, one to three inside, perhaps one or two behind IPsec."""
    return _Builder(choose, like).build()


class _Builder:
    def __init__(self, choose: Random, like: Profile) -> None:
        self.choose = choose
        self.interfaces = like.interfaces
        self.lines: list[str] = []
        self.zones: list[str] = []
        self.outside: list[str] = []
        self.hosts: list[Place] = []
        self.groups: list[Place] = []
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.literals: dict[str, tuple[str, ...]] = {}

    def build(self) -> Ground:
        choose = self.choose
        self._outside("wan", self.interfaces["wan"][choose.random() < 0.2], named=True)
        if choose.random() < 0.25:
            self._outside("wan2", "eth4", named=False)
        for inside in _INSIDE[: choose.choice((1, 2, 2, 3))]:
            self._inside(inside)
        if choose.random() < 0.4:
            # perhaps more than it holds: dmz and lab are inside
            networks = choose.choice((*[_SITE] * 3, ("10.0.0.0/8", "fd00::/8")))
            self._ipsec("site", networks, "fileserver", "10.20.0.5")
            if choose.random() < 0.4:
                # more specific than the other one, and over another zone where there is one
                self._ipsec("branch", ("10.20.64.0/18",), "till", "10.20.64.5")
        return Ground(
            text="\n".join(self.lines) + "\n",
            zones=tuple(self.zones),
            outside=tuple(self.outside),
            hosts=tuple(self.hosts),
            groups=tuple(self.groups),
            addresses=self.addresses,
            literals=self.literals,
        )

    def _some(self, many: tuple[str, ...]) -> tuple[str, ...]:
        """At least one of them, in their order."""
        found = [one for one in many if self.choose.random() < 0.7]
        return tuple(found or [self.choose.choice(many)])

    def _zone(self, name: str, items: list[str]) -> None:
        self.zones.append(name)
        self.lines += [f"zone {name} {{", *(f"  {item}" for item in items), "}"]

    def _mss(self) -> list[str]:
        return [f"mss {self.choose.choice(_MSS)}"] if self.choose.random() < 0.15 else []

    def _outside(self, name: str, interface: str, *, named: bool) -> None:
        items = [f"interface {interface}", *self._mss()]
        known = self._some(_WAN_ADDRESSES) if named else ("198.18.0.1", "2001:db8:2::1")
        self.addresses[name] = ()
        if self.choose.random() < 0.7:
            self.addresses[name] = known
            items.append(f"address {', '.join(known)}")
        if named:
            items += self._named(name, _OUTSIDE_HOSTS, _OUTSIDE_GROUPS)
        self.literals[name] = _OUTSIDE_LITERALS
        self.outside.append(name)
        self._zone(name, items)

    def _inside(self, inside: _Inside) -> None:
        networks = self._some(inside.networks)
        families = {6 if ":" in one else 4 for one in networks}
        own = tuple(one for one in inside.addresses if (6 if ":" in one else 4) in families)
        items = [f"interface {self.choose.choice(self.interfaces[inside.name])}", *self._mss()]
        items.append(f"network {', '.join(networks)}")
        self.addresses[inside.name] = ()
        if own and self.choose.random() < 0.6:
            self.addresses[inside.name] = own
            items.append(f"address {', '.join(own)}")
        hosts = _held(inside.hosts, families)
        items += self._named(inside.name, hosts, _held(inside.groups, families, dict(hosts)))
        self.literals[inside.name] = tuple(
            one for one in inside.literals if (6 if ":" in one else 4) in families
        )
        self._zone(inside.name, items)

    def _ipsec(self, name: str, networks: tuple[str, ...], host: str, address: str) -> None:
        over = self.choose.choice([one for one in self.zones if one not in ("site", "lab")])
        kept = networks if self.choose.random() < 0.6 else networks[:1]
        self.addresses[name] = ()
        self.literals[name] = ()
        self.hosts.append(Place(host, name, frozenset({4})))
        self._zone(
            name,
            [f"ipsec over {over}", f"network {', '.join(kept)}", f"host {host} = {address}"],
        )

    def _named(
        self, zone: str, hosts: tuple[tuple[str, str], ...], groups: tuple[tuple[str, str], ...]
    ) -> list[str]:
        for found, rows in ((self.hosts, hosts), (self.groups, groups)):
            found += [Place(name, zone, _families(text)) for name, text in rows]
        return [f"host {name} = {text}" for name, text in hosts] + [
            f"group {name} = {text}" for name, text in groups
        ]


def _families(text: str) -> frozenset[int]:
    return frozenset(6 if ":" in one else 4 for one in text.split(", "))


def _held(
    rows: tuple[tuple[str, str], ...], families: set[int], names: Container[str] = ()
) -> tuple[tuple[str, str], ...]:
    """The rows with the addresses of some families, and with the names that there are."""
    kept: dict[str, str] = {}
    for name, text in rows:
        parts = [
            one
            for one in text.split(", ")
            if one in names or (not one.isalpha() and _families(one) <= families)
        ]
        if parts:
            kept[name] = ", ".join(parts)
    return tuple(kept.items())
