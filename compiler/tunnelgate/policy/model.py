"""A policy whose names are resolved: zones, places, protocols and statements as values.

Everything here is compared by identity: two statements with the same text are still two.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.fields import ANY_SPI
from tunnelgate.flows.intervals import Intervals
from tunnelgate.records import record
from tunnelgate.source import SourceFile, Span

if TYPE_CHECKING:
    from tunnelgate.policy.names import Names

#: Broadcast and multicast: what arrives for these is for the gateway itself.
MULTICAST = Intervals.of(
    [
        (0xE0000000, 0xEFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (axes.address_of("ff00::"), axes.address_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    ]
)
#: What is said on one network, and routed to no other: to many, by who has no address yet, and
#: link-local (RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.6, 2.7).
UNROUTED = MULTICAST | Intervals.of(
    [
        (0, 0),
        (axes.address_of("::"), axes.address_of("::")),
        (axes.address_of("fe80::"), axes.address_of("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    ]
)

AH = Intervals.of([axes.l4(axes.AH)])
ESP = Intervals.of([axes.l4(axes.ESP)])
#: Neighbour discovery, and what it needs of multicast listener discovery (RFC 4861, 2710, 3810).
NEIGHBOUR_DISCOVERY = Intervals.of(
    axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF)
    for kind in (130, 131, 132, 133, 134, 135, 136, 143)
)
#: ICMPv6 errors, of which none is to be dropped (RFC 4890 sections 4.3.1, 4.3.2, 4.4.1, 4.4.2).
ICMPV6_ERRORS = Intervals.of(
    axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF) for kind in (1, 2, 3, 4)
)
#: The requests of ICMP and ICMPv6 that connection tracking takes for a beginning (`valid_new` of
#: nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c).
_ICMP_REQUESTS = Intervals.of(
    axes.l4(protocol, kind << 8, kind << 8 | 0xFF)
    for protocol, kinds in ((axes.ICMP, (8, 13, 15, 17)), (axes.ICMPV6, (128, 139)))
    for kind in kinds
)
#: ICMP that answers or reports: it belongs to what it is about, and by itself is invalid.
BEGINS_NOTHING = (
    Intervals.of([axes.l4(axes.ICMP), axes.l4(axes.ICMPV6)])
    - _ICMP_REQUESTS
    - NEIGHBOUR_DISCOVERY
    - ICMPV6_ERRORS
)


@record(eq=False)
class Zone:
    """A set of places, told apart by interfaces or by the gateway's own IPsec.

    Attributes:
        index: its place in the policy; the gateway itself is zone 0.
        interfaces: names, or names with a final `*`; empty for the gateway and for ipsec zones.
        over: for an ipsec zone, the zone whose interfaces carry it.
        networks: what it says lives there; empty for a zone that holds the rest.
        holds: the addresses whose zone it is: networks less the more specific ones of others.
        addresses: the gateway's own addresses in it, in the policy's order (axes.py).
        mss: the MSS of TCP connections over it, in octets, `"clamp"` for the path's, or None.
    """

    index: int
    name: str
    interfaces: tuple[str, ...]
    over: Zone | None
    networks: Intervals
    holds: Intervals
    addresses: tuple[int, ...]
    mss: int | Literal["clamp"] | None
    span: Span

    def __repr__(self) -> str:
        return f"Zone({self.name})"

    @property
    def is_gateway(self) -> bool:
        """Whether it is the built-in zone of the machine itself."""
        return self.index == 0

    @property
    def is_rest(self) -> bool:
        """Whether it holds what no other zone claims."""
        return not self.networks and not self.is_gateway

    @property
    def carrier(self) -> Zone:
        """The zone whose interfaces its packets use: itself, or the one an ipsec zone is over."""
        return self.over or self

    def primary(self, family: int) -> int | None:
        """The first own address of a family; the unknown one where addresses are left out."""
        for value in self.addresses:
            if axes.family(value) == family:
                return value
        return None

    @property
    def is_dynamic(self) -> bool:
        """Whether its addresses are not known to the policy."""
        return bool(self.addresses) and axes.is_unknown(self.addresses[0])


@record(eq=False)
class Host:
    """One machine, one endpoint; at most one address a family."""

    name: str
    zone: Zone
    addresses: Intervals
    span: Span


@record(eq=False)
class Group:
    """Addresses of one zone under a name."""

    name: str
    zone: Zone
    addresses: Intervals
    span: Span


@record(eq=False)
class Side:
    """One end of a statement: for each zone in it, the addresses that are meant.

    All addresses (`axes.ANY_ADDRESS`) where the zone's interfaces alone decide; the addresses
    are never empty, a zone that `except` takes away wholly is not there.
    """

    zones: tuple[tuple[Zone, Intervals], ...]
    span: Span

    def __iter__(self) -> Iterator[tuple[Zone, Intervals]]:
        return iter(self.zones)

    def addresses(self, zone: Zone) -> Intervals:
        """What is meant of a zone."""
        return next((found for one, found in self.zones if one is zone), Intervals.EMPTY)


class Helper(NamedTuple):
    """A connection-tracking helper: its name in the kernel, the channels it watches, and the
    portless ones that it announces itself (`pptp`: GRE). No kernel has one whose name is "".
    """

    name: str
    control: Intervals
    data: Intervals

    @property
    def families(self) -> tuple[int, ...]:
        """The families that the kernel has it for (targets page, PPTP; nf_conntrack_irc)."""
        return (4,) if self.name in {"pptp", "irc"} else (4, 6)


@record(eq=False)
class ProtocolSet:
    """Which protocols a statement is about.

    Attributes:
        l4: the channels, on the axis of protocol and port.
        named: the part of them that is there by a protocol's name or number, and not through `any`.
        names: the names and literals used, in the statement's order; excepted ones left out.
        inside_ipsec: channels allowed to the gateway only inside its own IPsec (`l2tp-ipsec`).
        helpers: the connection-tracking helpers of these protocols, whether used or not.
    """

    l4: Intervals
    named: Intervals
    names: tuple[str, ...]
    inside_ipsec: Intervals
    helpers: tuple[Helper, ...]
    span: Span

    def startable(self, helper: bool) -> Intervals:
        """The channels that may be started: a helper's data flows are announced, never started."""
        if not helper:
            return self.l4
        return self.l4 - Intervals.union_of(one.data for one in self.helpers)


