"""What a change of a policy means: the flows that have another fate in the new one, all of them.

Two policies are compared as first-match lists (`flatten.py`) by an exact sweep, so that the answer
is complete: what is not among the changes means the same in both. Zones are the same where they
have the same name. What is no fate of a flow (logs, counters, MSS, `single`) is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple, cast

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import (
    ANY_SPI,
    AXES,
    DESTINATION,
    DROP,
    EVERYTHING,
    SOURCE,
    Arrival,
    Delivered,
    Rate,
)
from tunnelgate.flows.firstmatch import BUDGET, Difference, Row, differences
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import Ports, Reason
from tunnelgate.meaning.flatten import Cause, Lists, arrivals, flatten
from tunnelgate.meaning.members import NOBODY
from tunnelgate.policy.model import MULTICAST, Policy, Statement, Zone
from tunnelgate.records import record, replace


class Kind(Enum):
    """What becomes of a flow, the most dangerous first."""

    ALLOWED = "newly allowed"
    CHANGED = "treated otherwise"
    DENIED = "newly denied"


class Fate(NamedTuple):
    """What happens to a flow in one policy.

    Attributes:
        egress: the name of the zone it leaves by; None where it is dropped.
        destination, port: what a forward makes of them, None where none does.
        source: the place (axes.py) of the address that the source becomes, None where it stays.
        ports: what becomes of the source port; None where the source is not translated.
        rates: of new connections, of which one must have credit left.
        helper: the connection-tracking helper that follows.
    """

    egress: str | None
    destination: int | None = None
    port: int | None = None
    source: int | None = None
    ports: Ports | None = None
    rates: frozenset[Rate] = frozenset()
    helper: str | None = None

    @property
    def passes(self) -> bool:
        """Whether it is not dropped."""
        return self.egress is not None

    @property
    def way(self) -> Fate:
        """Where it goes, and as what."""
        return self._replace(ports=None, rates=frozenset(), helper=None)


NOWHERE = Fate(None)

HELPER = "helper"
"""Stands for the helper of whatever protocol it is, where only one policy has one."""


class Decision(NamedTuple):
    """Why a flow has its fate: the reason in words, and the statements that decide."""

    reason: str
    statements: tuple[Statement, ...]


@record
class Change:
    """Flows that have one fate in the old policy and another in the new one.

    Attributes:
        arrival: how they arrive.
        family: 4 or 6.
        box: the flows, on the axes of `flatten`: disjoint from those of any other change.
        before, after: their fates, as far as these differ; what is the same in both is left out.
        old, new: why.
    """

    arrival: Arrival
    family: int
    box: Box
    before: Fate
    after: Fate
    old: tuple[Decision, ...]
    new: tuple[Decision, ...]

    @property
    def kind(self) -> Kind:
        """What kind of change it is."""
        if not self.before.passes:
            return Kind.ALLOWED
        return Kind.CHANGED if self.after.passes else Kind.DENIED


@record
class Report:
    """All that differs between two policies.

    Attributes:
        old, new: the policies.
        zones: the names of all zones by their number on the axis of egress.
        changes: the flows, sorted: what is newly allowed first.
        environment: what is said otherwise of zones, in words.
    """

    old: Policy
    new: Policy
    zones: tuple[str, ...]
    changes: tuple[Change, ...]
    environment: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both mean the same of the same zones."""
        return not (self.changes or self.environment)


def compare(old: Policy, new: Policy, budget: int = BUDGET) -> Report:
    """What a change means.

    Raises:
        BudgetExceeded: the policies are too large to be compared.
    """
    names = tuple(dict.fromkeys(zone.name for policy in (new, old) for zone in policy.zones))
    changes = _changes(old, new, names, budget)
    order = {kind: number for number, kind in enumerate(Kind)}
    return Report(
        old,
        new,
        names,
        tuple(sorted(changes, key=lambda one: (order[one.kind], names.index(one.arrival.zone)))),
        tuple(_environment(old, new)),
    )


