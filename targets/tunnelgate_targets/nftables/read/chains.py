"""Declarations to chains: names looked up, words taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

from tunnelgate.flows import Intervals, axes, netfilter
from tunnelgate.flows.fields import EVERYTHING, L4, Rate, Sets
from tunnelgate.flows.netfilter import (
    Accept,
    Case,
    Destination,
    Drop,
    HasHelper,
    InState,
    Interface,
    Is,
    Jump,
    Maybe,
    Never,
    Nothing,
    Own,
    Return,
    Source,
    State,
    Test,
    Unmodelled,
    Within,
    Zoned,
)
from tunnelgate.flows.sets import merged, of_family, sets
from tunnelgate_targets.nftables.read import aside, build, zones
from tunnelgate_targets.nftables.read.build import (
    Action,
    Change,
    Declaration,
    Match,
    Value,
    listed,
)
from tunnelgate_targets.nftables.read.learned import Learned, Lookup
from tunnelgate_targets.nftables.read.values import (
    family_of,
    number,
    one_key,
    seconds,
    together,
)

#: The port range of which nothing is IKE's (language reference, What happens to a packet).
_MOVED = (4501, 65535)
_OWN = {
    "own": Own(),
    "not own": Own(negated=True),
    "own source": Own("source"),
    "own of arrival": Own(of_arrival=True),
    "not own of arrival": Own(of_arrival=True, negated=True),
}
#: What a second claimant is counted by: one connection of a peer, or with it, and a protocol.
_CROWDS = {
    (f"{word} {side}", "meta l4proto", "1") for word in ("ip", "ip6") for side in ("saddr", "daddr")
}
_NEIGHBOURS = Intervals.of(
    [axes.l4(axes.ICMPV6, kind << 8, kind << 8 | 0xFF) for kind in range(133, 138)]
)
#: What no flow is that begins: an answer of the machine itself begins nothing.
_NO_FLOW = {
    "crowd": "a second claimant",
    "over credit": "too many of one",
    "resets": "a reset",
}
_SIDES: dict[str, Literal["arrival", "departure"]] = {"iifname": "arrival", "oifname": "departure"}


def ruleset(tables: Mapping[str, Sequence[Declaration]]) -> netfilter.Ruleset:
    """The chains of all tables; sets are a table's own, and so would be chains of one name."""
    found: dict[str, netfilter.Chain] = {}
    for declared in tables.values():
        for name, chain in _Resolver(declared).chains():
            if name in found:
                raise Unmodelled(f"two chains `{name}`")
            found[name] = chain
    return netfilter.Ruleset(found)


