"""Declarations to chains: names looked up, words taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal

from tunnelgate.flows import axes, netfilter
from tunnelgate.flows.fields import EVERYTHING, Rate
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
    Never,
    Nothing,
    Own,
    Return,
    Source,
    State,
    Test,
    Unmodelled,
    Within,
    merged,
)
from tunnelgate_targets.nftables.read import build
from tunnelgate_targets.nftables.read.build import Action, Declaration, Match, Value, listed
from tunnelgate_targets.nftables.read.values import family_of, number, one_key, together

_EVERYTHING = (Case(EVERYTHING, Nothing()),)
#: The port range of which nothing is IKE's (language reference, What happens to a packet).
_MOVED = (4501, 65535)
_SIDES: dict[str, Literal["arrival", "departure"]] = {"iifname": "arrival", "oifname": "departure"}


def ruleset(declarations: Iterable[Declaration]) -> netfilter.Ruleset:
    """The chains of a table."""
    return netfilter.Ruleset(_Resolver(declarations).chains())


class _Resolver:
    def __init__(self, declarations: Iterable[Declaration]) -> None:
        self.declared = list(declarations)
        self.sets = {one.name: one for one in self.declared if isinstance(one, build.Set)}
        self.limits = {one.name: one for one in self.declared if isinstance(one, build.Limit)}
        self.helpers = {one.name: one for one in self.declared if isinstance(one, build.Helper)}
        self._within: dict[tuple[str, tuple[str, ...]], Within] = {}

    def chains(self) -> dict[str, netfilter.Chain]:
        found: dict[str, netfilter.Chain] = {}
        for one in self.declared:
            if isinstance(one, build.Chain):
                if one.name in found:
                    raise Unmodelled(f"two chains `{one.name}`")
                found[one.name] = self._chain(one)
        return found

    def _chain(self, chain: build.Chain) -> netfilter.Chain:
        rules = tuple(made for rule in chain.rules for made in _Rule(self, rule).made())
        hook = None
        if chain.hook is not None:
            kind, where, priority, policy = chain.hook
            end = Accept() if policy == "accept" else Drop()
            hook = netfilter.Hook(where, priority, kind == "nat", end)  # type: ignore[arg-type]
        return netfilter.Chain(rules, hook)

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
        declared = self.sets.get(name)
        if declared is None:
            raise Unmodelled(f"no set `{name}`", line)
        if not _fits(declared.key, key):
            raise Unmodelled(f"set `{name}` is of another type than what is looked up", line)
        for entry in listed(declared.elements) if declared.elements else ():
            word, _, data = entry.partition(" : ")
            yield word.strip(), data.strip()


def _fits(declared: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Whether both are the same fields, source and destination being one type."""
    return [_type(one) for one in declared] == [_type(one) for one in asked]


def _type(selector: str) -> str:
    return selector.partition(" ")[0] if family_of(selector) else selector