def _changes(old: Policy, new: Policy, names: tuple[str, ...], budget: int) -> Iterator[Change]:
    numbers = {name: number for number, name in enumerate(names)}
    ways = tuple(dict.fromkeys((*arrivals(new), *arrivals(old))))
    one = _Numbered(old, numbers).lists(ways)
    other = _Numbered(new, numbers).lists(ways)
    for arrival in ways:
        before, after = one.get(arrival, _CLOSED), other.get(arrival, _CLOSED)
        for family in (4, 6):
            domain = _domain(old, new, numbers, arrival, family)
            found = differences(before, after, domain, final=[DROP], budget=budget)
            yield from _few(_change(arrival, family, one) for one in found)


#: What no zone of a policy takes in.
_NO_ZONE = Row(EVERYTHING, DROP, Cause(Reason.NO_ZONE))
_NOTHING = Row(EVERYTHING, None, Cause(Reason.NO_ZONE))
_CLOSED = Lists([_NO_ZONE], [_NOTHING], [_NOTHING], [_NOTHING])


def _change(arrival: Arrival, family: int, found: Difference) -> Change:
    before, after = _contrast(fate_of(found.one), fate_of(found.other))
    return Change(
        arrival, family, found.box, before, after, (_why(found.one),), (_why(found.other),)
    )


def fate_of(rows: Sequence[Row]) -> Fate:
    """What the rows of `flatten` say, one of each stage; the verdict alone where it is a drop."""
    if rows[0].label == DROP:
        return NOWHERE
    passes, source, ports, helper = (row.label for row in rows)
    return Fate(
        *cast("Delivered", passes)[:3],
        cast("int | None", source),
        cast("Ports | None", ports),
        cast("Delivered", passes).rates,
        cast("str | None", helper),
    )


def _contrast(before: Fate, after: Fate) -> tuple[Fate, Fate]:
    """Both fates, reduced to what is worth a word."""
    if not (before.passes and after.passes):
        return before.way, after.way
    if before.source != after.source:
        before, after = before._replace(ports=None), after._replace(ports=None)
    if before.helper is None or after.helper is None:
        # which one it is, the protocol says
        before = before._replace(helper=before.helper and HELPER)
        after = after._replace(helper=after.helper and HELPER)
    same = {
        name: Fate._field_defaults[name]
        for name, one, other in zip(Fate._fields, before, after, strict=True)
        if one == other and name != "egress"
    }
    return before._replace(**same), after._replace(**same)


def _why(rows: Sequence[Row]) -> Decision:
    """The statement behind the verdict, and the one behind the translation."""
    causes = [cast("Cause", row.cause) for row in rows[:2]]
    found = dict.fromkeys(one.statement for one in causes if one.statement is not None)
    return Decision(causes[0].reason.value, tuple(found))


def _few(changes: Iterable[Change]) -> Iterator[Change]:
    """The same changes in fewer boxes: those that differ on one axis alone become one."""
    kinds: dict[tuple[Fate, Fate], list[Change]] = {}
    for change in changes:
        kinds.setdefault((change.before, change.after), []).append(change)
    for alike in kinds.values():
        count = 0
        while count != len(alike):
            count = len(alike)
            for axis in range(AXES):
                alike = _joined(alike, axis)
        yield from alike


def _joined(changes: list[Change], axis: int) -> list[Change]:
    groups: dict[Box, list[Change]] = {}
    for change in changes:
        groups.setdefault((*change.box[:axis], *change.box[axis + 1 :]), []).append(change)
    return [some[0] if len(some) == 1 else _union(some, axis) for some in groups.values()]


def _union(changes: list[Change], axis: int) -> Change:
    where = Intervals.union_of(change.box[axis] for change in changes)
    first = changes[0]
    return replace(
        first,
        box=(*first.box[:axis], where, *first.box[axis + 1 :]),
        old=tuple(dict.fromkeys(one for change in changes for one in change.old)),
        new=tuple(dict.fromkeys(one for change in changes for one in change.new)),
    )


