"""What a pf ruleset does to all packets that come to an interface, at once.

Evaluation of boxes of packets and not of one: a rule that holds for a part of a box puts that part
in front, changed, and leaves the box behind it. So the end of a walk is a list in which the first
box that holds a packet tells its fate. Sources: pf.conf(5); sys/net/pf.c of OpenBSD
(`pf_match_rule`, `pf_test_rule`) and sys/netpfil/pf/pf.c of FreeBSD (`pf_get_translation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from tunnelgate.flows import axes
from tunnelgate.flows.crossings import (
    WHICHEVER,
    Act,
    Crossing,
    Fate,
    Located,
    Piece,
    as_written,
)
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE, SOURCE_PORT, Rate
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate_targets.pf.read import Refused, read
from tunnelgate_targets.pf.read.index import Index
from tunnelgate_targets.pf.read.machine import Asked, Machine, Ways, is_named
from tunnelgate_targets.pf.read.ruleset import (
    Action,
    Anchor,
    Dialect,
    Kind,
    OfInterface,
    Pool,
    Rule,
    Ruleset,
    State,
    Translation,
)

R = TypeVar("R", Rule, Translation)


def _icmp(*asked: tuple[int, tuple[int, ...]]) -> Intervals:
    return Intervals.of(
        axes.l4(protocol, kind << 8, kind << 8 | 0xFF)
        for protocol, kinds in asked
        for kind in kinds
    )


#: Multicast listener messages have a hop-by-hop header (RFC 2710, RFC 3810).
_WITH_OPTIONS = _icmp((axes.ICMPV6, (130, 131, 132, 143)))
#: Errors keep no state (pf.c, `pf_icmp_mapping`).
_ERRORS = _icmp((axes.ICMP, (3, 4, 5, 11, 12)), (axes.ICMPV6, (1, 2, 3, 4)))
#: Answers, which no rule that keeps state takes (modern); neighbours advertise themselves unasked.
_ANSWERS = _icmp((axes.ICMP, (0, 14, 16, 18)), (axes.ICMPV6, (129, 134)))
#: What a source port becomes where it is not static (pfvar.h, PF_NAT_PROXY_PORT_LOW and _HIGH).
_PROXY_PORTS = (50001, 65535)
_WHOLE, _ANCHOR = "pf.conf", "tunnelgate.anchor"
_UNITS = {"1": "second", "60": "minute"}


def walks(files: Mapping[str, str], dialect: Dialect) -> dict[int, Walk]:
    """The rules of each family; in an anchor others have a say, too.

    Raises:
        Unmodelled: pfctl would not load the text, or it says what is not modelled.
    """
    (name,) = files.keys() & {_WHOLE, _ANCHOR}
    try:
        ruleset = read(files[name], dialect)
    except Refused as error:
        raise Unmodelled(error.reason, error.line) from error
    return {family: Walk(ruleset, family, name, alone=name == _WHOLE) for family in (4, 6)}


class Walk:
    """A ruleset that can be walked (`flows.crossings.Screens`)."""

    def __init__(self, ruleset: Ruleset, family: int, file: str, *, alone: bool) -> None:
        """In an anchor (not `alone`) others have the last word about what no `quick` rule decides.

        Raises:
            Unmodelled: the rules of an anchor stand in another text.
        """
        self.ruleset, self.family, self.file, self.alone = ruleset, family, file, alone
        self.rules = tuple(map(_expect_rule, ruleset.rules))
        for rule in self.rules:
            _expect_interfaces(rule)
        for translation in ruleset.translations:
            _expect_interfaces(translation)

    def on(self, addresses: Mapping[str, tuple[int, ...]], located: Located = as_written) -> Walked:
        """The ruleset on a machine with these addresses by interface."""
        return Walked(self, Machine(self.ruleset, self.family, addresses, located))


def _expect_rule(one: Rule | Anchor) -> Rule:
    if isinstance(one, Anchor):
        raise Unmodelled(f"the anchor {one.name}", one.line)
    if one.criteria.flags.among and one.state is not None and not one.quick:
        # packets in the middle of a connection would have another last rule than its first one
        raise Unmodelled("a rule about TCP flags that is not quick", one.line)
    return one


def _expect_interfaces(one: Rule | Translation) -> None:
    """Refuse what is about other packets than those of named interfaces, on one of them."""
    if isinstance(one, Translation) and one.kind is Kind.BINAT:
        raise Unmodelled("`binat`", one.line)
    for asked in (one.criteria.interface, one.criteria.received):
        if asked is not None and asked.name == "any":
            raise Unmodelled("`any` interface, which is none of the loopback ones", one.line)


class Walked:
    """A ruleset on a machine (`flows.crossings.Gate`)."""

    def __init__(self, walk: Walk, machine: Machine) -> None:
        self.walk, self.machine = walk, machine
        self.modern = walk.ruleset.dialect is Dialect.MODERN
        self._filters = Ways(walk.rules, walk.family)
        self._translations = {
            kind: Ways((one for one in walk.ruleset.translations if one.kind is kind), walk.family)
            for kind in (Kind.NAT, Kind.RDR)
        }
        self._indexes: dict[object, Index[Rule]] = {}
        self._indexes_of_translations: dict[object, Index[Translation]] = {}

    def crossed(self, piece: Piece, crossing: Crossing) -> Iterator[tuple[Piece, Fate]]:
        """What becomes of a piece on an interface, in the order in which packets are asked.

        Raises:
            Unmodelled: a choice among ports, addresses that only a machine knows.
        """
        if any(is_named(crossing.interface, name) for name in self.walk.ruleset.options.skip):
            yield piece, Fate.FORGOTTEN
            return
        yield from _Crossed(self, crossing, piece).fates()

    def rules(self, crossing: Crossing) -> Index[Rule]:
        """The filter rules whose interface, direction and family hold."""
        heads = self._filters.heads(crossing)
        if heads not in self._indexes:
            self._indexes[heads] = self._index(self._filters.of(heads))
        return self._indexes[heads]

    def translations(self, crossing: Crossing) -> Index[Translation]:
        """The same of the classic dialect's translations."""
        kind = Kind.RDR if crossing.inward else Kind.NAT
        ways = self._translations[kind]
        key = kind, ways.heads(crossing)
        if key not in self._indexes_of_translations:
            self._indexes_of_translations[key] = self._index(ways.of(key[1]))
        return self._indexes_of_translations[key]

    def _index(self, rules: list[R]) -> Index[R]:
        return Index((rule, self._as_sets(rule)) for rule in rules)

    def _as_sets(self, rule: Rule | Translation) -> Asked:
        keeps = isinstance(rule, Rule) and rule.state is not None
        never = _ANSWERS if keeps and self.modern else Intervals.EMPTY
        return self.machine.asked(rule.criteria, never)


