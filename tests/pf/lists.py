"""A pf ruleset as first-match lists: what becomes of all packets of a way in, at once.

The same evaluation as `firewall/`, of boxes of packets and not of one: a rule that holds for a part
of a box puts that part in front, changed, and leaves the box behind it. So the end of a walk is a
list in which the first box that holds a packet tells its fate, to be compared with the lists of the
policy, exactly (`tunnelgate.flows.firstmatch`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from firewall.rules import PROXY_PORTS, NotModelled

from tunnelgate.flows import axes
from tunnelgate.flows.fields import (
    DESTINATION,
    DROP,
    EGRESS,
    EVERYTHING,
    L4,
    SOURCE,
    SOURCE_PORT,
    Delivered,
    Sets,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning import Ports
from tunnelgate.meaning.decide import ICMPV6_ERRORS
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import MULTICAST
from tunnelgate_targets.pf.read import Dialect, Ruleset
from tunnelgate_targets.pf.read.ruleset import (
    ANY_PORT,
    Action,
    Address,
    Anchor,
    Criteria,
    Direction,
    Interface,
    Kind,
    OfInterface,
    Pool,
    Rule,
    Side,
    Span,
    TableName,
    Translation,
)

ENC = "enc0"
#: Multicast listener messages have a hop-by-hop header (RFC 2710, RFC 3810).
WITH_OPTIONS = Intervals.of(
    axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF) for kind in (130, 131, 132, 143)
)
#: What a source becomes that pf takes from several; no address of the axis.
WHICHEVER = -1
_LOST = "the port of IKE is lost"
_MOVED_FROM = 4501


@dataclass(frozen=True, slots=True)
class Piece:
    """Packets that pf has done the same to so far.

    Attributes:
        sets: which they are, as they arrived; the axes of `meaning.flatten`.
        destination, port, source: what became of them; None is what they were.
        pool: where the source was translated.
        tag: theirs.
        last: the rule that decides if no other one does.
    """

    sets: Sets
    destination: int | None = None
    port: int | None = None
    source: int | None = None
    pool: Pool | None = None
    tag: str | None = None
    last: Rule | None = None

    def narrowed(self, axis: int, wanted: Intervals) -> Piece | None:
        """The part of it that is in a set on one axis."""
        have = self.sets[axis]
        both = wanted if have is None else have & wanted
        if not both:
            return None
        sets = (*self.sets[:axis], both, *self.sets[axis + 1 :])
        return self if sets == self.sets else replace(self, sets=sets)


class Lists:
    """The lists of one ruleset for one family, on the interfaces of a policy's zones."""

    def __init__(
        self,
        ruleset: Ruleset,
        policy: Policy,
        addresses: dict[str, tuple[int, ...]],
        family: int,
        *,
        tunnels: bool = True,
    ) -> None:
        """`addresses` are places on the axis, by interface; unknown ones too.

        Without tunnels what goes to their networks leaves by the interfaces that carry them.
        """
        self.ruleset, self.policy, self.family = ruleset, policy, family
        self.addresses = addresses
        self.tunnels = tunnels

    def of(self, zone: Zone, wire: str | None) -> tuple[list[Row], list[Row], list[Row]]:
        """Verdict, source and source port of what comes in by a wire, or is sent here."""
        stages: tuple[list[Row], list[Row], list[Row]] = ([], [], [])
        for piece, label in self._fates(zone, wire):
            for stage, what in zip(stages, (label, piece.source, None), strict=True):
                stage.append(Row(piece.sets, what, piece.last and piece.last.line))
            if piece.source is not None:
                stages[2][-1:] = list(_ports(piece))
        for stage, what in zip(stages, (DROP, None, None), strict=True):
            stage.append(Row(EVERYTHING, what))
        return stages

    def _fates(self, zone: Zone, wire: str | None) -> Iterator[tuple[Piece, object]]:
        start = Piece(EVERYTHING)
        if wire is None:
            yield from self._leaving(start, zone, None)
            return
        for piece, passes in self._pass(start, Direction.IN, wire, wire):
            if not passes:
                yield piece, DROP
            else:
                yield from self._leaving(replace(piece, last=None), zone, wire)

    def _leaving(
        self, piece: Piece, ingress: Zone, wire: str | None
    ) -> Iterator[tuple[Piece, object]]:
        """Where a piece is routed to, and whether it passes there."""
        several = sum(zone.is_rest for zone in self.policy.zones) > 1
        for egress in self.policy.zones:
            part = self._routed(piece, ingress, egress)
            if part is not None and several and egress.is_rest:
                part = part.narrowed(EGRESS, Intervals.single(egress.index))
            if part is None:
                continue
            label = Delivered(egress.name, part.destination, part.port)
            if egress is self.policy.gateway:
                yield part, label
                continue
            way = ENC if egress.over is not None and self.tunnels else wire_of(egress)
            for out, passes in self._pass(part, Direction.OUT, way, wire):
                yield out, label if passes else DROP

    def _routed(self, piece: Piece, ingress: Zone, egress: Zone) -> Piece | None:
        own = self.policy.own_addresses
        if piece.destination is not None:
            holders = self.policy.zones_of(piece.destination)
            return piece if holders and holders[0] is egress else None
        from_here = ingress is self.policy.gateway
        if egress is self.policy.gateway:
            return piece.narrowed(DESTINATION, own if from_here else own | MULTICAST)
        space = egress.holds - own
        return piece.narrowed(DESTINATION, space if from_here else space - MULTICAST)

    # -- one interface

    def _pass(
        self, piece: Piece, direction: Direction, interface: str, received: str | None
    ) -> Iterator[tuple[Piece, bool]]:
        """What becomes of a piece on an interface, in the order in which packets are asked."""
        walk = _Walk(self, direction, interface, received, piece)
        return walk.fates()


