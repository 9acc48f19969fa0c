"""What answers a flow in a conntrack zone must be looked up among what was learned.

A zone is of the source of a flow. Its answers come to an address that many share: where nothing
looks up whose they are, by an SPI that is known or by the peer alone, they are in no zone, and
belong to no connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows.fields import DESTINATION, L4, SOURCE, Sets
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import Unmodelled, Zone
from tunnelgate.flows.sets import common, of_family, sets, without
from tunnelgate.policy.model import Zone as Place
from tunnelgate.proof.linux import Linux
from tunnelgate.proof.world import Way, World


def expect_zones(linux: Linux, world: World, way: Way) -> None:
    """Refuse zones of what arrives on a way whose answers would not find them.

    Raises:
        Unmodelled: with the line that sets the zone.
    """
    for row in linux.zones(linux.facts(way)):
        sent = common(row.sets, of_family(linux.family))
        if isinstance(row.label, Zone) and row.label.is_own and sent is not None:
            line = row.cause if isinstance(row.cause, int) else 0
            for egress in world.policy.zones[1:]:
                space = world.space(egress, from_gateway=False)
                there = sets(destination=space, source=world.existing - world.own)
                routed = common(sent, there)
                if routed is not None and all(asked is None or asked for asked in routed):
                    _expect(linux, world, egress, _own(routed), line, Zone(True, by_spi=False))
                    for answer in _translated(linux, world, way, egress, routed):
                        for known in (True, False):
                            zone = Zone(False, by_spi=known)
                            _expect(linux, world, egress, answer, line, zone)


def _own(sent: Sets) -> Sets:
    """What answers flows that are not translated, or comes first."""
    return sets(l4=sent[L4], destination=sent[SOURCE], source=sent[DESTINATION])


def _translated(linux: Linux, world: World, way: Way, egress: Place, sent: Sets) -> Iterator[Sets]:
    """What answers flows towards a zone that are translated there, to an address that there is."""
    left = [sent]
    for row in linux.sources(way, egress):
        if isinstance(row.label, tuple) and row.label[0] in world.existing:
            for piece in left:
                both = common(piece, row.sets)
                if both is not None:
                    public = Intervals.single(row.label[0])
                    yield sets(l4=both[L4], destination=public, source=both[DESTINATION])
        left = without(left, [row.sets])


def _expect(
    linux: Linux, world: World, egress: Place, answer: Sets, line: int, wanted: Zone
) -> None:
    for name in world.interfaces(egress):
        back = Way(egress, name, decrypted=egress.over is not None)
        rows = linux.zones(linux.facts(back))
        zones = [row.sets for row in rows if row.label == wanted]
        if without([answer], zones):
            raise Unmodelled("a zone that answers do not find", line)
