"""A ruleset of netfilter as data, and its walk to first-match lists: nftables and iptables alike.

What a question fixes (the interfaces, the state of the connection, whether IPsec protects a packet)
are facts, and a test of them holds or does not. What is left free are the axes of flows, and a test
of them narrows a box. So a chain becomes rows: a box, and what happens in it.

Modelled are the hooks of nf_tables(7) and iptables(8): `accept` ends its own base chain, a drop is
final, `return` goes back to the caller, `goto` does not come back (nft(8), section VERDICT
STATEMENT). What a reader does not know it refuses; nothing is guessed here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.fields import (
    DROP,
    EVERYTHING,
    Rate,
    Sets,
)
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.sets import common, merged, sets, without

ACCEPT = "accepted"
"""The label of what a base chain lets on."""

_DEPTH = 16
"""Jumps deeper than this the kernel refuses (NFT_JUMP_STACK_SIZE)."""


class State(Enum):
    """The state of a connection, as `ct state` and `--ctstate` know it."""

    NEW = "new"
    ESTABLISHED = "established"
    RELATED = "related"
    INVALID = "invalid"
    UNTRACKED = "untracked"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is fixed about the packets of a question.

    Attributes:
        arrival: the interface; None for what the machine itself sends.
        departure: the interface; None where none is known yet, or the packet is for the machine.
        state, reply: of its connection.
        translated: a destination translation applies to the connection.
        decrypted: it came through the machine's own IPsec.
        protected: it leaves through it.
        helper: the helper of its connection.
        zoned: the flows that are in a conntrack zone of one of their ends, whatever else is there;
            `answering` those that are in one if they belong to a connection there.
        own: the machine's addresses; `own_of_arrival` those of the interface of arrival.
    """

    arrival: str | None = None
    departure: str | None = None
    state: State = State.NEW
    reply: bool = False
    translated: bool = False
    decrypted: bool = False
    protected: bool = False
    helper: str | None = None
    zoned: tuple[Sets, ...] = ()
    answering: tuple[Sets, ...] = ()
    own: Intervals = Intervals.EMPTY
    own_of_arrival: Intervals = Intervals.EMPTY


# -- tests


@dataclass(frozen=True, slots=True)
class Within:
    """A union of boxes."""

    boxes: tuple[Sets, ...]


@dataclass(frozen=True, slots=True)
class Interface:
    """Names, or with a final `*` their beginnings, of the interface of one direction."""

    side: Literal["arrival", "departure"]
    names: tuple[str, ...]
    negated: bool = False

    def holds(self, facts: Facts) -> bool:
        """Whether the interface has such a name; one that is not there has none."""
        name = facts.arrival if self.side == "arrival" else facts.departure
        found = name is not None and any(_is_named(name, pattern) for pattern in self.names)
        return found is not self.negated