class _Walk:
    def __init__(
        self,
        lists: Lists,
        direction: Direction,
        interface: str,
        received: str | None,
        start: Piece,
    ) -> None:
        self.lists, self.ruleset = lists, lists.ruleset
        self.modern = lists.ruleset.dialect is Dialect.MODERN
        self.direction, self.interface, self.received = direction, interface, received
        self.start = start

    def fates(self) -> Iterator[tuple[Piece, bool]]:
        pieces = [self.start] if self.modern else list(self._translated())
        for piece in pieces:
            for end in self._rules([(piece, False)], self.ruleset.rules):
                yield from self._end(end)

    def _rules(
        self, pieces: list[tuple[Piece, bool]], rules: tuple[Rule | Anchor, ...]
    ) -> list[Piece]:
        """The pieces behind all rules; `True` with one says that no rule asks it any more."""
        for rule in rules:
            if isinstance(rule, Anchor):
                raise NotModelled(f"anchor {rule.name}")
            asked = self._static(rule.criteria)
            if asked is not None:
                pieces = [part for piece, done in pieces for part in self._asked(piece, done, rule)]
        return [piece for piece, _ in pieces]

    def _asked(self, piece: Piece, done: bool, rule: Rule) -> Iterator[tuple[Piece, bool]]:
        hit = None if done else self._meets(piece, rule.criteria)
        if hit is None:
            yield piece, done
            return
        whole = hit.sets == piece.sets
        changed = replace(hit, tag=rule.tag or hit.tag)
        if rule.action is Action.MATCH:
            changed = self._translate(changed, rule.nat, rule.rdr, rule.criteria)
        else:
            changed = replace(changed, last=rule)
        yield changed, rule.quick
        if not whole:
            yield piece, False

    def _end(self, piece: Piece) -> Iterator[tuple[Piece, bool]]:
        """Whether it passes, and as what: pf translates only what it remembers (modern)."""
        rule = piece.last
        if rule is not None and rule.action is Action.BLOCK:
            yield piece, False
            return
        if rule is not None and not rule.allow_options:
            part = piece.narrowed(L4, WITH_OPTIONS)
            if part is not None:
                yield part, False
        if self.modern:
            plain = replace(
                piece,
                destination=self.start.destination,
                port=self.start.port,
                source=self.start.source,
                pool=self.start.pool,
            )
            errors = plain.narrowed(L4, ICMPV6_ERRORS)
            if errors is not None:
                yield errors, True
            if rule is None or rule.state is None:
                yield plain, True
                return
            piece = self._translate(piece, rule.nat, rule.rdr, rule.criteria)
        yield piece, True

    # -- what a rule asks

    def _static(self, asked: Criteria) -> Criteria | None:
        """The criteria, if interface, direction and family hold."""
        holds = (
            asked.direction in {None, self.direction}
            and self._on(asked.interface, self.interface)
            and self._on(asked.received, self.received)
            and asked.family in {0, self.lists.family}
        )
        return asked if holds else None

    def _on(self, asked: Interface | None, name: str | None) -> bool:
        if asked is None:
            return True
        if name is None:
            return asked.negated
        return (asked.name in {name, name.rstrip("0123456789")}) != asked.negated

    def _meets(self, piece: Piece, asked: Criteria) -> Piece | None:
        """The part of a piece that a rule holds for."""
        if asked.tagged is not None and (piece.tag == asked.tagged.name) == asked.tagged.negated:
            return None
        found: Piece | None = self._channels(piece, asked)
        for axis, side, value in (
            (SOURCE, asked.source, piece.source),
            (DESTINATION, asked.destination, piece.destination),
        ):
            if found is None or side.address is None:
                continue
            wanted = self._holds(side)
            if value is None:
                found = found.narrowed(axis, wanted)
            elif value not in wanted:
                return None
        return found

    def _channels(self, piece: Piece, asked: Criteria) -> Piece | None:
        found: Piece | None = piece
        wanted = _l4(asked)
        if wanted is not None and piece.port is None:
            found = piece.narrowed(L4, wanted)
        elif wanted is not None:
            channels = piece.sets[L4]
            assert channels is not None, "a port is translated of known channels"
            fitting = Intervals.of(
                axes.l4(low >> 16)
                for low, _ in channels
                if low >> 16 << 16 | (piece.port or 0) in wanted
            )
            found = piece.narrowed(L4, fitting)
        if found is None or asked.source.ports == ANY_PORT:
            return found
        if asked.protocol != axes.UDP:
            raise NotModelled("a source port of something else than UDP")
        if piece.pool is None or piece.pool.static:
            return found.narrowed(SOURCE_PORT, asked.source.ports)
        replaced = Intervals.of([piece.pool.ports or PROXY_PORTS])
        if not asked.source.ports.overlaps(replaced):
            return None
        if not replaced <= asked.source.ports:
            raise NotModelled("some of the ports that pf may choose")
        return found

    def _holds(self, side: Side) -> Intervals:
        assert side.address is not None
        addresses = self._set(side.address)
        return axes.ANY_ADDRESS - addresses if side.negated else addresses

    def _set(self, address: Address) -> Intervals:
        match address:
            case Span(interval):
                return Intervals.of([interval])
            case TableName(name):
                return self._table(name)
            case OfInterface(name, "", primary, None, _):
                return Intervals.of((one, one) for one in self._own(name, primary=primary))
            case OfInterface("self", "broadcast"):
                return Intervals.EMPTY  # nobody's: the policies have no word for it
        raise NotModelled(str(address))

    def _own(self, name: str, *, primary: bool) -> list[int]:
        found = []
        for interface, addresses in self.lists.addresses.items():
            if name == "self" or self._on(Interface(name), interface):
                own = [one for one in addresses if axes.family(one) == self.lists.family]
                found += own[:1] if primary else own
        return found

    def _table(self, name: str) -> Intervals:
        """The longer prefix counts: so the shorter ones come first."""
        table = self.ruleset.tables.get(name)
        found = Intervals.EMPTY
        for entry, exception in sorted(
            table.entries if table else (), key=lambda one: -self._set(one[0]).size()
        ):
            found = found - self._set(entry) if exception else found | self._set(entry)
        return found

    # -- what becomes of a packet

    def _translated(self) -> Iterator[Piece]:
        """The classic dialect translates first, by the first rule that holds."""
        kind = Kind.RDR if self.direction is Direction.IN else Kind.NAT
        for rule in self.ruleset.translations:
            if rule.kind is not kind or self._static(rule.criteria) is None:
                continue
            hit = self._meets(self.start, rule.criteria)
            if hit is not None:
                yield self._translated_by(hit, rule)
                if hit.sets == self.start.sets:
                    return
        yield self.start

    def _translated_by(self, hit: Piece, rule: Translation) -> Piece:
        if rule.pool is None:
            return hit
        if rule.passes:
            raise NotModelled("a translation that passes")
        nat, rdr = (rule.pool, None) if rule.kind is Kind.NAT else (None, rule.pool)
        return self._translate(replace(hit, tag=rule.tag or hit.tag), nat, rdr, rule.criteria)

    def _translate(
        self, piece: Piece, nat: Pool | None, rdr: Pool | None, asked: Criteria
    ) -> Piece:
        if nat is not None:
            piece = replace(piece, source=self._one(nat), pool=nat)
        if rdr is not None:
            piece = replace(piece, destination=self._one(rdr))
            if rdr.ports is not None and asked.protocol in {axes.TCP, axes.UDP}:
                if rdr.ports[0] != rdr.ports[1]:
                    raise NotModelled("a range of new ports")
                piece = replace(piece, port=rdr.ports[0])
        return piece

    def _one(self, pool: Pool) -> int:
        (address,) = pool.addresses
        if isinstance(address, OfInterface) and not address.primary:
            return WHICHEVER
        return self._set(address).first()


