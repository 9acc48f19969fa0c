"""A ruleset of pf as the same lists that a policy becomes.

A packet asks the rules twice: on the interface that it comes in by, then, changed and routed, on
the one it leaves by. What IPsec protects is seen on enc0 instead (enc(4)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.crossings import WHICHEVER, Crossing, Fate, Piece, Screens
from tunnelgate.flows.fields import (
    DESTINATION,
    DROP,
    EGRESS,
    EVERYTHING,
    KEPT,
    L4,
    MOVED,
    SOURCE,
    SOURCE_PORT,
    Delivered,
    Sets,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.sets import merged
from tunnelgate.policy import Zone
from tunnelgate.proof.world import Way, World

ENC = "enc0"
LOOPBACK = "lo0"
_ALL = Piece()
_UDP = Intervals.of([axes.l4(axes.UDP)])
_IKE = Intervals.single(500)
#: The first port that a moved one may be (`flows.fields.MOVED`).
_MOVED_FROM = 4501

#: What becomes of the answers to a packet that passes; the label of a stage.
ANSWERED = "its answers pass"


class Passage(NamedTuple):
    """Packets of a way, how far they come, and which connections are remembered of them.

    Attributes:
        piece: which packets, as they arrived, and what became of them.
        fate: what happens where they come last.
        egress: where they go; None for what is dropped where it arrives.
        arrived: the fate on arrival; None for what the gateway sends.
    """

    piece: Piece
    fate: Fate
    egress: Zone | None
    arrived: Fate | None


class Lists:
    """The lists of one ruleset for one family, on the interfaces of a policy's zones."""

    def __init__(self, screens: Screens, world: World, family: int) -> None:
        self.world, self.family = world, family
        self.gate = screens.on(
            {
                wire: tuple(_own_addresses(zone))
                for zone in world.policy.zones[1:]
                if zone.over is None
                for wire in wires(zone)
            },
            cache(world.located),
        )

    # -- the way of packets

    def passages(
        self,
        way: Way,
        choice: int,
        start: Piece = _ALL,
        *,
        tunnels: bool = True,
        opens: bool = True,
    ) -> Iterator[Passage]:
        """The packets of a way that no connection is known of, part by part; the first counts.

        Args:
            way: how they come in.
            choice: which of its interfaces each zone is left by.
            start: which packets.
            tunnels: what goes to a tunnel is protected; else it leaves by what carries it.
            opens: their TCP opens a connection.

        Raises:
            Unmodelled: the ruleset asks what only a real machine knows.
        """
        if way.interface is None:
            arrivals: Iterator[tuple[Piece, Fate | None]] = iter([(start, None)])
        else:
            crossing = Crossing(True, way.interface, way.interface, opens)
            arrivals = iter(self.gate.crossed(start, crossing))
        for piece, fate in arrivals:
            if fate is not None and not fate.passes:
                yield Passage(piece, fate, None, fate)
                continue
            for egress in self.world.policy.zones:
                part = self._routed(piece, way, egress)
                if part is None:
                    continue
                name = self.departure(egress, choice, tunnels=tunnels)
                if name is None:
                    yield Passage(part, fate or Fate.KEPT, egress, fate)
                    continue
                leaving = Crossing(False, name, way.interface, opens)
                for out, last in self.gate.crossed(part, leaving):
                    yield Passage(out, last, egress, fate)

    def _routed(self, piece: Piece, way: Way, egress: Zone) -> Piece | None:
        """Those of them that go to a zone; where several may hold them, a host is in its own."""
        if piece.destination is not None:
            return piece if self.world.zone_of(piece.destination) is egress else None
        space = self.world.space(egress, from_gateway=way.interface is None)
        part = piece.narrowed(DESTINATION, space)
        return None if part is None else part.narrowed(EGRESS, self.world.choice(egress))

    def departure(self, egress: Zone, choice: int, *, tunnels: bool) -> str | None:
        """The interface on which pf sees what leaves for a zone; None for the gateway itself."""
        if egress is self.world.gateway:
            return None
        if egress.over is not None and tunnels:
            return ENC
        names = wires(egress)
        return names[choice % len(names)]

    # -- stages

    def stages(self, way: Way, passages: list[Passage]) -> tuple[list[Row], ...]:
        """Verdict, source, source port, and what becomes of the answers."""
        own = way.interface is None
        found: tuple[list[Row], ...] = ([], [], [], [])
        for one in passages:
            piece, verdict = one.piece, _verdict(one, own=own)
            found[0].append(Row(piece.sets, verdict, piece.line))
            if verdict == DROP:
                continue  # no later stage is asked about it
            source = "one of several addresses" if piece.source == WHICHEVER else piece.source
            found[1].append(Row(piece.sets, source, piece.line))
            found[2].extend(_ports(piece))
            found[3].append(Row(piece.sets, _answers(one, way), piece.line))
        verdicts = [*_gathered(found[0]), Row(EVERYTHING, DROP)]
        return (verdicts, *(list(_gathered(_whatever(stage))) for stage in found[1:]))

    def leaving(self, start: Piece, crossing: Crossing) -> list[Row]:
        """What becomes of packets where they leave, that are not to be translated any more."""
        found = []
        for piece, fate in self.gate.crossed(start, crossing):
            label: object = DROP if fate is Fate.DROPPED else fate.value
            if fate.passes:
                label = "is translated" if piece.is_translated() else ANSWERED
            found.append(Row(piece.sets, label, piece.line))
        return [*found, Row(EVERYTHING, DROP)]