class _Last(NamedTuple):
    """The last rule that decides about a piece, and by which others it does: by its tag."""

    rule: Rule
    by: tuple[Act, ...]


class _Crossed:
    """One piece on one interface."""

    def __init__(self, walked: Walked, crossing: Crossing, start: Piece) -> None:
        self.walked, self.crossing, self.start = walked, crossing, start
        self._translating, self._filtering = (0, 1) if crossing.inward else (2, 3)

    def fates(self) -> Iterator[tuple[Piece, Fate]]:
        """What becomes of all parts of the piece."""
        pieces = [self.start] if self.walked.modern else self._translated()
        for piece in pieces:
            for end, last in self._ruled(piece):
                yield from self._end(end, last)

    def _ruled(self, start: Piece) -> Iterator[tuple[Piece, _Last | None]]:
        """The pieces behind all rules, each with the rule that decides."""
        rules = self.walked.rules(self.crossing)
        waiting: list[tuple[Piece, _Last | None, int]] = [(start, None, 0)]
        while waiting:
            piece, last, at = waiting.pop()
            for number, rule, asked in rules.from_(at, piece):
                hit = self._meets(piece, asked)
                if hit is None:
                    continue
                by = hit.tagged_by if asked.tagged is not None else ()
                changed = self._matched(hit, rule, by)
                decides = last if rule.action is Action.MATCH else _Last(rule, by)
                if not rule.quick:
                    # the part that is changed is done before the rest, which waits below it
                    if hit is not piece:
                        waiting.append((piece, last, number + 1))
                    waiting.append((changed, decides, number + 1))
                    break
                yield changed, decides
                if hit is piece:
                    break
            else:
                yield piece, last

    def _matched(self, hit: Piece, rule: Rule, by: tuple[Act, ...]) -> Piece:
        """What a rule does at once that holds by a tag which others gave."""
        acts = (*by, Act(self._filtering, rule.line))
        if rule.tag not in {None, hit.tag}:
            hit = hit._replace(tag=rule.tag, tagged_by=acts)
        if rule.action is Action.MATCH and (rule.nat or rule.rdr):
            hit = self._translate(hit, rule.nat, rule.rdr, rule)
            hit = hit._replace(acts=hit.acts + acts)
        return hit

    def _end(self, piece: Piece, last: _Last | None) -> Iterator[tuple[Piece, Fate]]:
        """Whether it passes, and as what: pf translates only what it remembers (modern)."""
        rule = None if last is None else last.rule
        piece = self._decided(piece, piece.acts, last)
        if not self.walked.walk.alone and (rule is None or not rule.quick):
            yield piece, Fate.LEFT
            return
        if rule is not None and rule.action is Action.BLOCK:
            yield piece, Fate.DROPPED
            return
        if rule is not None and not rule.allow_options:
            part = piece.narrowed(L4, _WITH_OPTIONS)
            if part is not None:
                yield part, Fate.DROPPED
        yield from self._passed(piece, last)

    def _decided(self, piece: Piece, acts: tuple[Act, ...], last: _Last | None) -> Piece:
        """A piece by whose rule it is decided, behind what else acted on it."""
        if last is None:
            return piece._replace(line=0, acts=acts)
        line = last.rule.line
        return piece._replace(line=line, acts=(*acts, *last.by, Act(self._filtering, line)))

    def _passed(self, piece: Piece, last: _Last | None) -> Iterator[tuple[Piece, Fate]]:
        """A translation of the classic dialect keeps a state, whatever the rule says."""
        rule = None if last is None else last.rule
        state = None if rule is None else rule.state
        changed = (piece.source, piece.destination) != (self.start.source, self.start.destination)
        plain = piece
        if changed and self.walked.modern:
            plain = self.start._replace(sets=piece.sets, tag=piece.tag, tagged_by=piece.tagged_by)
            plain = self._decided(plain, self.start.acts, last)
        errors = plain.narrowed(L4, _ERRORS)
        if errors is not None:
            yield errors, Fate.FORGOTTEN
        if state is None and (self.walked.modern or not changed):
            yield plain, Fate.FORGOTTEN
            return
        if rule is not None and (rule.nat or rule.rdr):
            piece = self._translate(piece, rule.nat, rule.rdr, rule)
        if state is not None and state.options:
            piece = piece._replace(rates=piece.rates | _rates(state, piece.line))
        yield piece, Fate.BOUND if state is not None and state.bound else Fate.KEPT

    # -- what a rule asks

    def _meets(self, piece: Piece, asked: Asked) -> Piece | None:
        """The part of a piece that a rule holds for; itself where that is all of it."""
        tagged = asked.tagged
        if tagged is not None and (piece.tag == tagged.name) == tagged.negated:
            return None
        found: Piece | None = piece
        for axis, value, wanted in (
            (DESTINATION, piece.destination, asked.destination),
            (SOURCE, piece.source, asked.source),
        ):
            if wanted is None or found is None:
                continue
            if value is None:
                found = found.narrowed(axis, wanted)
            elif value not in wanted:
                return None
        return None if found is None else self._channels(found, asked)

    def _channels(self, piece: Piece, asked: Asked) -> Piece | None:
        wanted = asked.l4 if self.crossing.opens else asked.l4_opened
        if piece.port is not None and wanted is not None:
            wanted = _before(piece, piece.port, wanted)
        found = piece.narrowed(L4, wanted)
        if found is None or asked.source_ports is None:
            return found
        if piece.source_ports is None:
            return found.narrowed(SOURCE_PORT, asked.source_ports)
        replaced = Intervals.of([piece.source_ports])
        if not asked.source_ports.overlaps(replaced):
            return None
        if not replaced <= asked.source_ports:
            raise Unmodelled("some of the ports that pf may choose")
        return found

    # -- what becomes of a packet

    def _translated(self) -> Iterator[Piece]:
        """The classic dialect translates first, by the first rule that holds."""
        for _, rule, asked in self.walked.translations(self.crossing).from_(0, self.start):
            hit = self._meets(self.start, asked)
            if hit is not None:
                yield self._translated_by(hit, rule)
                if hit is self.start:
                    return
        yield self.start

    def _translated_by(self, hit: Piece, rule: Translation) -> Piece:
        by = hit.tagged_by if rule.criteria.tagged is not None else ()
        acts = (*by, Act(self._translating, rule.line))
        hit = hit._replace(acts=hit.acts + acts)
        if rule.pool is None:
            return hit
        if rule.passes:
            raise Unmodelled("a translation that passes", rule.line)
        nat, rdr = (rule.pool, None) if rule.kind is Kind.NAT else (None, rule.pool)
        if rule.tag not in {None, hit.tag}:
            hit = hit._replace(tag=rule.tag, tagged_by=acts)
        return self._translate(hit, nat, rdr, rule)

    def _translate(
        self, piece: Piece, nat: Pool | None, rdr: Pool | None, rule: Rule | Translation
    ) -> Piece:
        if nat is not None:
            ports = None if nat.static else nat.ports or _PROXY_PORTS
            piece = piece._replace(source=self._one(nat, rule.line), source_ports=ports)
        if rdr is not None:
            piece = piece._replace(destination=self._one(rdr, rule.line))
            if rdr.ports is not None and rule.criteria.protocol in {axes.TCP, axes.UDP}:
                if rdr.ports[0] != rdr.ports[1]:
                    raise Unmodelled("a range of new ports", rule.line)
                piece = piece._replace(port=rdr.ports[0])
        return piece

    def _one(self, pool: Pool, line: int) -> int:
        """The address of a pool."""
        if len(pool.addresses) != 1:
            raise Unmodelled("a pool of several addresses", line)
        (address,) = pool.addresses
        if isinstance(address, OfInterface) and not address.primary:
            return WHICHEVER
        found = self.walked.machine.set(address)
        if not found:
            raise Unmodelled(f"the address of {address}", line)
        if not found.is_single():
            raise Unmodelled("a pool of several addresses", line)
        return found.first()


def _before(piece: Piece, port: int, wanted: Intervals) -> Intervals:
    """The channels of a piece that are wanted when they have a new port."""
    channels = piece.sets[L4]
    assert channels is not None, "a port is translated of known channels"
    return Intervals.of(
        axes.l4(low >> 16) for low, _ in channels if low >> 16 << 16 | port in wanted
    )


def _rates(state: State, line: int) -> frozenset[Rate]:
    """The limits of a state's options (pf.conf(5), Stateful Tracking Options)."""
    found = set()
    for option in state.options:
        name, _, value = option.partition(" ")
        if name == "max-src-conn-rate":
            count, _, seconds = value.partition("/")
            if seconds not in _UNITS:
                raise Unmodelled("a rate of neither a second nor a minute", line)
            found.add(Rate(int(count), _UNITS[seconds], per_source=True))
        elif name.startswith(("max", "overload", "sloppy")):
            raise Unmodelled(f"the option `{name}` of a state", line)
    return frozenset(found)