class _Rule:
    """One line: its tests in order, and what is done at its end."""

    def __init__(self, resolver: _Resolver, rule: build.Rule) -> None:
        self.resolver = resolver
        self.rule = rule
        self.tests: list[Test] = []
        self.rate: Rate | None = None
        self.silent = False

    def made(self) -> Iterator[netfilter.Rule]:
        """The rules that a line is: several for a verdict map."""
        *matches, last = self.rule.parts
        for part in matches:
            if isinstance(part, Match):
                self._test(part)
            elif part.name != "nothing":
                raise Unmodelled("something behind a verdict", self.line)
        if isinstance(last, Match):
            if last.name == "vmap":
                yield from self._verdicts(last)
            else:
                self._test(last)
            return
        for cases in self._cases(last):
            yield netfilter.Rule(tuple(self.tests), cases, self.line)

    @cached_property
    def line(self) -> int:
        return self.rule.line

    # -- tests

    def _test(self, match: Match) -> None:
        match match.name:
            case "equal" | "unequal":
                assert match.value is not None, "a comparison has a value"
                self.tests.append(self._compared(match.key, match.value, match.name == "unequal"))
            case "own" | "not own":
                self.tests.append(Own(negated=match.name == "not own"))
            case "own of arrival" | "not own of arrival":
                negated = match.name == "not own of arrival"
                self.tests.append(Own(of_arrival=True, negated=negated))
            case "credit":
                limit = self.resolver.limits.get(match.key[0])
                if limit is None:
                    raise Unmodelled(f"no limit `{match.key[0]}`", self.line)
                self.rate = Rate(limit.rate.number, limit.rate.unit, per_source=False)
            case "credit each":
                side, connections, unit = match.key
                if not side.endswith("saddr"):
                    raise Unmodelled(f"a limit for each `{side}`", self.line)
                self.tests.append(Within((netfilter.of_family(family_of(side)),)))
                self.rate = Rate(int(connections), unit, per_source=True)
            case "crowd":
                self.tests.append(Never("a second claimant"))
            case "paced" | "opens":
                self.silent = True  # of what is logged or changed, not of what passes
            case "resets":
                # an answer of the machine itself, which begins nothing
                self.tests.append(Never("a reset"))
            case "hop limit" if match.key == ("255",):
                pass  # what discovers neighbours has it (RFC 4861 sections 6.1 and 7.1)
            case _:
                raise Unmodelled(f"`{match.name}`", self.line)

    def _compared(self, key: tuple[str, ...], value: Value, negated: bool) -> Test:
        if len(key) > 1:
            return self.resolver.within(key, value, negated=negated)
        selector, words = key[0], value.words
        match selector:
            case "iifname" | "oifname":
                if value.kind != "strings":
                    raise Unmodelled("an interface that is not quoted", self.line)
                return Interface(_SIDES[selector], words, negated)
            case "ct state":
                return InState(frozenset(_state(word, self.line) for word in words))
            case "ct direction":
                return Is("reply", _word(words, ("original", "reply"), self.line) == "reply")
            case "ct status":
                if _word(words, ("dnat", "confirmed"), self.line) == "confirmed":
                    return Never("a packet that begins nothing")
                return Is("translated")
            case "ct helper":
                return HasHelper(words[0])
            case "ct original ip daddr" | "ct original ip6 daddr":
                self.silent = True  # what a connection began as is asked for counting alone
                return Never("what a connection began as")
            case "meta ipsec" | "rt ipsec":
                exists = _word(words, ("exists", "missing"), self.line) == "exists"
                return Is("decrypted" if selector == "meta ipsec" else "protected", exists)
            case _:
                return self.resolver.within(key, value, negated=negated)

    # -- actions

    def _verdicts(self, match: Match) -> Iterator[netfilter.Rule]:
        assert match.value is not None, "a verdict map has entries"
        side = _SIDES.get(match.key[0])
        if side is None or len(match.key) > 1:
            raise Unmodelled("a verdict map of something else than an interface", self.line)
        for entry in listed(match.value.words[0]):
            name, _, verdict = entry.partition(" : ")
            word, _, chain = verdict.partition(" ")
            if word not in {"goto", "jump"}:
                raise Unmodelled(f"verdict `{verdict}`", self.line)
            test = Interface(side, (name.strip('"'),))
            case = Case(EVERYTHING, Jump(chain, word == "goto"))
            yield netfilter.Rule((*self.tests, test), (case,), self.line)

    def _cases(self, action: Action) -> Iterator[tuple[Case, ...]]:
        if action.name == "dnat map":
            yield tuple(self._mapped(action))
            return
        done = self._action(action)
        if isinstance(done, Nothing):
            return
        if self.silent:
            raise Unmodelled("a verdict for a part of the packets", self.line)
        yield (Case(EVERYTHING, done),)

    def _action(self, action: Action) -> netfilter.Action:
        words = action.words
        match action.name:
            case "accept":
                return Accept(self.rate)
            case "jump" | "goto":
                return Jump(words[0], action.name == "goto", self.rate)
            case "nothing":
                return Nothing()
        if self.rate is not None:
            raise Unmodelled(f"credit for `{action.name}`", self.line)
        match action.name:
            case "drop":
                return Drop()
            case "return":
                return Return()
            case "helper":
                declared = self.resolver.helpers.get(words[0])
                if declared is None:
                    raise Unmodelled(f"no helper `{words[0]}`", self.line)
                return netfilter.Helper(declared.kind)
            case _:
                return self._translation(action.name, words)

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
        name = action.words[1]
        for word, data in self.resolver.entries(name, action.key, self.line):
            fields = _fields(word)
            if len(action.key) == 1:
                (box,) = one_key(action.key[0], fields, negated=False)
            else:
                box = together(action.key, fields)
            yield Case(box, Destination(axes.address_of(data)))


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
