"""The nodes of a plan. No dialect is named here; every node knows the statement it is there for.

Evaluation order, which each target keeps in its own way:

0. connections of hosts that are kept apart (`dnats` by SPI, and `apart`);
1. destination translation (`dnats`);
2. the drops that hold for established connections too: `clear_drops`, and AH in its original
   direction on the path of a `Snat`;
3. established accepted, related accepted for ICMP errors and for `helpers`, invalid dropped;
4. by link: spoofed sources dropped;
5. what is always on (invalid ICMPv6 errors are the one kind of invalid packet that gets here), then
   by pair of links denials and permissions;
6. source translation (`snats`, the first match).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Literal

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.records import record
from tunnelgate.source import Span

Asked = Literal["arrival", "machine", "other"]
"""Whose address a destination is: the arrival interface's, the machine's, or none of these."""


LAST_APART = 4095
"""The last number of a host that is kept apart; there may be higher ones where it has no room."""


class Feature(Enum):
    """What a target has to be able to do for a plan; what it cannot do it refuses."""

    HELPER = "connection-tracking helper"
    TRACKING = "SPI tracking"
    SPI = "split by SPI"
    SINGLE = "one claimant for each peer"
    LOG = "logging"
    LIMIT = "rate limit"
    LIMIT_PER_SOURCE = "rate limit for each source"
    COUNTER = "counter"
    HAIRPIN = "hairpin"
    IPSEC = "the gateway's own IPsec"
    INSIDE_IPSEC = "L2TP inside IPsec only"
    WILDCARD = "interface wildcard"
    MSS = "MSS clamping"
    NAT_IPV6 = "IPv6 source translation"
    AH = "AH"
    LOG_DENIED = "log of what is dropped"
    REJECT = "answers instead of drops"
    FILTER_OUTPUT = "rules for the gateway's own packets"
    NAT_BY_INTERFACE = "source translation by the interface of arrival alone"


@record
class Origin:
    """The statement a node is there for: its canonical text, and where it stands."""

    text: str
    span: Span


@record(eq=False)
class Link:
    """How packets of a zone are recognised.

    Attributes:
        name: the zone's.
        origin: the zone.
        interfaces: exact names.
        wildcards: prefixes of names, the `*` left out, longest first; an exact name anywhere wins.
        over: for IPsec, the link that carries it; such a link has no interfaces of its own.
        network: for IPsec, what it protects: the other half of its recognition.
        sources: the sources that may arrive here, None where any may (no check).
        inside: whether an answer may be sent instead of a drop.
    """

    name: str
    origin: Origin
    interfaces: tuple[str, ...]
    wildcards: tuple[str, ...]
    over: Link | None
    network: Intervals
    sources: Intervals | None
    inside: bool

    def __repr__(self) -> str:
        return f"Link({self.name})"

    @property
    def carrier(self) -> Link:
        """The link whose interfaces its packets use."""
        return self.over or self


@record
class Match:
    """Sets of addresses and channels; `axes.ANY_…` where nothing is asked."""

    source: Intervals = axes.ANY_ADDRESS
    destination: Intervals = axes.ANY_ADDRESS
    l4: Intervals = axes.ANY_L4

    def families(self) -> Iterator[tuple[int, Match]]:
        """The match for each family it can meet: 4, 6, or 0 for both where no address is asked."""
        if self.source == axes.ANY_ADDRESS and self.destination == axes.ANY_ADDRESS:
            yield 0, self
            return
        for family in (4, 6):
            axis = axes.family_axis(family)
            part = Match(_part(self.source, axis), _part(self.destination, axis), self.l4)
            if part.source and part.destination:
                yield family, part


def _part(addresses: Intervals, axis: Intervals) -> Intervals:
    """The addresses of one family; "any" stays "any"."""
    if addresses.is_single():
        return addresses if addresses.first() in axis else Intervals.EMPTY
    if axis <= addresses:
        return axes.ANY_ADDRESS
    return (addresses & axis) - axes.UNKNOWN


@record
class Limit:
    """New connections in a unit of time, of all sources together or of each."""

    count: int
    unit: Literal["second", "minute"]
    per_source: bool

    @property
    def burst(self) -> int:
        """How many pass at once: five, or what comes in 10 ms where that is more.

        iptables adds credit once a jiffy, and never more than the burst: with less, a high rate
        would not be reached (xt_hashlimit; CONFIG_HZ is 100 or more).
        """
        in_ten_milliseconds = 100 if self.unit == "second" else 6_000
        return max(5, -(-self.count // in_ten_milliseconds))


@record
class Rule:
    """One statement on one pair of links.

    Attributes:
        log: the prefix of its log messages ("" for the standard one), None for no log.
        translated: only what a forward has translated.
        decrypted: only what came through the gateway's own IPsec.
    """

    match: Match
    origin: Origin
    log: str | None = None
    limit: Limit | None = None
    counter: bool = False
    translated: bool = False
    decrypted: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it may share a set or map with others: nothing but a match."""
        return self.log is None and self.limit is None and not (self.counter or self.decrypted)