def _whatever(rows: list[Row]) -> list[Row]:
    """A list whose end says what its last rows say: what none of them holds is dropped anyway."""
    label = rows[-1].label if rows else None
    while rows and rows[-1].label == label:
        rows.pop()
    return [*rows, Row(EVERYTHING, label)]


class Gathered(NamedTuple):
    """The cause of a row that stands for several."""

    rows: list[Row]

    def within(self, box: Box) -> object:
        """The cause of the first one that holds a point of a box."""
        return next((row.cause for row in self.rows if overlaps(row.sets, box)), None)


def overlaps(asked: Sets, box: Box) -> bool:
    """Whether a box has a point that is asked for."""
    pairs = zip(asked, box, strict=True)
    return all(one is None or one.overlaps(there) for one, there in pairs)


def _gathered(rows: list[Row]) -> Iterator[Row]:
    """The same list with fewer rows: those that differ in one axis alone become one.

    A thousand hosts, of each of which all else is dropped, are one row then. Rows of one source
    keep their order, by levels; rows of different ones have none.
    """
    waiting: dict[tuple[int, object], list[Row]] = {}
    last: dict[int, tuple[int, object]] = {}
    for row in rows:
        asked = row.sets[SOURCE]
        if asked is None or not asked.is_single():
            yield from _levelled(waiting)
            waiting, last = {}, {}
            yield row
            continue
        level, label = last.get(asked.first(), (0, row.label))
        level += label != row.label
        last[asked.first()] = level, row.label
        waiting.setdefault((level, row.label), []).append(row)
    yield from _levelled(waiting)


def _levelled(waiting: Mapping[tuple[int, object], list[Row]]) -> Iterator[Row]:
    for level, label in sorted(waiting, key=itemgetter(0)):
        some = waiting[level, label]
        if len(some) == 1:
            yield from some
            continue
        cause = Gathered(some)
        for box in merged(row.sets for row in some):
            yield Row(box, label, cause)


def _verdict(one: Passage, *, own: bool) -> object:
    """What the gateway itself sends, an anchor may leave to the rules of others as it is."""
    if one.fate is Fate.DROPPED:
        return DROP
    if one.egress is None or not (one.fate.passes or own):
        return one.fate.value
    piece = one.piece
    return Delivered(one.egress.name, piece.destination, piece.port, piece.rates)


def _answers(one: Passage, way: Way) -> str:
    """Whether the answers pass, and only those that come the way they should.

    A connection that is known on every interface passes in clear, too. So what goes through IPsec
    has to be known on enc0 alone, and the rest everywhere, since a zone may have several.
    """
    inside = way.decrypted
    if one.arrived in {Fate.KEPT, Fate.BOUND} and (one.arrived is Fate.BOUND) != inside:
        return f"{one.arrived.value} on arrival"
    if one.egress is not None and not one.egress.is_gateway:
        inside = one.egress.over is not None
    elif one.arrived is None:
        return ANSWERED
    if one.fate is Fate.LEFT and way.interface is None:
        return ANSWERED
    return ANSWERED if one.fate is (Fate.BOUND if inside else Fate.KEPT) else one.fate.value


def _ports(piece: Piece) -> Iterator[Row]:
    """What becomes of the source port; that of IKE has to stay unless it is moved."""
    ports = piece.source_ports
    if piece.source is None:
        yield Row(piece.sets, None, piece.line)
        return
    if ports is not None and ports[0] == _MOVED_FROM:
        yield Row(piece.sets, MOVED, piece.line)
        return
    ike = piece.narrowed(L4, _UDP)
    ike = ike and ike.narrowed(SOURCE_PORT, _IKE)
    if ike is not None and ports is not None:
        yield Row(ike.sets, "the port of IKE is lost", piece.line)
    yield Row(piece.sets, KEPT, piece.line)


def wires(zone: Zone) -> list[str]:
    """The interfaces that carry a zone; for a wildcard, one of its group."""
    return [name.replace("*", "32767") for name in zone.carrier.interfaces]


def _own_addresses(zone: Zone) -> list[int]:
    """The gateway's addresses in a zone, and a place for that of a family of which it says none."""
    known = {axes.family(one) for one in zone.addresses}
    missing = (axes.unknown_address(zone.index, family) for family in (4, 6) if family not in known)
    return [*zone.addresses, *missing]