class _Resolver:
    """The declarations of a table, by their names."""

    def __init__(self, declared: Sequence[Declaration]) -> None:
        self.declared = declared
        _expect_distinct(declared)
        aside.expect_taken_back([one for one in declared if isinstance(one, build.Chain)])
        self.sets = {one.name: one for one in self.declared if isinstance(one, build.Set)}
        self.limits = {one.name: one for one in self.declared if isinstance(one, build.Limit)}
        self.helpers = {one.name: one for one in self.declared if isinstance(one, build.Helper)}
        self._within: dict[tuple[str, tuple[str, ...]], Within] = {}

    def chains(self) -> Iterator[tuple[str, netfilter.Chain]]:
        for one in self.declared:
            if isinstance(one, build.Chain):
                yield one.name, self._chain(one)

    @cached_property
    def learned(self) -> Learned:
        """What the rules put into sets."""
        chains = [one for one in self.declared if isinstance(one, build.Chain)]
        return Learned(self.sets, [rule for chain in chains for rule in chain.rules])

    def _chain(self, chain: build.Chain) -> netfilter.Chain:
        rules: list[netfilter.Rule] = []
        drawn: set[tuple[str, tuple[str, ...]]] = set()
        for rule in chain.rules:
            rules += _Rule(self, rule, drawn).made()
            drawn |= {
                (part.name, part.element.key)
                for part in rule.parts
                if isinstance(part, build.Change) and part.is_put
            }
        hook = None
        if chain.hook is not None:
            kind, where, priority, policy = chain.hook
            end = Accept() if policy == "accept" else Drop()
            hook = netfilter.Hook(where, priority, kind == "nat", end)  # type: ignore[arg-type]
        return netfilter.Chain(tuple(rules), hook)

    def declaration(self, name: str, key: tuple[str, ...], line: int) -> build.Set:
        """The set or map of a name, which is of the type of a key."""
        declared = self.sets.get(name)
        if declared is None:
            raise Unmodelled(f"no set `{name}`", line)
        if not _fits(declared.key, key):
            raise Unmodelled(f"set `{name}` is of another type than what is looked up", line)
        return declared

    def within(self, key: tuple[str, ...], value: Value, *, negated: bool = False) -> Within:
        """The flows that a comparison holds for."""
        if value.kind == "set":
            if negated:
                raise Unmodelled("what is not in a set", value.line)
            return self._of_set(value.words[0], key, value.line)
        if len(key) == 1:
            return Within(one_key(key[0], value.words, negated=negated))
        if negated:
            raise Unmodelled("a negated concatenation", value.line)
        return Within(tuple(together(key, _fields(word)) for word in value.words))

    def _of_set(self, name: str, key: tuple[str, ...], line: int) -> Within:
        found = self._within.get((name, key))
        if found is None:
            words = [word for word, _ in self.entries(name, key, line)]
            if len(key) == 1:
                found = Within(one_key(key[0], words, negated=False))
            else:
                found = Within(merged(together(key, _fields(word)) for word in words))
            self._within[name, key] = found
        return found

    def entries(self, name: str, key: tuple[str, ...], line: int) -> Iterator[tuple[str, str]]:
        """The elements of a set or map, and what each is mapped to."""
        declared = self.declaration(name, key, line)
        if declared.is_dynamic or declared.timeout:
            raise Unmodelled(f"elements of `{name}`, which come and go", line)
        for entry in listed(declared.elements) if declared.elements else ():
            word, _, data = entry.partition(" : ")
            yield word.strip(), data.strip()


def _expect_distinct(declared: Sequence[Declaration]) -> None:
    """Refuse two declarations of one kind and name, of which nft makes one."""
    seen: set[tuple[type[Declaration], str]] = set()
    for one in declared:
        if (type(one), one.name) in seen:
            raise Unmodelled(f"two declarations of `{one.name}`")
        seen.add((type(one), one.name))


