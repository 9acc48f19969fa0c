"""What pf does with a packet: a model of its evaluation, small enough to be read in one sitting.

It runs the typed ruleset that the reader makes of a text. Sources: pf.conf(5); sys/net/pf.c of
OpenBSD (`pf_match_rule`, `pf_test_rule`, `pf_find_state`, `pf_get_sport`, `pf_test_state_icmp`) and
sys/netpfil/pf/pf.c of FreeBSD 12 to 14 (`pf_get_translation`). No pf kernel was asked.

Where pf chooses (one address of several, a source port), the model chooses what nobody hopes for:
the last address, and a port that is not the packet's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from firewall.host import Host
from firewall.packet import WITH_IDENTIFIER, Packet, key_of
from firewall.states import State, States, ridden
from tunnelgate.flows import axes
from tunnelgate_targets.pf.read.ruleset import (
    Action,
    Address,
    Anchor,
    Criteria,
    Dialect,
    Direction,
    Interface,
    Kind,
    NoRoute,
    OfInterface,
    Pool,
    Rule,
    Ruleset,
    Side,
    Span,
    TableName,
    Translation,
)

#: What a source port becomes where it is not static (pfvar.h, PF_NAT_PROXY_PORT_LOW and _HIGH).
PROXY_PORTS = (50001, 65535)
#: The one answer that a rule with state takes: neighbours advertise themselves unasked.
_ADVERTISEMENT = (axes.ICMPV6, 136)


class NotModelled(Exception):
    """A ruleset asks for what only a real machine knows."""


@dataclass(frozen=True)
class Passed:
    """A packet that passes an interface, as it goes on, with its tag."""

    packet: Packet
    tag: str | None


class Firewall:
    """A ruleset on a host, and the states it has made."""

    def __init__(self, ruleset: Ruleset, host: Host) -> None:
        self.ruleset = ruleset
        self.host = self.at_load = host  # its addresses may change later
        self.states = States()

    def test(
        self,
        packet: Packet,
        direction: Direction,
        interface: str,
        tag: str | None = None,
        received: str | None = None,
    ) -> Passed | None:
        """One packet on one interface (`pf_test`); None where it is dropped.

        `received` is the interface it came in by, None for what the machine sends itself.
        """
        if any(self.host.belongs(interface, name) for name in self.ruleset.options.skip):
            return Passed(packet, tag)
        state = self.states.find(packet, direction, interface)
        if state is not None:
            dropped = packet.options and not state.allow_options
            return None if dropped else Passed(ridden(state, packet, direction), state.tag or tag)
        return _Evaluation(self, direction, interface, received, packet, tag).decide()


# -- one packet through the rules


class _Evaluation:
    """Runs the rules for one packet on one interface; `header` is what rules see of it."""

    def __init__(
        self,
        firewall: Firewall,
        direction: Direction,
        interface: str,
        received: str | None,
        packet: Packet,
        tag: str | None,
    ) -> None:
        self.firewall, self.host, self.ruleset = firewall, firewall.host, firewall.ruleset
        self.direction, self.interface, self.received = direction, interface, received
        self.packet = self.header = packet
        self.tag = tag
        self.last: Rule | None = None
        self.failed = False

    def decide(self) -> Passed | None:
        modern = self.ruleset.dialect is Dialect.MODERN
        translation = None if modern else self._classic()
        if translation is None or not translation.passes:
            self._walk(self.ruleset.rules)
        rule = self.last
        if rule is not None and modern and rule.action is Action.PASS:
            self._translate(rule.nat, rule.rdr, rule.criteria)
        if self.failed or (rule is not None and rule.action is Action.BLOCK):
            return None
        if self.packet.options and (rule is not None and not rule.allow_options):
            return None
        return self._pass(rule, translated=translation is not None)

    def _pass(self, rule: Rule | None, *, translated: bool) -> Passed | None:
        """Remember the connection. The modern dialect translates only what it remembers."""
        keeps = translated or (rule is not None and rule.state is not None)
        if self.packet.is_error or not keeps:
            return Passed(self.header if translated else self.packet, self.tag)
        bound = rule is not None and rule.state is not None and rule.state.bound
        before, after = (key_of(one, self.direction) for one in (self.packet, self.header))
        wire, stack = (before, after) if self.direction is Direction.IN else (after, before)
        interface = self.interface if bound else None
        options = rule is None or rule.allow_options
        state = State(self.direction, interface, wire, stack, self.tag, options)
        return Passed(self.header, self.tag) if self.firewall.states.add(state) else None

    def _walk(self, rules: tuple[Rule | Anchor, ...]) -> bool:
        """Ask rules one after the other; whether the rest of them is not asked any more."""
        for item in rules:
            if not self._matches(item.criteria) or (
                isinstance(item, Rule) and self._no_answer(item)
            ):
                continue
            self.tag = item.tag or self.tag  # sticks, even if another rule decides
            if isinstance(item, Anchor):
                if item.rules is None:
                    raise NotModelled(f"the rules of anchor {item.name}")
                before, self.last = self.last, None
                stop = self._walk(item.rules)
                stop = stop or (item.quick and self.last is not None)
                self.last = self.last or before
            else:
                stop = item.quick
                if item.action is Action.MATCH:
                    self._translate(item.nat, item.rdr, item.criteria)
                else:
                    self.last = item
            if stop or self.failed:
                return True
        return False

    def _no_answer(self, rule: Rule) -> bool:
        """A rule that keeps state takes no answer to an ICMP question (modern)."""
        return (
            self.ruleset.dialect is Dialect.MODERN
            and rule.state is not None
            and self.packet.is_answer
            and (self.packet.protocol, self.packet.kind) != _ADVERTISEMENT
        )

    # -- what a rule asks

    def _matches(self, asked: Criteria) -> bool:
        header = self.header
        return (
            asked.direction in {None, self.direction}
            and _is(asked.interface, self.interface, self.host)
            and _is(asked.received, self.received, self.host)
            and asked.family in {0, header.family}
            and asked.protocol in {None, header.protocol}
            and self._side(asked.source, header.source, header.source_port)
            and self._side(asked.destination, header.destination, header.low)
            and (asked.icmp is None or self._icmp(asked))
            and self._flags(asked)
            and (asked.tagged is None or (self.tag == asked.tagged.name) != asked.tagged.negated)
        )

    def _icmp(self, asked: Criteria) -> bool:
        assert asked.icmp is not None
        code = self.header.low & 0xFF
        return asked.icmp.kind == self.header.kind and asked.icmp.code in {None, code}

    def _flags(self, asked: Criteria) -> bool:
        """Of TCP alone. A packet that opens has SYN and not ACK, any other one ACK."""
        on = {"S"} if self.header.syn else {"A"}
        return self.header.protocol != axes.TCP or asked.flags.among & on == asked.flags.on

    def _side(self, side: Side, address: int, port: int) -> bool:
        if self.header.protocol in {axes.TCP, axes.UDP} and port not in side.ports:
            return False
        return side.address is None or self._holds(side.address, address) != side.negated

    def _holds(self, where: Address, address: int) -> bool:
        if isinstance(where, TableName):
            return self._in_table(where.name, address)
        if isinstance(where, NoRoute):
            return self.host.route(address) is None
        return any(low <= address <= high for low, high in self._spans(where))

    def _in_table(self, name: str, address: int) -> bool:
        """The entry with the longest prefix decides; an undefined table holds nothing."""
        table = self.ruleset.tables.get(name)
        found = [
            (high - low, exception)
            for entry, exception in (table.entries if table else ())
            for low, high in self._spans(entry)
            if low <= address <= high
        ]
        return bool(found) and not min(found)[1]

    def _spans(self, where: Span | OfInterface) -> Iterator[tuple[int, int]]:
        if isinstance(where, Span):
            yield where.interval
            return
        if where.part == "peer":
            raise NotModelled(f"the peer of {where.name}")
        host = self.host if where.dynamic else self.firewall.at_load
        for name, addresses in host.addresses.items():
            if where.name != "self" and not host.belongs(name, where.name):
                continue
            for low, high in host.networks.get(name, ()) if where.part else ():
                if where.part == "network":
                    yield low, high
                elif axes.family(high) == 4:
                    yield high, high
            for family in (4, 6) if not where.part else ():
                own = [one for one in addresses if axes.family(one) == family]
                for one in own[:1] if where.primary else own:
                    yield _around(one, where.length)

    # -- what a packet becomes

    def _classic(self) -> Translation | None:
        """The classic dialect's one translation: before the filter, the first that matches."""
        kind = Kind.RDR if self.direction is Direction.IN else Kind.NAT
        for rule in self.ruleset.translations:
            if rule.kind is Kind.BINAT:
                raise NotModelled("binat")
            if rule.kind is kind and self._matches(rule.criteria):
                if rule.pool is None:
                    return None
                self.tag = rule.tag or self.tag
                nat, rdr = (rule.pool, None) if kind is Kind.NAT else (None, rule.pool)
                self._translate(nat, rdr, rule.criteria)
                return rule
        return None

    def _translate(self, nat: Pool | None, rdr: Pool | None, asked: Criteria) -> None:
        if nat is not None:
            self._nat(nat)
        if rdr is not None:
            self._rdr(rdr, asked)

    def _nat(self, pool: Pool) -> None:
        """A source and a port that no state has on the wire; without one the packet is dropped."""
        source, header = self._chosen(pool), self.header
        first, last = pool.ports or PROXY_PORTS
        if pool.static or header.protocol not in WITH_IDENTIFIER:
            first = last = header.source_port
        for port in range(first, last + 1):
            new = replace(header, source=source or 0, source_port=port)
            if source is not None and not self.firewall.states.taken(key_of(new, self.direction)):
                self.header = new
                return
        self.failed = True

    def _rdr(self, pool: Pool, asked: Criteria) -> None:
        destination = self._chosen(pool)
        if destination is None:
            self.failed = True
            return
        self.header = replace(self.header, destination=destination)
        if pool.ports is not None and self.header.protocol in {axes.TCP, axes.UDP}:
            first, last = pool.ports
            offset = self.packet.low - asked.destination.ports.first()
            self.header = replace(self.header, low=first + offset % (last - first + 1))

    def _chosen(self, pool: Pool) -> int | None:
        """The last address of this family; None where there is none."""
        found = []
        for address in pool.addresses:
            if isinstance(address, TableName | NoRoute):
                raise NotModelled("a pool that is no list of addresses")
            spans = self._spans(address)
            found += [high for _, high in spans if axes.family(high) == self.header.family]
        return found[-1] if found else None


def _is(asked: Interface | None, interface: str | None, host: Host) -> bool:
    """Whether this is the interface asked for, or one of the group asked for."""
    if asked is None:
        return True
    if interface is None:
        return asked.negated
    if asked.name == "any":
        return not host.belongs(interface, "lo")
    return host.belongs(interface, asked.name) != asked.negated


def _around(address: int, length: int | None) -> tuple[int, int]:
    """The prefix of this length around an address."""
    (network,) = axes.to_networks((address, address))
    return axes.network(network if length is None else network.supernet(new_prefix=length))
