"""The fate of one packet that starts a connection (language reference, What happens to a packet).

This is the model that checks, expectations and proofs decide on, and that the packet tests hold
against real kernels. It reads the policy directly and shares nothing with what targets emit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import (
    BEGINS_NOTHING,
    MULTICAST,
    Entry,
    Forward,
    Nat,
    Policy,
    Rule,
    Statement,
    Verdict,
    Zone,
)
from tunnelgate.policy.model import ICMPV6_ERRORS as ICMPV6_ERRORS
from tunnelgate.policy.model import NEIGHBOUR_DISCOVERY as NEIGHBOUR_DISCOVERY
from tunnelgate.records import record, replace

#: Sources that are nobody's: the unspecified address of IPv6 and its link-local ones (RFC 4291).
NEVER_SPOOFED = Intervals.of(
    [
        (axes.address_of("::"), axes.address_of("::")),
        (axes.address_of("fe80::"), axes.address_of("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    ]
)
_DHCP_SERVER = axes.UDP << 16 | 67
_IKE_PORTS = (500, 4500)
#: A source port as clients have it, which nothing treats in a way of its own.
CLIENT_PORT = 40000
#: The gateway's own ICMP errors, without which path MTU discovery fails (RFC 1191).
ICMP_ERRORS = Intervals.of(axes.l4(axes.ICMP, kind << 8, kind << 8 | 0xFF) for kind in (3, 11, 12))


class Reason(Enum):
    """Why a packet has its fate."""

    ALLOWED = "allowed"
    FORWARDED = "forwarded"
    ALWAYS = "always on"
    DENIED = "denied"
    NOT_ALLOWED = "nothing allows it"
    SPOOFED = "its source belongs elsewhere"
    NOT_PROTECTED = "it claims to come through a tunnel and was not decrypted"
    NOT_IN_TUNNEL = "it was decrypted, and no zone over this interface holds its source"
    BEGINS_NOTHING = "it begins nothing, and belongs to no connection"
    AH_TRANSLATED = "AH would be translated"
    NO_ZONE = "no zone holds its destination"


class Ports(Enum):
    """What becomes of the source port where a source is translated.

    Moved to 4501-65535: the kernel keeps a port that lies in the range it is given, so a range that
    holds 4500 would leave 4500 where it is (measured).
    """

    KEPT = "kept if free"
    MOVED = "moved above 4500"


@record
class Packet:
    """A packet that starts a connection.

    Attributes:
        ingress: the zone of the interface it arrives on; the gateway for what it sends itself.
        source, destination: places on the axis of addresses, of one family.
        l4: place on the axis of protocol and port.
        source_port: of TCP and UDP; says nothing otherwise.
        spi: of ESP; says nothing otherwise.
        decrypted: it came through the gateway's own IPsec over that zone.
    """

    ingress: Zone
    source: int
    destination: int
    l4: int
    source_port: int = CLIENT_PORT
    decrypted: bool = False
    spi: int = 0x1000


@record
class Outcome:
    """What happens to a packet.

    Attributes:
        delivered: whether it passes.
        reason: why.
        packet: the question.
        statement: who decided, None where no statement did.
        egress: the zone it leaves by (the gateway, when it is for the machine itself).
        source, destination, l4: as it leaves.
        ports: what becomes of the source port; None where the source is not translated.
    """

    delivered: bool
    reason: Reason
    packet: Packet
    egress: Zone | None
    source: int
    destination: int
    l4: int
    statement: Statement | None = None
    translator: Statement | None = None
    ports: Ports | None = None

    @property
    def source_translated(self) -> bool:
        """Whether it leaves with another source."""
        return self.ports is not None


def decide(policy: Policy, packet: Packet, egress: Zone | None = None) -> Outcome:
    """The fate of a packet; `egress` chooses where several zones may hold its destination."""
    return Decider(policy).decide(packet, egress)


class Decider:
    """Decides many packets of one policy: statements are looked up by their pair of zones."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.gateway = policy.gateway
        self._rules: dict[tuple[Zone, Zone], list[Rule]] = defaultdict(list)
        for rule in sorted(policy.rules, key=lambda one: one.verdict is not Verdict.DENY):
            for source, _ in rule.source:
                for destination, _ in rule.destination:
                    self._rules[source, destination].append(rule)
        self.nats = sorted(policy.nats, key=lambda nat: nat.rank)
        self._ipsec = [zone for zone in policy.zones if zone.over is not None]

    def rules(self, ingress: Zone, egress: Zone) -> list[Rule]:
        """The statements about a pair of zones, denials first."""
        return self._rules.get((ingress, egress), [])

    def decide(
        self, packet: Packet, egress: Zone | None = None, rules: Iterable[Rule] | None = None
    ) -> Outcome:
        """The fate of a packet. `rules` restricts which statements are looked at."""
        if packet.decrypted and packet.ingress.over is None:
            packet = self._arrived(packet)
        forward, entry = self.forward_of(packet)
        destination = forward.target if forward else packet.destination
        l4 = packet.l4
        if forward and forward.port is not None:
            l4 = l4 >> 16 << 16 | forward.port
        if forward:
            egress = forward.host.zone
        elif egress is None:
            holders = self.policy.zones_of(destination)
            egress = holders[0] if holders else None
        if destination in MULTICAST and packet.ingress is not self.gateway:
            egress = self.gateway
        outcome = Outcome(False, Reason.NO_ZONE, packet, egress, packet.source, destination, l4)
        stopped = self._stopped(packet)
        if stopped is not None:
            return replace(outcome, reason=stopped)
        if egress is None:
            return outcome
        nat = self.nat_of(packet, egress, destination, forward, entry)
        if nat is not None and packet.l4 >> 16 == axes.AH:
            return replace(outcome, reason=Reason.AH_TRANSLATED, statement=nat)
        outcome = self._judge(outcome, egress, forward, rules)
        if outcome.delivered and nat is not None:
            outcome = self._translate(outcome, nat, egress)
        return outcome

    # -- arrival

    def _arrived(self, packet: Packet) -> Packet:
        """Decrypted traffic is in the ipsec zone, over that of the interface, which holds it."""
        for zone in self._ipsec:
            if zone.over is packet.ingress and packet.source in zone.holds:
                return replace(packet, ingress=zone)
        return packet

    def forward_of(self, packet: Packet) -> tuple[Forward, Entry] | tuple[None, None]:
        """The forward that takes a packet, and where it took it from."""
        if self._is_apart(packet):
            return None, None
        for forward in self.policy.forwards:
            if not forward.takes(packet.l4, packet.spi):
                continue
            for entry in forward.entries:
                if (
                    entry.zone is packet.ingress
                    and packet.source in entry.sources
                    and packet.destination in entry.addresses
                ):
                    return forward, entry
        return None, None

    def _is_apart(self, packet: Packet) -> bool:
        """Whether it was decrypted over a zone with tunnels, so that it is not in that zone."""
        zone = packet.ingress
        return (
            packet.decrypted and zone.over is None and any(one.over is zone for one in self._ipsec)
        )

    def _stopped(self, packet: Packet) -> Reason | None:
        """Why a packet is dropped for where it came from or what it is, whatever is allowed."""
        zone, source = packet.ingress, packet.source
        if zone is self.gateway:
            return None
        if zone.over is None:
            if self._is_apart(packet) and not self._inside_ipsec(packet):
                return Reason.NOT_IN_TUNNEL
            if not packet.decrypted and any(source in one.holds for one in self._ipsec):
                return Reason.NOT_PROTECTED
        if self.policy.settings.antispoof and not _is_at_home(packet):
            return Reason.SPOOFED
        return Reason.BEGINS_NOTHING if packet.l4 in BEGINS_NOTHING else None

    def _inside_ipsec(self, packet: Packet) -> bool:
        """Whether this is L2TP to the gateway under `l2tp-ipsec`."""
        return packet.destination in self.policy.own_addresses | MULTICAST and any(
            _matches_inside(rule, packet) for rule in self.rules(packet.ingress, self.gateway)
        )

    # -- verdict

    def _judge(
        self, outcome: Outcome, egress: Zone, forward: Forward | None, rules: Iterable[Rule] | None
    ) -> Outcome:
        packet = outcome.packet
        if self._always(outcome, egress):
            return replace(outcome, delivered=True, reason=Reason.ALWAYS)
        allowed: Rule | None = None
        for rule in self.rules(packet.ingress, egress) if rules is None else rules:
            if not self._matches(rule, outcome, egress):
                continue
            if rule.verdict is Verdict.DENY:
                return replace(outcome, reason=Reason.DENIED, statement=rule)
            allowed = allowed or rule
        if forward is not None:
            return replace(outcome, delivered=True, reason=Reason.FORWARDED, statement=forward)
        if allowed is not None:
            return replace(outcome, delivered=True, reason=Reason.ALLOWED, statement=allowed)
        if packet.ingress is self.gateway and self.policy.settings.gateway_output:
            return replace(outcome, delivered=True, reason=Reason.ALWAYS)
        return replace(outcome, reason=Reason.NOT_ALLOWED)

    def _matches(self, rule: Rule, outcome: Outcome, egress: Zone) -> bool:
        packet = outcome.packet
        if packet.source not in rule.source.addresses(packet.ingress):
            return False
        if outcome.destination not in rule.destination.addresses(egress):
            return False
        inside = packet.decrypted and packet.ingress.over is None and egress is self.gateway
        return outcome.l4 in rule.l4 or (inside and packet.l4 in rule.protocols.inside_ipsec)

    def _always(self, outcome: Outcome, egress: Zone) -> bool:
        """What every gateway needs, whatever a `deny` says (language reference, Always on)."""
        packet = outcome.packet
        if self.gateway in (packet.ingress, egress):
            if packet.ingress is egress or outcome.l4 in NEIGHBOUR_DISCOVERY:
                return True
            if packet.ingress is self.gateway:
                return outcome.l4 in ICMPV6_ERRORS or outcome.l4 in ICMP_ERRORS
        return self.policy.settings.icmp and outcome.l4 in ICMPV6_ERRORS

    # -- source translation

    def nat_of(
        self,
        packet: Packet,
        egress: Zone,
        destination: int,
        forward: Forward | None,
        entry: Entry | None,
    ) -> Nat | Forward | None:
        """The statement that translates the source, the most specific one; a forward by hairpin."""
        if packet.ingress is self.gateway or egress is self.gateway:
            return None
        if packet.l4 in ICMPV6_ERRORS:
            return None  # an error that starts something is invalid to the kernel: passed as it is
        if forward is not None and entry is not None and entry.zone is forward.host.zone:
            return forward if forward.options.hairpin else None
        for nat in self.nats:
            if (
                nat.family == axes.family(packet.source)
                and packet.source in nat.source.addresses(packet.ingress)
                and destination in nat.destination.addresses(egress)
            ):
                return nat
        return None

    def _translate(self, outcome: Outcome, nat: Nat | Forward, egress: Zone) -> Outcome:
        public = nat.public_address(egress)
        if public is None:
            public = axes.unknown_address(egress.carrier.index, axes.family(outcome.source))
        # what a hairpin turns around goes to a host of the zone, whose ports nobody forwards to it
        is_moved = isinstance(nat, Nat) and self._moved(outcome, egress, public)
        ports = Ports.MOVED if is_moved else Ports.KEPT
        return replace(outcome, source=public, translator=nat, ports=ports)

    def _moved(self, outcome: Outcome, egress: Zone, public: int) -> bool:
        """Whether the source port has to go, because a forward takes it from the peer."""
        packet = outcome.packet
        if outcome.l4 >> 16 != axes.UDP or packet.source_port not in _IKE_PORTS:
            return False
        answer = axes.UDP << 16 | packet.source_port
        return any(
            answer in forward.l4
            and forward.target != packet.source
            and any(
                entry.zone is egress
                and outcome.destination in entry.sources
                and public in entry.addresses
                for entry in forward.entries
            )
            for forward in self.policy.forwards
        )


def _is_at_home(packet: Packet) -> bool:
    """Whether its source may be where it comes from."""
    source = packet.source
    asks_for_one = source == 0 and packet.l4 == _DHCP_SERVER
    return asks_for_one or source in packet.ingress.holds or source in NEVER_SPOOFED


def _matches_inside(rule: Rule, packet: Packet) -> bool:
    return packet.l4 in rule.protocols.inside_ipsec and rule.verdict is Verdict.ALLOW