def _l4(asked: Criteria) -> Intervals | None:
    """The channels that a rule asks for; None for all."""
    if asked.protocol is None:
        return None
    if asked.icmp is not None:
        first, code = asked.icmp.kind << 8, asked.icmp.code
        low, high = (first, first | 0xFF) if code is None else (first | code, first | code)
        return Intervals.of([axes.l4(asked.protocol, low, high)])
    return Intervals.of(axes.l4(asked.protocol, low, high) for low, high in asked.destination.ports)


def _ports(piece: Piece) -> Iterator[Row]:
    """What becomes of the source port; that of IKE has to stay unless it is moved."""
    assert piece.pool is not None
    line = piece.last and piece.last.line
    if piece.pool.ports is not None and piece.pool.ports[0] == _MOVED_FROM:
        yield Row(piece.sets, Ports.MOVED, line)
        return
    ike = piece.narrowed(L4, Intervals.of([axes.l4(axes.UDP)]))
    ike = ike and ike.narrowed(SOURCE_PORT, Intervals.single(500))
    if ike is not None and not piece.pool.static:
        yield Row(ike.sets, _LOST, line)
    yield Row(piece.sets, Ports.KEPT, line)


def wire_of(zone: Zone) -> str:
    """The first interface of a zone; for a wildcard, one of the group."""
    return zone.carrier.interfaces[0].replace("*", "7")