def _fits(declared: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Whether both are the same fields, source and destination being one type."""
    return [_type(one) for one in declared] == [_type(one) for one in asked]


def _type(selector: str) -> str:
    if selector == "esp spi" or (selector[0] == "@" and selector.endswith(",32")):
        return "integer of 32 bits"
    return selector.partition(" ")[0] if family_of(selector) else selector


class _Rule:
    """One line: its tests in order, and what is done at its end.

    `drawn` are the sets that rules of the chain before it have put a packet's own keys into.
    """

    def __init__(
        self, resolver: _Resolver, rule: build.Rule, drawn: set[tuple[str, tuple[str, ...]]]
    ) -> None:
        self.resolver = resolver
        self.rule = rule
        self.drawn = drawn
        self.tests: list[Test] = []
        self.lookups: list[Lookup] = []
        self.rate: Rate | None = None
        self.silent = False
        self.is_of_errors = False
        self.is_of_neighbours = False
        self.only: frozenset[type[netfilter.Action]] | None = None

    def made(self) -> Iterator[netfilter.Rule]:
        """The rules that a line is: several for a verdict map, and where it sets a zone."""
        *matches, last = self.rule.parts
        for part in matches:
            if isinstance(part, Match):
                self._test(part)
            elif isinstance(part, Change):
                self._change(part)
            elif part.name == "zone":
                yield self._zone(part)
            elif part.name != "nothing":
                raise Unmodelled("something behind a verdict", self.line)
        if self.resolver.learned.is_anothers(self.lookups):
            self.tests.append(Never("what another host has left"))
        self._expect_neighbours()
        if isinstance(last, Change):
            self._change(last)
        elif isinstance(last, Match):
            if last.name == "vmap":
                yield from self._verdicts(last)
            else:
                self._test(last)
        elif last.name == "zone":
            yield self._zone(last)
        else:
            for cases in self._cases(last):
                yield netfilter.Rule(tuple(self.tests), cases, self.line)

    def _change(self, change: Change) -> None:
        """An element put or taken; the rule may end there."""
        declared = self.resolver.declaration(change.name, change.element.key, change.line)
        if not declared.is_dynamic:
            raise Unmodelled(f"a change of the set `{change.name}`", change.line)
        self.tests.append(Maybe("a set may be full, or lack what is taken out"))

    def _zone(self, action: Action) -> netfilter.Rule:
        """A zone by what was learned; only what the chain has just drawn is there for sure."""
        if self.silent or self.only is not None or self.rate is not None:
            raise Unmodelled("a zone for a part of the packets", self.line)
        (name,) = action.words
        declared = self.resolver.declaration(name, action.key, action.line)
        if not declared.is_dynamic:
            return self._zone_of_host(action)
        if not self.resolver.learned.is_filled(name):
            raise Unmodelled(f"zones of the map `{name}`, which nothing fills", action.line)
        zones.expect_learned(name, action.key, self.resolver.learned.changes, action.line)
        is_own = (name, action.key) in self.drawn
        zone = netfilter.Zone(is_own, by_spi="esp spi" in action.key)
        made = netfilter.Rule(tuple(self.tests), (Case(EVERYTHING, zone),), action.line)
        self.tests.append(Maybe("a map may lack what is looked up"))
        return made

    def _zone_of_host(self, action: Action) -> netfilter.Rule:
        """A zone by a map that is written out: the last of its rule."""
        if action is not self.rule.parts[-1]:
            raise Unmodelled("something behind the zone of a host", action.line)
        entries = self.resolver.entries(action.words[0], action.key, action.line)
        cases = tuple(zones.cases(action.key, entries, action.line))
        return netfilter.Rule(tuple(self.tests), cases, action.line)

    @cached_property
    def line(self) -> int:
        return self.rule.line

    # -- tests

    def _test(self, match: Match) -> None:
        if self.rate is not None:
            raise Unmodelled("a test behind credit, which other packets spend", self.line)
        match match.name:
            case "equal" | "unequal":
                assert match.value is not None, "a comparison has a value"
                self.tests.append(self._compared(match.key, match.value, match.name == "unequal"))
            case name if name in _OWN:
                self.tests.append(_OWN[name])
            case "counted":
                self.tests.append(Maybe("one in so many packets"))
            case "credit":
                limit = self.resolver.limits.get(match.key[0])
                if limit is None:
                    raise Unmodelled(f"no limit `{match.key[0]}`", self.line)
                self._credit(limit.rate, per_source=False)
            case "credit each":
                self._credit_each(match)
            case "crowd" | "over credit" | "resets":
                self._no_flow(match)
            case "paced" | "opens":
                self.silent = True  # of what is logged or changed, not of what passes
            case "hop limit" if match.key == ("255",):
                self.is_of_neighbours = True
            case _:
                raise Unmodelled(f"`{match.name}`", self.line)

    def _credit(self, rate: build.Rate, *, per_source: bool) -> None:
        self.rate = Rate(rate.number, rate.unit, per_source)
        if rate.burst != self.rate.burst:
            raise Unmodelled(f"a burst of {rate.burst} packets", self.line)

    def _credit_each(self, match: Match) -> None:
        name, side, number, unit, burst = match.key
        declared = self.resolver.declaration(name, (side,), self.line)
        if not side.endswith("saddr"):
            raise Unmodelled(f"a limit for each `{side}`", self.line)
        self._credit(build.Rate(int(number), unit, int(burst)), per_source=True)
        # what is forgotten before its credit is full again has a new burst
        kept = seconds(declared.timeout) if declared.timeout else 0
        if kept * int(number) < int(burst) * (1 if unit == "second" else 60):
            raise Unmodelled(f"credit that is forgotten after `{declared.timeout}`", self.line)
        self.tests.append(Within((of_family(family_of(side)),)))

    def _no_flow(self, match: Match) -> None:
        """What no flow is that begins, as long as nothing is done there that matters to others."""
        if match.name == "crowd" and match.key not in _CROWDS:
            raise Unmodelled("another count of connections than one a peer", self.line)
        self.only = frozenset({Accept} if match.name == "resets" else {Drop, Jump, Return})
        self.tests.append(Never(_NO_FLOW[match.name]))

    def _expect_neighbours(self) -> None:
        """What discovers neighbours has a hop limit of 255 (RFC 4861 sections 6.1 and 7.1)."""
        if self.is_of_neighbours and not any(map(_is_of_neighbours, self.tests)):
            raise Unmodelled("a hop limit of something else than neighbour discovery", self.line)

    def _expect_whole(self, done: type[netfilter.Action]) -> None:
        """Refuse a verdict for a part of a flow, or one that may not be given to what is asked."""
        if self.silent:
            raise Unmodelled("a verdict for a part of the packets", self.line)
        if self.only is not None and done not in self.only:
            raise Unmodelled("a verdict for what other packets have left", self.line)

    def _compared(self, key: tuple[str, ...], value: Value, negated: bool) -> Test:
        unknown = self._unknown(key, value, negated)
        if unknown is not None:
            return unknown
        if len(key) > 1:
            return self.resolver.within(key, value, negated=negated)
        selector, words = key[0], value.words
        match selector:
            case "iifname" | "oifname":
                if value.kind != "strings":
                    raise Unmodelled("an interface that is not quoted", self.line)
                return Interface(_SIDES[selector], words, negated)
            case "ct state":
                states = frozenset(_state(word, self.line) for word in words)
                return InState(frozenset(State) - states if negated else states)
            case "ct direction":
                is_reply = _word(words, ("original", "reply"), self.line) == "reply"
                return Is("reply", is_reply is not negated)
            case "ct status":
                return self._status(words, negated)
            case "ct helper":
                if negated or len(words) != 1:
                    raise Unmodelled("another question than for one helper", self.line)
                return HasHelper(words[0])
            case "ct original ip daddr" | "ct original ip6 daddr":
                self.silent = True  # what a connection began as is asked for counting alone
                return Never("what a connection began as")
            case "meta ipsec" | "rt ipsec":
                exists = _word(words, ("exists", "missing"), self.line) == "exists"
                is_wanted = exists is not negated
                return Is("decrypted" if selector == "meta ipsec" else "protected", is_wanted)
            case _:
                return self.resolver.within(key, value, negated=negated)

    def _status(self, words: tuple[str, ...], negated: bool) -> Test:
        if negated:  # asks the whole status, and not whether it lacks a bit (nft --debug=netlink)
            raise Unmodelled("the whole status of a connection", self.line)
        if _word(words, ("dnat", "confirmed"), self.line) == "dnat":
            return Is("translated")
        if self.rule.parts[-1].name == "goto":
            return Maybe("another packet of the connection may have passed")
        self.only = frozenset({Return})
        return Never("a packet that begins nothing")

    def _unknown(self, key: tuple[str, ...], value: Value, negated: bool) -> Test | None:
        """The test of what hangs on earlier packets, or is inside one; None of other things."""
        if self._is_learned(key, value):
            self.lookups.append(Lookup(key, value.words[0], not negated))
            return Maybe(f"what was put into `{value.words[0]}`")
        if key == ("meta pkttype",):
            return Maybe("a packet may have been set aside")
        if key == ("ct zone",):
            if negated:
                raise Unmodelled("what is not in a zone", self.line)
            return _zone_test(value.words, self.line)
        if key[0][0] == "@":
            return self._inside(key[0], value.words, negated)
        return None

    def _inside(self, selector: str, words: tuple[str, ...], negated: bool) -> Test:
        """What is inside a packet: known is what an error says when it quotes ESP."""
        if selector not in zones.QUOTED:
            return Maybe("what is inside a packet")
        if negated or [number(word)[0] for word in words] != [zones.QUOTED[selector]]:
            raise Unmodelled(f"`{selector}` of what is not ESP", self.line)
        self.is_of_errors = True
        return Within((EVERYTHING,))

    def _is_learned(self, key: tuple[str, ...], value: Value) -> bool:
        """Whether a set is one that packets change."""
        if value.kind != "set":
            return False
        return self.resolver.declaration(value.words[0], key, self.line).is_dynamic

    # -- actions

    def _verdicts(self, match: Match) -> Iterator[netfilter.Rule]:
        assert match.value is not None, "a verdict map has entries"
        if self.rate is not None:
            raise Unmodelled("credit for a verdict map", self.line)
        self._expect_whole(Jump)
        if match.value.kind == "set":
            yield self._verdicts_of_set(match.key, match.value.words[0])
            return
        side = _SIDES.get(match.key[0])
        if side is None or len(match.key) > 1:
            raise Unmodelled("a verdict map of something else than an interface", self.line)
        for entry in listed(match.value.words[0]):
            name, _, verdict = entry.partition(" : ")
            test = Interface(side, (name.strip('"'),))
            case = Case(EVERYTHING, _jump(verdict, self.line))
            yield netfilter.Rule((*self.tests, test), (case,), self.line)

    def _verdicts_of_set(self, key: tuple[str, ...], name: str) -> netfilter.Rule:
        """A verdict map with a name: the entries of one verdict are the cases of few boxes."""
        boxes: dict[str, list[Sets]] = defaultdict(list)
        for box, verdict in self._entries(key, name):
            boxes[verdict].append(box)
        cases = tuple(
            Case(box, _jump(verdict, self.line))
            for verdict, some in boxes.items()
            for box in merged(some)
        )
        return netfilter.Rule(tuple(self.tests), cases, self.line)

    def _cases(self, action: Action) -> Iterator[tuple[Case, ...]]:
        if action.name in {"dnat map", "snat map"}:
            if self.rate is not None:
                raise Unmodelled(f"credit for `{action.name}`", self.line)
            self._expect_whole(Source if action.name == "snat map" else Destination)
            yield tuple(self._mapped(action))
            return
        done = self._action(action)
        if isinstance(done, Nothing):
            return
        if self.is_of_errors and not isinstance(done, Jump):
            raise Unmodelled("what errors quote, for something else than their zone", self.line)
        self._expect_whole(type(done))
        yield (Case(EVERYTHING, done),)

    def _action(self, action: Action) -> netfilter.Action:
        words = action.words
        match action.name:
            case "accept":
                return Accept(self.rate)
            case "jump" | "goto":
                return Jump(words[0], action.name == "goto", self.rate)
            case "nothing" | "packet type":
                return Nothing()
        if self.rate is not None:
            raise Unmodelled(f"credit for `{action.name}`", self.line)
        match action.name:
            case "drop":
                return Drop()
            case "reset":  # asks for TCP by itself (nft --debug=netlink)
                self.tests.append(Within((sets(l4=Intervals.of([axes.l4(axes.TCP)])),)))
                return Drop()
            case "return":
                return Return()
            case "helper":
                declared = self.resolver.helpers.get(words[0])
                if declared is None:
                    raise Unmodelled(f"no helper `{words[0]}`", self.line)
                self._expect_given(declared)
                return netfilter.Helper(declared.kind)
            case _:
                return self._translation(action.name, words)

    def _expect_given(self, helper: build.Helper) -> None:
        """Narrow the rule to what a kernel gives a helper to (nft_ct_helper_obj_eval)."""
        protocol = number(helper.protocol)
        self.tests.append(Within((sets(l4=Intervals.of([axes.l4(protocol[0])])),)))
        family = family_of(helper.family)
        if family:
            self.tests.append(Within((of_family(family),)))

    def _translation(self, name: str, words: tuple[str, ...]) -> netfilter.Action:
        match name:
            case "dnat":
                return Destination(*_endpoint(words[1], self.line))
            case "snat":
                address, ports = _with_ports(words[1], self.line)
                return Source(address, moved=_is_moved(ports, self.line))
            case "snat kept":
                return Source(None, keep=True)
            case "masquerade":
                ports = words[0].removeprefix(":") if words else ""
                return Source(None, moved=_is_moved(ports, self.line))
            case _:
                raise Unmodelled(f"`{name}`", self.line)

    def _mapped(self, action: Action) -> Iterator[Case]:
        made = Source if action.name == "snat map" else Destination
        for box, data in self._entries(action.key, action.words[1]):
            yield Case(box, made(axes.address_of(data)))

    def _entries(self, key: tuple[str, ...], name: str) -> Iterator[tuple[Sets, str]]:
        """The boxes of a map, and what each is mapped to."""
        for word, data in self.resolver.entries(name, key, self.line):
            fields = _fields(word)
            if len(key) == 1:
                (box,) = one_key(key[0], fields, negated=False)
            else:
                box = together(key, fields)
            yield box, data


def _jump(verdict: str, line: int) -> Jump:
    word, _, chain = verdict.partition(" ")
    if word not in {"goto", "jump"}:
        raise Unmodelled(f"verdict `{verdict}`", line)
    return Jump(chain, word == "goto")


def _is_of_neighbours(test: Test) -> bool:
    return isinstance(test, Within) and all(
        l4 is not None and l4 <= _NEIGHBOURS for l4 in (box[L4] for box in test.boxes)
    )


def _zone_test(words: tuple[str, ...], line: int) -> Test:
    """Whether a packet is in zone 0, or in one of a range that does not hold it."""
    low, _, high = words[0].partition("-")
    if len(words) != 1 or not low.isdigit() or (high and not high.isdigit()):
        raise Unmodelled("a comparison of zones", line)
    if int(low) == 0:
        if high:
            raise Unmodelled("zone 0 and others", line)
        return Maybe("a zone may not have been had")
    if int(high or low) <= zones.LAST_OF_HOSTS:
        return Maybe("a host may have a zone of its own")
    return Zoned()


def _fields(element: str) -> tuple[str, ...]:
    return tuple(element.split(" . "))


def _state(word: str, line: int) -> State:
    try:
        return State(word)
    except ValueError as error:
        raise Unmodelled(f"state `{word}`", line) from error


def _word(words: tuple[str, ...], known: tuple[str, ...], line: int) -> str:
    if len(words) != 1 or words[0] not in known:
        raise Unmodelled(f"`{', '.join(words)}` where {' or '.join(known)} is known", line)
    return words[0]


def _endpoint(word: str, line: int) -> tuple[int, int | None]:
    """`192.0.2.1`, `192.0.2.1:80` or `[2001:db8::1]:80`."""
    address, ports = _with_ports(word, line)
    if not ports:
        return address, None
    low, high = number(ports)
    if low != high:
        raise Unmodelled("a range of destination ports", line)
    return address, low


def _with_ports(word: str, line: int) -> tuple[int, str]:
    try:
        return axes.endpoint_of(word)
    except ValueError as error:
        raise Unmodelled(f"address `{word}`", line) from error


def _is_moved(ports: str, line: int) -> bool:
    if not ports:
        return False
    if number(ports) != _MOVED:
        raise Unmodelled(f"source ports `{ports}`", line)
    return True