def _is_named(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


@dataclass(frozen=True, slots=True)
class InState:
    """The connection has one of these states."""

    states: frozenset[State]

    def holds(self, facts: Facts) -> bool:
        """Whether it does."""
        return facts.state in self.states


@dataclass(frozen=True, slots=True)
class Is:
    """A fact that is one of two."""

    fact: Literal["reply", "translated", "decrypted", "protected"]
    wanted: bool = True

    def holds(self, facts: Facts) -> bool:
        """Whether it is as wanted; a packet without a connection has neither direction."""
        if self.fact == "reply" and facts.state in {State.INVALID, State.UNTRACKED}:
            return False
        return bool(getattr(facts, self.fact)) is self.wanted


@dataclass(frozen=True, slots=True)
class HasHelper:
    """The connection has this helper."""

    name: str

    def holds(self, facts: Facts) -> bool:
        """Whether it does."""
        return facts.helper == self.name


@dataclass(frozen=True, slots=True)
class Own:
    """An address is one of the machine's, or of the interface of arrival."""

    side: Literal["source", "destination"] = "destination"
    of_arrival: bool = False
    negated: bool = False

    def box(self, facts: Facts) -> Sets:
        """Which addresses that are."""
        own = facts.own_of_arrival if self.of_arrival else facts.own
        if self.negated:
            own = axes.ANY_ADDRESS - own
        return sets(source=own) if self.side == "source" else sets(destination=own)


@dataclass(frozen=True, slots=True)
class Never:
    """What no single flow is: a second claimant of a peer, say. `why` is for people."""

    why: str

    def holds(self, _facts: Facts) -> bool:
        """It never does."""
        return False


@dataclass(frozen=True, slots=True)
class Maybe:
    """What earlier packets have left, or what is inside one: it holds or not, and nobody can say.

    Whatever the rule does, both is taken for possible. `why` is for people.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Zoned:
    """The packet is in a conntrack zone other than 0.

    What begins a connection is in one of its own ends; by what was learned it is in one only
    because of another connection.
    """

    def boxes(self, facts: Facts) -> tuple[Sets, ...]:
        """Which flows that are."""
        return facts.zoned if facts.state is State.NEW else facts.zoned + facts.answering


Test = Within | Interface | InState | Is | HasHelper | Own | Never | Maybe | Zoned

# -- actions


@dataclass(frozen=True, slots=True)
class Accept:
    """Ends the base chain; with a rate, while there is credit."""

    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Final; an answer may be sent."""


@dataclass(frozen=True, slots=True)
class Return:
    """Back to the caller."""


@dataclass(frozen=True, slots=True)
class Jump:
    """To another chain, and back behind its end; with `goto` back to the caller instead.

    With a rate, while there is credit.
    """

    chain: str
    goto: bool = False
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Translates the destination; what is None stays."""

    address: int | None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Translates the source.

    `address` is None for a masquerade. `keep` leaves it as it is, in spite of later rules. `moved`
    takes the source port from 4501-65535.
    """

    address: int | None
    moved: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Helper:
    """Assigns a helper, and goes on; of several the last counts, or the first if it `is_final`."""

    name: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """Puts a packet into a conntrack zone before it is tracked, and goes on.

    Attributes:
        is_own: it is one of the packet's source or destination, for sure; else it is whose the
            packet is by what was learned.
        by_spi: what was learned is asked by the SPI of the packet.
    """

    is_own: bool
    by_spi: bool


@dataclass(frozen=True, slots=True)
class HostZone:
    """Puts a packet into the conntrack zone of a host by its number, and goes on; of several the
    first counts (nft_ct_set_zone_eval: a packet that has a zone is left alone; measured).

    `quoted`: an ICMP error, by the packet that it quotes. Its box has the ends of the answer to
    that packet: the host that sends the answer, and the peer that gets it.
    """

    number: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """What happens here is not settled by the rules, but by the program that loads them or by what
    a kernel chooses, so nothing may come here.
    """


@dataclass(frozen=True, slots=True)
class Nothing:
    """Counts, logs, or changes what no flow is told by, and goes on."""


Action = (
    Accept
    | Drop
    | Return
    | Jump
    | Destination
    | Source
    | Helper
    | Zone
    | HostZone
    | Unclear
    | Nothing
)


class Case(NamedTuple):
    """An action for a box: an entry of a map, or everything."""

    sets: Sets
    action: Action


class Rule(NamedTuple):
    """All tests hold: then the first case whose box holds the packet. `line` is for people."""

    tests: tuple[Test, ...]
    cases: tuple[Case, ...]
    line: int


class Hook(NamedTuple):
    """Where a base chain is called, in the order of priorities, and what its end means."""

    hook: Literal["prerouting", "input", "forward", "output", "postrouting"]
    priority: int
    is_nat: bool
    policy: Accept | Drop


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules in order; `hook` is None for one that is called by others alone."""

    rules: tuple[Rule, ...]
    hook: Hook | None = None


_End = tuple[str, int] | None
"""A verdict, and the line that says it; None for what goes back to the caller."""

#: The ends of a chain that has to be walked.
_SEVERAL: frozenset[_End] = frozenset({None, (ACCEPT, 0), (DROP, 0)})


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains by name; one family alone is `family`, else 0.

    `has_last_filter` says whether a filter may stand behind the translation of sources. iptables
    has no table there, so what leaves is filtered before it.
    `file` is the name of the file whose lines the rules tell.
    """

    chains: Mapping[str, Chain]
    family: int = 0
    has_last_filter: bool = True
    file: str = ""
    _ends: dict[str, frozenset[_End]] = field(default_factory=dict, compare=False, repr=False)

    def ends(self, name: str) -> frozenset[_End]:
        """What may become of the packets that are sent to a chain: one thing, or several.

        A chain that logs or counts, whatever it asks, does one thing with all of them.
        """
        if name not in self._ends:
            self._ends[name] = _SEVERAL  # for what calls itself
            chain = self.chains.get(name)
            self._ends[name] = _SEVERAL if chain is None else self._ends_of(chain)
        return self._ends[name]

    def _ends_of(self, chain: Chain) -> frozenset[_End]:
        found: set[_End] = set()
        for rule in chain.rules:
            for box, action in rule.cases:
                some = self._ends_by(action, rule.line)
                leaves = isinstance(action, Return) or (isinstance(action, Jump) and action.goto)
                found |= some if leaves else some - {None}
                if len(found - {None}) > 1:
                    return _SEVERAL
                is_last = leaves or None not in some
                if is_last and not rule.tests and box == EVERYTHING:
                    return frozenset(found)
        return frozenset({*found, None})

    def _ends_by(self, action: Action, line: int) -> frozenset[_End]:
        """The same of one action; None where the next rule is asked, or for `return` the caller."""
        match action:
            case Accept(rate=None):
                return frozenset({(ACCEPT, line)})
            case Drop():
                return frozenset({(DROP, line)})
            case Return() | Nothing():
                return frozenset({None})
            case Jump(rate=None):
                return self.ends(action.chain)
            case _:
                return _SEVERAL

    def asks_ipsec(self) -> bool:
        """Whether any rule asks what IPsec has protected or will protect."""
        return any(
            isinstance(test, Is) and test.fact in {"decrypted", "protected"}
            for chain in self.chains.values()
            for rule in chain.rules
            for test in rule.tests
        )

    def asks_earlier(self, chain: Chain, depth: int = 0) -> bool:
        """Whether a chain, or one that it calls, asks what earlier packets have left."""
        if depth > _DEPTH:
            raise Unmodelled("chains call each other without an end")
        called = {
            case.action.chain
            for rule in chain.rules
            for case in rule.cases
            if isinstance(case.action, Jump)
        }
        return any(
            isinstance(test, Maybe | Zoned) for rule in chain.rules for test in rule.tests
        ) or any(
            self.asks_earlier(self.chains[name], depth + 1)
            for name in called
            if name in self.chains
        )

    def at(self, hook: str, *, nat: bool) -> list[Chain]:
        """The base chains of a hook in the order in which a packet meets them."""
        found = [
            (chain.hook.priority, chain)
            for chain in self.chains.values()
            if chain.hook is not None and chain.hook.hook == hook and chain.hook.is_nat == nat
        ]
        return [chain for _, chain in sorted(found, key=lambda one: one[0])]


class Unmodelled(ValueError):
    """A ruleset says something that this model has no word for."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


# -- the walk


def rows(ruleset: Ruleset, chain: Chain, facts: Facts, within: Sets = EVERYTHING) -> list[Row]:
    """What a base chain does with the packets of a question; the last row asks nothing.

    Only packets of the box `within` are looked at. Labels are `ACCEPT`, `DROP`, an `Accept` with a
    rate, or an action of translation or help.

    Raises:
        Unmodelled: chains call each other without an end, or a base chain calls none that exists.
    """
    assert chain.hook is not None, "a base chain has a hook"
    walk = _Walk(ruleset, facts)
    found = list(walk.chain(chain, within, 0))
    policy = ACCEPT if isinstance(chain.hook.policy, Accept) else DROP
    return [*found, Row(EVERYTHING, policy, 0)]


class _Walk:
    def __init__(self, ruleset: Ruleset, facts: Facts) -> None:
        self.ruleset = ruleset
        self.facts = facts

    def chain(self, chain: Chain, box: Sets, depth: int) -> Generator[Row, None, bool]:
        """The rows of a chain within a box; what falls through has none.

        Returns whether nothing can fall through: what stands behind is not looked at.
        """
        if depth > _DEPTH:
            raise Unmodelled("chains call each other without an end")
        left: tuple[Sets, ...] = ()  # boxes that have gone back to the caller
        for rule in chain.rules:
            is_possible = any(isinstance(test, Maybe) for test in rule.tests)
            # by this rule: no packet meets two entries of a map, so they need not be told apart
            leaving: list[Sets] = []
            for wanted, action in self._cases(rule, box):
                for piece in without([wanted], left):
                    if is_possible:
                        yield from self._possibly(action, piece, rule, depth)
                        continue
                    ended = yield from self._act(action, piece, rule, depth, leaving)
                    if ended and piece == box:
                        return not (left or leaving)
            if leaving:
                left = merged([*left, *leaving])
        return False

    def _act(
        self, action: Action, box: Sets, rule: Rule, depth: int, left: list[Sets]
    ) -> Generator[Row, None, bool]:
        """What an action does in a box; returns whether nothing of it goes on in this chain."""
        match action:
            case Accept(rate=None):
                yield Row(box, ACCEPT, rule.line)
            case Drop():
                yield Row(box, DROP, rule.line)
            case Return():
                left.append(box)
            case Jump():
                return (yield from self._jump(action, box, rule, depth, left))
            case Nothing():
                return False
            case _:
                yield Row(box, action, rule.line)
                return isinstance(action, Destination | Source | Unclear)
        return True

    def _possibly(self, action: Action, box: Sets, rule: Rule, depth: int) -> Iterator[Row]:
        """What a rule may do that may as well do nothing: the drops of both are taken together.

        What it may let go on is looked at further, so that no drop behind it is missed.
        """
        match action:
            case Drop():
                yield Row(box, DROP, rule.line)
            case Jump(rate=None):
                for row in self._jump(action, box, rule, depth, []):
                    if isinstance(row.label, HostZone):
                        raise Unmodelled("a host's zone that hangs on earlier packets", rule.line)
                    if row.label != ACCEPT:
                        yield row
            case Zone():
                yield Row(box, action, rule.line)
            case Accept(rate=None) | Return() | Nothing():
                pass
            case _:
                raise Unmodelled("what hangs on earlier packets", rule.line)

    def _jump(
        self, jump: Jump, box: Sets, rule: Rule, depth: int, left: list[Sets]
    ) -> Generator[Row, None, bool]:
        if jump.chain not in self.ruleset.chains:
            raise Unmodelled(f"no chain `{jump.chain}`", rule.line)
        if jump.rate is not None:
            yield from self._while_credit(jump.chain, jump.rate, box, rule, depth)
            return False
        ended = yield from self._called(jump.chain, box, depth)
        if jump.goto and not ended:
            left.append(box)
        return ended or jump.goto

    def _called(self, name: str, box: Sets, depth: int) -> Generator[Row, None, bool]:
        """The rows of a chain, which is walked where it does several things."""
        ends = self.ruleset.ends(name)
        if len(ends) > 1:
            return (yield from self.chain(self.ruleset.chains[name], box, depth + 1))
        for label, line in filter(None, ends):
            yield Row(box, label, line)
        return None not in ends

    def _while_credit(
        self, name: str, rate: Rate, box: Sets, rule: Rule, depth: int
    ) -> Iterator[Row]:
        for row in self._called(name, box, depth):
            if row.label not in {ACCEPT, Unclear()}:
                raise Unmodelled("credit for something else than to pass", rule.line)
            # what is unclear stays so, with credit or without
            yield row._replace(label=Accept(rate)) if row.label == ACCEPT else row

    def _cases(self, rule: Rule, box: Sets) -> Iterator[tuple[Sets, Action]]:
        """The boxes in which a rule acts, and how."""
        boxes = [box]
        for test in rule.tests:
            if isinstance(test, Within):
                wanted: Sequence[Sets] = test.boxes
            elif isinstance(test, Own):
                wanted = (test.box(self.facts),)
            elif isinstance(test, Zoned):
                wanted = test.boxes(self.facts)
            elif isinstance(test, Maybe) or test.holds(self.facts):
                continue
            else:
                return
            boxes = [both for one in boxes for two in wanted if (both := common(one, two))]
        for one in boxes:
            for case in rule.cases:
                both = common(one, case.sets)
                if both is not None:
                    yield both, case.action