@record
class Limit:
    """New connections in a unit of time, of all sources together or of each."""

    count: int
    unit: Literal["second", "minute"]
    per_source: bool


@record
class Options:
    """What follows `with`. `log` is None without it, "" for the standard prefix."""

    helper: bool = False
    tracking: bool = False
    single: bool = False
    hairpin: bool = False
    counter: bool = False
    spi: tuple[int, int] | None = None
    log: str | None = None
    limit: Limit | None = None


class Verdict(Enum):
    """What an `allow` or a `deny` says."""

    ALLOW = "allow"
    DENY = "deny"


@record(eq=False, kw_only=True)
class Statement:
    """What all statements about traffic have.

    Attributes:
        text: the statement in canonical form, for the ruleset's comments.
        doc: the doc comment before it.
    """

    text: str
    doc: str
    span: Span

    def __repr__(self) -> str:
        return f"<{self.text}>"


@record(eq=False, kw_only=True)
class Rule(Statement):
    """`allow` or `deny`."""

    verdict: Verdict
    protocols: ProtocolSet
    source: Side
    destination: Side
    options: Options
    options_span: Span | None

    @cached_property
    def l4(self) -> Intervals:
        """The channels that may be started: with `helper`, less what the helper announces."""
        return self.protocols.startable(self.options.helper)


@record
class Entry:
    """Where a forward takes packets from: a zone, the sources meant of it, and for which addresses
    of the gateway. `hairpin` marks the host's own zone, added by the option of that name.
    """

    zone: Zone
    sources: Intervals
    addresses: Intervals
    hairpin: bool = False


@record(eq=False, kw_only=True)
class Forward(Statement):
    """`forward`: destination NAT to one host, and allowed.

    Attributes:
        entries: where it takes packets from, one a zone; no entry has an empty set.
        host: who gets them; `target` is its address of the family.
        port: the destination port they get; None where it is the one they have.
    """

    family: int
    protocols: ProtocolSet
    source: Side
    entries: tuple[Entry, ...]
    at: Span | None
    host: Host
    host_span: Span
    target: int
    port: int | None
    options: Options
    options_span: Span | None

    def public_address(self, egress: Zone) -> int | None:
        """What a source becomes by `hairpin`: the host's zone's address, or its interface's."""
        known = egress.primary(self.family)
        if known is None or axes.is_unknown(known):
            return egress.carrier.primary(self.family)
        return known

    @cached_property
    def l4(self) -> Intervals:
        """The channels it takes: never AH, which no translation leaves whole (RFC 4302), and of
        ICMPv6 neither neighbour discovery, which is between neighbours and not tracked, nor errors
        of no connection, which Linux does not translate (measured).
        """
        found = self.protocols.startable(self.options.helper) - AH
        return found - NEIGHBOUR_DISCOVERY - ICMPV6_ERRORS if self.family == 6 else found

    @cached_property
    def spis(self) -> Intervals:
        """The SPIs of the ESP that it takes."""
        return ANY_SPI if self.options.spi is None else Intervals.span(*self.options.spi)

    def takes(self, l4: int, spi: int) -> bool:
        """Whether it is about a channel; of ESP, with that SPI."""
        return l4 in self.l4 and (l4 >> 16 != axes.ESP or spi in self.spis)


