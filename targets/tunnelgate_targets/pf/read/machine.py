"""What a rule asks, as sets: its criteria on a machine whose addresses are known.

Where the addresses of the machine are unknown, they have places of their own on the axis.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import merge
from typing import Generic, NamedTuple, TypeVar

from tunnelgate.flows import axes
from tunnelgate.flows.crossings import Crossing, Located
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate_targets.pf.read.ruleset import (
    ANY_PORT,
    Address,
    Criteria,
    Direction,
    Interface,
    OfInterface,
    Rule,
    Ruleset,
    Side,
    Span,
    TableName,
    Tagged,
    Translation,
)

_TCP = Intervals.of([axes.l4(axes.TCP)])


R = TypeVar("R", Rule, Translation)


class Asked(NamedTuple):
    """What a rule asks of a packet on an interface; None is anything.

    Attributes:
        l4: the channels, of packets whose TCP opens a connection, and of others.
        source_ports: of UDP.
    """

    l4: Intervals | None
    l4_opened: Intervals | None
    source_ports: Intervals | None
    destination: Intervals | None
    source: Intervals | None
    tagged: Tagged | None


class Machine:
    """The addresses of a family that a ruleset finds.

    Args:
        ruleset: as read.
        family: 4 or 6.
        addresses: of each interface, the primary one first.
        located: a set that is written out, with the unknown addresses that are in it.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        family: int,
        addresses: Mapping[str, tuple[int, ...]],
        located: Located,
    ) -> None:
        self.ruleset, self.family, self._located = ruleset, family, located
        self.addresses = {
            name: [one for one in some if axes.family(one) == family]
            for name, some in addresses.items()
        }
        self._sets: dict[Address, Intervals] = {}
        self._channels: dict[tuple[object, ...], tuple[Intervals | None, Intervals | None]] = {}

    def asked(self, criteria: Criteria, never: Intervals = Intervals.EMPTY) -> Asked:
        """Criteria as sets; `never` are channels that the rule is not asked about.

        Raises:
            Unmodelled: they ask what only a real machine knows.
        """
        ports = criteria.source.ports
        if ports != ANY_PORT and criteria.protocol != axes.UDP:
            raise Unmodelled("a source port of something else than UDP")
        return Asked(
            *self._of_channels(criteria, never),
            None if ports == ANY_PORT else ports,
            self._side(criteria.destination),
            self._side(criteria.source),
            criteria.tagged,
        )

    def _side(self, side: Side) -> Intervals | None:
        if side.address is None:
            return None
        addresses = self.set(side.address)
        if side.negated:
            addresses = axes.family_axis(self.family) - addresses
        is_written = not isinstance(side.address, OfInterface)
        return self._located(addresses) if is_written else addresses

    def _of_channels(
        self, asked: Criteria, never: Intervals
    ) -> tuple[Intervals | None, Intervals | None]:
        """The channels of packets whose TCP opens a connection, and of others.

        Thousands of rules ask for the same few, so they share them.
        """
        key = asked.protocol, asked.icmp, asked.destination.ports, asked.flags, never
        if key not in self._channels:
            l4 = _l4(asked)
            if never:
                l4 = (axes.ANY_L4 if l4 is None else l4) - never
            self._channels[key] = _of_flags(l4, asked, "S"), _of_flags(l4, asked, "A")
        return self._channels[key]

    def set(self, address: Address) -> Intervals:
        """The addresses that are meant, the same object for the same ones. Raises Unmodelled."""
        found = self._sets.get(address)
        if found is None:
            found = self._sets[address] = self._set(address)
        return found

    def _set(self, address: Address) -> Intervals:
        match address:
            case OfInterface(dynamic=False):
                raise Unmodelled(f"what {address.name} had when the rules were loaded")
            case Span(interval):
                return Intervals.of([interval])
            case TableName(name):
                return self._table(name)
            case OfInterface(name, "", primary, None, _):
                return Intervals.of((one, one) for one in self._own(name, primary=primary))
            case OfInterface("self", "broadcast"):
                return Intervals.EMPTY  # nobody's: the policies have no word for it
        raise Unmodelled(str(address))

    def _own(self, name: str, *, primary: bool) -> list[int]:
        return [
            one
            for interface, own in self.addresses.items()
            if name == "self" or is_named(interface, name)
            for one in (own[:1] if primary else own)
        ]

    def _table(self, name: str) -> Intervals:
        """The longer prefix counts; an undefined table holds nothing."""
        table = self.ruleset.tables.get(name)
        entries = (
            [(self.set(entry), exception) for entry, exception in table.entries] if table else []
        )
        if not any(exception for _, exception in entries):
            return Intervals.union_of(entry for entry, _ in entries)
        found = Intervals.EMPTY
        for entry, exception in sorted(entries, key=lambda one: -one[0].size()):
            found = found - entry if exception else found | entry
        return found


_Head = tuple[Direction | None, Interface | None, Interface | None]


class Ways(Generic[R]):
    """Rules by the interfaces and the direction that they ask for, of one family."""

    def __init__(self, rules: Iterable[R], family: int) -> None:
        self._rules: dict[_Head, list[tuple[int, R]]] = defaultdict(list)
        for number, rule in enumerate(rules):
            asked = rule.criteria
            if asked.family in {0, family}:
                way = asked.direction, asked.interface, asked.received
                self._rules[way].append((number, rule))

    def heads(self, crossing: Crossing) -> tuple[_Head, ...]:
        """What rules ask for that holds for a crossing."""
        direction = Direction.IN if crossing.inward else Direction.OUT
        return tuple(
            head
            for head in self._rules
            if head[0] in {None, direction}
            and _is_on(head[1], crossing.interface)
            and _is_on(head[2], crossing.received)
        )

    def of(self, heads: Iterable[_Head]) -> list[R]:
        """The rules that ask for one of these, in their order."""
        return [rule for _, rule in merge(*(self._rules[head] for head in heads), key=_number)]


def _number(rule: tuple[int, object]) -> int:
    return rule[0]


def _is_on(asked: Interface | None, name: str | None) -> bool:
    if asked is None:
        return True
    if name is None:
        return asked.negated
    return is_named(name, asked.name) != asked.negated


def is_named(interface: str, name: str) -> bool:
    """Whether a name is an interface's, or that of the group of its driver (ifconfig(8))."""
    return name in {interface, interface.rstrip("0123456789")}


def _l4(asked: Criteria) -> Intervals | None:
    """The channels that a rule asks for; None for all. None are of AH: pf looks through it."""
    if asked.protocol is None:
        return None
    if asked.protocol == axes.AH:
        return Intervals.EMPTY
    if asked.icmp is not None:
        first, code = asked.icmp.kind << 8, asked.icmp.code
        low, high = (first, first | 0xFF) if code is None else (first | code, first | code)
        return Intervals.of([axes.l4(asked.protocol, low, high)])
    return Intervals.of(axes.l4(asked.protocol, low, high) for low, high in asked.destination.ports)


def _of_flags(l4: Intervals | None, asked: Criteria, on: str) -> Intervals | None:
    """The channels, where TCP has this flag on of SYN and ACK."""
    if asked.flags.among & {on} == asked.flags.on:
        return l4
    return (axes.ANY_L4 if l4 is None else l4) - _TCP