@record
class Guard:
    """Portless protocols behind one address: a second claimant is counted, logged and dropped.

    `match` is the path of the translation, `key` names the public address they share.
    """

    family: int
    match: Match
    key: str
    origin: Origin


@record
class Holder:
    """Portless protocols (`match`) that come in for an address that guards share out: they hold
    their peer, too.

    `public` is that address, None where it is not known; `key` is that of the guards.
    """

    family: int
    match: Match
    key: str
    public: int | None


@record(eq=False)
class Pair:
    """What may pass from one link to another; None for the gateway itself."""

    source: Link | None
    destination: Link | None
    denials: tuple[Rule, ...]
    permissions: tuple[Rule, ...]
    guards: tuple[Guard, ...] = ()
    holders: tuple[Holder, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        """The names of both ends."""
        return (
            self.source.name if self.source else "gateway",
            self.destination.name if self.destination else "gateway",
        )


@record
class Dnat:
    """Destination translation: what arrives by a link for an address of the gateway goes to a host.

    Attributes:
        addresses: the known addresses it is taken from.
        dynamic: None where the address is known. Else any of the arrival interface's own
            (`"arrival"`), or any of the machine's own that is not in `elsewhere` (`"machine"`).
        port: the port it gets, None to keep its own.
        not_arrival: with `"machine"`, but not the arrival interface's own, which nobody knows
            either.
        spis: of ESP, which SPIs; None for all of them.
        number: which connections of the host's these are (`Apart`), 0 for those of everybody.
    """

    link: Link
    match: Match
    family: int
    dynamic: Literal["arrival", "machine"] | None
    elsewhere: Intervals
    target: int
    port: int | None
    origin: Origin
    not_arrival: bool = False
    spis: Interval | None = None
    number: int = 0


@record
class Apart:
    """What a host sends to the peers whose ESP it gets by its SPI.

    Connection tracking knows ESP by its addresses alone, so that of each such host is kept apart:
    what it gets (`Dnat.number`) and what it sends.

    Attributes:
        link: where the host is.
        match: the host, its peers, and ESP.
        number: from 1, another for each host (plan/apart.py).
        dynamic: some of the machine's own addresses, which are no peers, are not known.
        drawing: which SPIs the host has to draw, a sentence without its full stop.
    """

    link: Link
    match: Match
    number: int
    dynamic: bool
    drawing: str
    origin: Origin

    @property
    def family(self) -> int:
        """Of the host and its peers."""
        return axes.family(self.match.source.first())


@record
class Snat:
    """Source translation from some links to one.

    Attributes:
        match: source and destination, all channels.
        address: the fixed address, None for masquerade.
        public: what peers see, on the axis of addresses; None where there is no such address.
        moved: destinations towards which these source ports must not stay, and the host that may
            keep them: a forward takes these ports from there.
        hairpin: only what a forward of `target` has turned around.
    """

    source: Link
    destination: Link
    family: int
    match: Match
    address: int | None
    public: int | None
    moved: tuple[Moved, ...]
    hairpin: bool
    origin: Origin


@record
class Moved:
    """UDP source ports that a forward takes from these peers for one host."""

    ports: Intervals
    peers: Intervals
    host: int
    origin: Origin


@record
class Helper:
    """A helper for connections that start like this; `link` is None for the gateway's own.

    Attributes:
        dynamic: what the kernel is asked of the destination where own addresses are not known:
            whether it is one of the arrival interface's own (`"arrival"`), one of the machine's
            (`"machine"`), or none of these (`"other"`). None where the match says it all.
    """

    name: str
    link: Link | None
    match: Match
    families: tuple[int, ...]
    origin: Origin
    dynamic: Asked | None = None


@record
class Tracking:
    """Hosts behind one translation whose ESP to these peers is told apart by SPI.

    Attributes:
        ways: the links by which the peers may be reached, before the route is known: `destination`,
            and where that holds what no other zone does, all that do.
        match: the hosts, their peers, and ESP; of one family.
        taken: the peers among them whose ESP may be for the gateway, or for the host of a forward.
        origins: the statements that say so.
    """

    source: Link
    destination: Link
    ways: tuple[Link, ...]
    family: int
    match: Match
    taken: Intervals
    origins: tuple[Origin, ...]


@record
class ClearDrop:
    """The three drops of one ipsec link: nothing of its network in clear, in or out."""

    link: Link
    origin: Origin


@record
class Mss:
    """MSS of TCP connections that enter or leave by a link, in octets or the path's."""

    link: Link
    value: int | Literal["clamp"]
    origin: Origin


_ANNOUNCED = {"Q.931": ("H.245",), "RAS": ("Q.931", "H.245")}


@record(eq=False)
class Plan:
    """A whole ruleset. Tuples are in an order that no order of statements changes."""

    gateway: str
    policy: str
    """The name of the policy's file, without its folder."""
    links: tuple[Link, ...]
    pairs: tuple[Pair, ...]
    dnats: tuple[Dnat, ...]
    apart: tuple[Apart, ...]
    snats: tuple[Snat, ...]
    trackings: tuple[Tracking, ...]
    helpers: tuple[Helper, ...]
    clear_drops: tuple[ClearDrop, ...]
    inside_ipsec: tuple[Link, ...]
    """The links from which L2TP may reach the gateway decrypted."""
    never_clear_l2tp: tuple[Link, ...]
    """Those of them from which it may not in clear: dropped then, established or not."""
    mss: tuple[Mss, ...]
    filter_output: bool
    default_output: bool
    log_denied: int
    reject: bool
    icmp: bool
    families: tuple[int, ...]
    """The families of which packets may cross the gateway at all."""
    features: dict[Feature, tuple[Origin, ...]]

    def masters(self, family: int | None = None) -> tuple[str, ...]:
        """The kernel's names of the helpers whose announced flows pass, for a family or for both.

        With those that are announced themselves: RAS announces Q.931, Q.931 announces H.245, and
        H.245 announces the media (nf_conntrack_h323).
        """
        names = {one.name for one in self.helpers if family is None or family in one.families}
        return tuple(sorted(names | {one for name in names for one in _ANNOUNCED.get(name, ())}))

    def carried(self, link: Link) -> tuple[Link, ...]:
        """The ipsec links over a link."""
        return tuple(one for one in self.links if one.over is link)

    def interfaces(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The interfaces of all links: exact names, and prefixes of wildcards.

        Without those that a wildcard holds, so that nothing is named twice.
        """
        wild = {prefix for link in self.links for prefix in link.wildcards}
        held = {one for one in wild for other in wild if one != other and one.startswith(other)}
        prefixes = tuple(sorted(wild - held))
        names = (name for link in self.links for name in link.interfaces)
        return tuple(name for name in names if not name.startswith(prefixes)), prefixes

    def origins(self) -> Iterator[Origin]:
        """The statements of all nodes; one that has several nodes comes several times."""
        for pair in self.pairs:
            yield from (rule.origin for rule in (*pair.denials, *pair.permissions))
            yield from (guard.origin for guard in pair.guards)
        for snat in self.snats:
            yield from (moved.origin for moved in snat.moved)
        for nodes in (self.dnats, self.apart, self.snats, self.helpers, self.clear_drops, self.mss):
            yield from (node.origin for node in nodes)
        for origins in self.features.values():
            yield from origins