@record(eq=False, kw_only=True)
class Nat(Statement):
    """`nat`: source NAT. `address` is None for masquerade."""

    family: int
    source: Side
    destination: Side
    address: int | None
    address_span: Span | None

    @cached_property
    def sources(self) -> Intervals:
        """All source addresses it covers, of its family."""
        return Intervals.union_of(found for _, found in self.source) & axes.family_axis(self.family)

    @property
    def rank(self) -> tuple[int, str]:
        """Of several that match the lowest counts: the most specific; never the one said first."""
        return self.sources.size(), self.text

    def public_address(self, egress: Zone) -> int | None:
        """What the source becomes when leaving by a zone; None if that has no such address."""
        return self.address if self.address is not None else egress.carrier.primary(self.family)

    def fixed_address(self, egress: Zone) -> int | None:
        """What rulesets have to name; None where a masquerade gives it.

        Of several IPv6 addresses a kernel takes the one that is most like the destination, or the
        latest (RFC 6724 section 5; Linux, measured).
        """
        own = egress.carrier.addresses
        several = self.family == 6 and sum(axes.family(one) == 6 for one in own) > 1
        return self.public_address(egress) if several else self.address


class ExpectKind(Enum):
    """What an expectation is about."""

    ALLOW = "allow"
    DENY = "deny"
    REACHES = "reaches"
    LEAVES = "leaves as"


@record(eq=False, kw_only=True)
class Question:
    """`esp from alice to hq`, resolved: a protocol and two places; of ESP perhaps some SPIs."""

    text: str
    protocols: ProtocolSet
    spis: Intervals
    source: Side
    destination: Side
    span: Span


@record(eq=False, kw_only=True)
class Expect(Statement):
    """A test of the policy.

    `target` is the address to be reached, or to leave as; with LEAVES, None for `untranslated`,
    and a set of the gateway's addresses for `gateway`.
    """

    kind: ExpectKind
    question: Question
    target: Intervals


@record
class Settings:
    """`set …`. `log_denied` counts messages a minute, 0 for none."""

    antispoof: bool = True
    log_denied: int = 0
    gateway_output: bool = True
    reject: bool = False
    icmp: bool = True


@record
class Parameter:
    """A parameter, and what it stands for: one value, or those of a list (`many`)."""

    name: str
    type: str
    many: bool
    values: tuple[str, ...]
    span: Span
    is_used: bool


class Unused(NamedTuple):
    """A name that nothing uses, and where it is given."""

    kind: Literal["zone", "host", "group", "protocol", "parameter"]
    name: str
    span: Span


@record(eq=False)
class Policy:
    """A whole policy, resolved.

    Attributes:
        file: the policy's own file; `files` are all that it was read from, that one first.
        parameters: as they are declared, each with its value.
        unused: the names that no statement needs; a zone is used by what is about a part of it.
        names: looks further names up, for questions.
    """

    name: str
    name_span: Span | None
    file: SourceFile
    files: tuple[SourceFile, ...]
    parameters: tuple[Parameter, ...]
    zones: tuple[Zone, ...]
    hosts: tuple[Host, ...]
    groups: tuple[Group, ...]
    rules: tuple[Rule, ...]
    forwards: tuple[Forward, ...]
    nats: tuple[Nat, ...]
    expects: tuple[Expect, ...]
    settings: Settings
    settings_spans: dict[str, Span]
    unused: tuple[Unused, ...]
    names: Names

    @property
    def gateway(self) -> Zone:
        """The zone of the machine itself."""
        return self.zones[0]

    @cached_property
    def own_addresses(self) -> Intervals:
        """Every address of the gateway, unknown ones included."""
        return Intervals.of((value, value) for zone in self.zones for value in zone.addresses)

    def zones_of(self, address: int) -> tuple[Zone, ...]:
        """The zones that may hold an address: several only where several hold the rest."""
        if address in self.own_addresses:
            return (self.gateway,)
        return tuple(zone for zone in self.zones if address in zone.holds)

    def is_outside(self, zone: Zone) -> bool:
        """Whether a zone is outside: it holds the rest, or a `nat` translates to it."""
        return zone.is_rest or any(
            zone is leaving for nat in self.nats for leaving, _ in nat.destination
        )
