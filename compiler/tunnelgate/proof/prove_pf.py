"""Is a ruleset of pf what its policy means? For all packets at once.

A state of pf lets pass what belongs to its connection, and asks no rule. So what is shown of
established packets is that there is such a state for each that passes, that it is good where it has
to be and nowhere else, and that the answers which come back by it leave on the other side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.crossings import Crossing, Fate, Piece, Screens
from tunnelgate.flows.fields import ANY_PORT, DESTINATION, DROP, EVERYTHING, L4, SOURCE, Arrival
from tunnelgate.flows.firstmatch import Row, differences
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.sets import sets
from tunnelgate.meaning.decide import ICMPV6_ERRORS, NEIGHBOUR_DISCOVERY
from tunnelgate.policy import Zone
from tunnelgate.proof.pf import ANSWERED, ENC, LOOPBACK, Gathered, Lists, Passage, overlaps, wires
from tunnelgate.proof.pf_asked import LISTENERS, Asked
from tunnelgate.proof.refuted import Refuted
from tunnelgate.proof.world import STRANGER, Way, World

_TCP = Intervals.of([axes.l4(axes.TCP)])
_NOTHING = [Row(EVERYTHING, DROP)]
_PASSES = [Row(EVERYTHING, ANSWERED, "always on")]
#: What begins no connection although it passes.
_BEGINS_NONE = Row(sets(l4=NEIGHBOUR_DISCOVERY | ICMPV6_ERRORS | LISTENERS), None)
_ANSWERS = [_BEGINS_NONE, *_PASSES]


class Prover:
    """The comparisons of one family."""

    def __init__(
        self,
        world: World,
        meant: Mapping[Arrival, tuple[list[Row], ...]],
        screens: Screens,
        family: int,
        budget: int,
    ) -> None:
        self.world, self.family, self.budget = world, family, budget
        self.lists = Lists(screens, world, family)
        self.meant = meant
        self.asked = Asked(world, meant)

    def all(self, *, whole: bool) -> Iterator[Refuted]:
        """Everything that the ruleset does otherwise."""
        for way in self.asked.ways():
            yield from self.beginning(way)
            yield from self.middle(way, whole=whole)
            yield from self.unprotected(way)
        if whole:
            yield from self.to_itself()
            yield from self.strangers()

    def _compare(
        self,
        about: tuple[str, str],
        way: Way,
        meant: Sequence[list[Row]],
        said: Sequence[list[Row]],
        domain: Box,
    ) -> Iterator[Refuted]:
        for found in differences(meant, said, domain, final=[DROP], budget=self.budget):
            told = tuple(_with_line(row, found.box) for row in found.other)
            yield Refuted(*about, self.family, way, found._replace(other=told))

    # -- connections that begin, and what belongs to them

    def beginning(self, way: Way) -> Iterator[Refuted]:
        """What begins a connection: and that its answers pass."""
        verdict, source, ports, _ = self.meant[
            Arrival(way.zone.name, way.decrypted and way.zone.over is None)
        ]
        meant = [verdict, source, ports, _ANSWERS]
        back: set[tuple[Zone, str | None]] = set()
        domains = list(self.asked.of(way, self.family))
        for choice in range(self.world.choices):
            passages = list(self.lists.passages(way, choice))
            back |= _back(passages, domains)
            *stages, answers = self.lists.stages(way, passages)
            del passages  # of 10,000 statements, a tenth of the memory
            said = [*stages, [_BEGINS_NONE, *answers]]
            for domain in domains:
                yield from self._compare(("O2", "begins"), way, meant, said, domain)
        for egress, tag in sorted(back, key=lambda one: (one[0].index, str(one[1]))):
            yield from self._answered(way, egress, tag)

    def _answered(self, way: Way, ingress: Zone, tag: str | None) -> Iterator[Refuted]:
        """What comes back by a state, and leaves where the connection came from: by its tag.

        With whatever source: errors about a connection come from hosts on its way.
        """
        space = self.world.space(ingress, from_gateway=False) & self.asked.known(self.family)
        domain = (
            Intervals.single(way.zone.index),
            self.asked.answers(way, self.family),
            ANY_PORT,
            self.asked.sources(way, self.family) & self.world.space(way.zone, from_gateway=False),
            space,
        )
        if not all(domain):
            return
        start = Piece(sets(destination=domain[DESTINATION], source=space), tag=tag)
        received = ENC if ingress.over is not None else wires(ingress)[0]
        back = Way(ingress, received, decrypted=ingress.over is not None)
        for name in [ENC] if way.decrypted else wires(way.zone):
            said = self.lists.leaving(start, Crossing(False, name, received, opens=False))
            about = "O1", f"is an answer, and leaves by {name}"
            yield from self._compare(about, back, [_PASSES], [said], domain)
        if way.zone.over is None:
            return
        for name in wires(way.zone):
            said = self.lists.leaving(start, Crossing(False, name, received, opens=False))
            about = "O1", f"is an answer through a tunnel that is down, and leaves by {name}"
            yield from self._compare(about, back, [_NOTHING], [said], domain)

    def unprotected(self, way: Way) -> Iterator[Refuted]:
        """What goes to a tunnel that is down is dropped."""
        protected = self.asked.to_tunnels(way)
        start = Piece(sets(destination=protected))
        for choice, opens in product(range(self.world.choices), (True, False)):
            passages = self.lists.passages(way, choice, start, tunnels=False, opens=opens)
            said = self.lists.stages(way, list(passages))[0]
            for *others, goals, sources in self.asked.of(way, self.family):
                domain = (*others, goals & protected, sources)
                about = "O1", "goes to a tunnel that is down"
                yield from self._compare(about, way, [_NOTHING], [said], domain)

    # -- packets of no connection

    def middle(self, way: Way, *, whole: bool) -> Iterator[Refuted]:
        """TCP in the middle of a connection that is not known; an anchor says nothing of own."""
        if way.interface is None and not whole:
            return
        start = Piece(sets(l4=_TCP))
        for choice in range(self.world.choices):
            passages = list(self.lists.passages(way, choice, start, opens=False))
            said = self.lists.stages(way, passages)[0]
            for domain in self.asked.of(way, self.family):
                domain = (*domain[:L4], domain[L4] & _TCP, *domain[L4 + 1 :])
                about = "O3", "is of a connection that is not known"
                yield from self._compare(about, way, [_NOTHING], [said], domain)

    def to_itself(self) -> Iterator[Refuted]:
        """What the gateway sends to itself passes both ends of the loopback interface."""
        own = self.world.own & self.asked.known(self.family)
        numbers = Intervals.single(self.world.gateway.index)
        domain = (numbers, self.asked.channels(self.asked.own, self.family), ANY_PORT, own, own)
        for inward in (False, True):
            crossing = Crossing(inward, LOOPBACK, LOOPBACK if inward else None)
            said = self.lists.leaving(Piece(), crossing)
            about = "O2", "is for itself"
            yield from self._compare(about, self.asked.own, [_PASSES], [said], domain)

    def strangers(self) -> Iterator[Refuted]:
        """What comes from or goes to an interface that no zone has is dropped."""
        zones = self.world.policy.zones[1:]
        if not zones:
            return
        way = Way(zones[0], STRANGER, decrypted=False)
        said = self.lists.stages(way, list(self.lists.passages(way, 0)))[0]
        for domain in self._begins(way):
            about = "O2", "arrives by an interface of no zone"
            yield from self._compare(about, way, [_NOTHING], [said], domain)
        here = self.world.space(self.world.gateway, from_gateway=False)
        for way in self.asked.ways():
            if way.interface is None:
                continue
            said = self._to_stranger(way)
            for domain in self._begins(way):
                goals = domain[DESTINATION] - here
                domain = (*domain[:DESTINATION], goals, domain[SOURCE])
                about = "O2", "leaves by an interface of no zone"
                yield from self._compare(about, way, [_NOTHING], [said], domain)

    def _begins(self, way: Way) -> Iterator[Box]:
        """The packets of a way without ICMPv6 errors, which begin nothing."""
        for domain in self.asked.of(way, self.family):
            yield (*domain[:L4], domain[L4] - ICMPV6_ERRORS, *domain[L4 + 1 :])

    def _to_stranger(self, way: Way) -> list[Row]:
        assert way.interface is not None
        found: list[Row] = []
        arriving = Crossing(True, way.interface, way.interface)
        for piece, fate in self.lists.gate.crossed(Piece(), arriving):
            if fate.passes:
                crossing = Crossing(False, STRANGER, way.interface)
                found += self.lists.leaving(piece, crossing)[:-1]
            else:
                found.append(Row(piece.sets, DROP, piece.line))
        return [*found, *_NOTHING]


def _with_line(row: Row, box: Box) -> Row:
    cause = row.cause
    return row._replace(cause=cause.within(box)) if isinstance(cause, Gathered) else row


def _back(passages: list[Passage], domains: list[Box]) -> set[tuple[Zone, str | None]]:
    """Where answers come from that meet rules again where they leave, and by which tag."""
    found: set[tuple[Zone, str | None]] = set()
    for one in passages:
        egress, piece = one.egress, one.piece
        if egress is None or egress.is_gateway or one.arrived is not Fate.FORGOTTEN:
            continue
        if one.fate not in {Fate.KEPT, Fate.BOUND} or (egress, piece.tag) in found:
            continue
        if any(overlaps(piece.sets, domain) for domain in domains):
            found.add((egress, piece.tag))
    return found