# -- which flows there are


def _domain(
    old: Policy, new: Policy, numbers: dict[str, int], arrival: Arrival, family: int
) -> Box:
    """The packets that can be: of one family, between addresses that machines have."""
    axis = axes.family_axis(family)
    dynamic = Intervals.of(
        (place, place)
        for policy in (old, new)
        for zone in policy.zones
        if zone.is_dynamic
        for place in [axes.unknown_address(numbers[zone.name], family)]
    )
    own = Intervals.union_of(_own(policy, numbers) for policy in (old, new))
    known = (axis - axes.UNKNOWN) - (NOBODY - MULTICAST)
    machines = known - MULTICAST - own
    sources, destinations = machines, known | dynamic
    if arrival.zone == "gateway":  # what it sends to itself is the loopback's affair
        sources, destinations = own & axis, destinations - own
    other_icmp = axes.l4(axes.ICMPV6 if family == 4 else axes.ICMP)
    return (
        Intervals.of((number, number) for number in numbers.values()),
        axes.ANY_L4 - Intervals.of([other_icmp]),
        ANY_SPI,
        destinations,
        sources,
    )


def _own(policy: Policy, numbers: dict[str, int]) -> Intervals:
    return _Numbered(policy, numbers).moved(policy.own_addresses)


class _Numbered:
    """A policy's lists with its dynamic addresses where those of the same zone's name are."""

    def __init__(self, policy: Policy, numbers: dict[str, int]) -> None:
        self.policy = policy
        self.numbers = numbers
        self._places = {
            axes.unknown_address(zone.index, family): axes.unknown_address(
                numbers[zone.name], family
            )
            for zone in policy.zones
            for family in (4, 6)
        }
        self._same = all(mine == common for mine, common in self._places.items())

    def lists(self, asked: Iterable[Arrival]) -> dict[Arrival, Lists]:
        """The lists of the policy for some ways of arrival."""
        made = flatten(self.policy, self.numbers, asked)
        if self._same:
            return made
        return {
            arrival: Lists(*([self._row(row) for row in stage] for stage in lists))
            for arrival, lists in made.items()
        }

    def _row(self, row: Row) -> Row:
        sets = list(row.sets)
        for axis in (DESTINATION, SOURCE):
            wanted = sets[axis]
            if wanted is not None:
                sets[axis] = self.moved(wanted)
        label = row.label
        if isinstance(label, int):
            label = self._places.get(label, label)
        return Row(tuple(sets), label, row.cause)

    def moved(self, addresses: Intervals) -> Intervals:
        """A set of addresses with the unknown ones at their common places."""
        if self._same or not addresses.overlaps(axes.UNKNOWN):
            return addresses
        found = [(there, there) for here, there in self._places.items() if here in addresses]
        return (addresses - axes.UNKNOWN) | Intervals.of(found)


# -- what is said of zones


def _environment(old: Policy, new: Policy) -> Iterator[str]:
    """What is no flow's fate, and yet decides which packets are meant."""
    before, after = _by_name(old.zones[1:]), _by_name(new.zones[1:])
    for name in before:
        if name not in after:
            yield f"zone `{name}` is gone"
    for name, zone in after.items():
        if name not in before:
            yield f"zone `{name}` is new: {_recognised(zone)}"
        elif _recognised(before[name]) != _recognised(zone):
            yield f"zone `{name}` is {_recognised(zone)}, was {_recognised(before[name])}"


def _by_name(zones: Iterable[Zone]) -> dict[str, Zone]:
    return {zone.name: zone for zone in zones}


def _recognised(zone: Zone) -> str:
    """How a zone's packets are told."""
    if zone.over is not None:
        return f"ipsec over {zone.over.name}"
    return f"interface {', '.join(sorted(zone.interfaces))}"
