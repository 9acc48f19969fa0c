"""What the parser calls for each rule of the grammar: statements as they are written.

Names of sets and chains are looked up afterwards (chains.py), since nft takes them in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lark import Token

from tunnelgate.flows.netfilter import Unmodelled

Children = list[Any]


class Value(NamedTuple):
    """What a key is compared with: words, quoted or not, or the set of a name."""

    kind: Literal["words", "strings", "set"]
    words: tuple[str, ...]
    line: int


class Match(NamedTuple):
    """`key == value`, or another test by its name."""

    name: str
    key: tuple[str, ...]
    value: Value | None
    line: int


class Action(NamedTuple):
    """A statement that does something, by its name."""

    name: str
    words: tuple[str, ...]
    key: tuple[str, ...]
    line: int


class Element(NamedTuple):
    """What is put into a set or map, or taken out; the data only by the key it is made of."""

    key: tuple[str, ...]
    timeout: str
    data: tuple[str, ...]


class Change(NamedTuple):
    """An element that a packet puts into a set, or takes out of it.

    Where a set is full, or has no such element, the rule ends there (nft(8), SET STATEMENT).
    """

    is_put: bool
    name: str
    element: Element
    line: int


class Rate(NamedTuple):
    """`rate 5/second burst 5 packets`."""

    number: int
    unit: str
    burst: int


@dataclass(frozen=True, slots=True)
class Set:
    """A set or map: what its elements are of, and the elements as written."""

    name: str
    key: tuple[str, ...]
    data: tuple[str, ...]
    elements: str
    line: int
    is_dynamic: bool = False
    timeout: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """A named limit."""

    name: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Counter:
    """A named counter, which decides nothing."""

    name: str


@dataclass(frozen=True, slots=True)
class Helper:
    """A named helper, the helper of the kernel that it is, and the packets that it is given to.

    `family` is `ip` or `ip6`, or `inet` for both.
    """

    name: str
    kind: str
    protocol: str
    family: str


class Hook(NamedTuple):
    """`type filter hook input priority filter; policy drop;`."""

    kind: str
    hook: str
    priority: int
    policy: str


class Rule(NamedTuple):
    """A line of a chain; `rate` where it takes credit of its own."""

    parts: tuple[Match | Change | Action, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of a table; `hook` is None for one that is called by others alone."""

    name: str
    hook: Hook | None
    rules: tuple[Rule, ...]


Declaration = Set | Limit | Counter | Helper | Chain

#: nft(8), Table 6: standard priority names.
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "srcnat": 100}
#: nft(8), LIMIT STATEMENT: the burst that no word says.
_BURST = "5"
_SAY_PROTOCOL = frozenset({"icmp type", "icmpv6 type", "esp spi"})
#: nft(8), DATA TYPES, and a selector of each that sets are looked up by.
_TYPES = {
    "ipv4_addr": "ip saddr",
    "ipv6_addr": "ip6 saddr",
    "inet_proto": "meta l4proto",
    "inet_service": "th dport",
    "icmp_type": "icmp type",
    "icmpv6_type": "icmpv6 type",
}
_NO_DATA: tuple[str, ...] = ()


class Builder:
    """A method for each rule of the grammar."""

    def start(self, items: Children) -> dict[str, list[Declaration]]:
        """The declarations of each table."""
        found: dict[str, list[Declaration]] = {}
        for name, declarations in items:
            if declarations is None and found.get(name):
                raise Unmodelled(f"table `{name}`, which is emptied again", name.line)
            found.setdefault(str(name), []).extend(declarations or ())
        return found

    def table(self, items: Children) -> tuple[Token, list[Declaration]]:
        return items[1], list(items[2:])

    def delete(self, items: Children) -> tuple[Token, None]:
        return items[1], None

    # -- declarations

    def set(self, items: Children) -> Set:
        name, properties = items[1], dict(items[2:])
        if len(properties) < len(items) - 2:
            raise Unmodelled(f"set `{name}`, which says something twice", name.line)
        key, data = properties.get("of", ((), _NO_DATA))
        elements, flags = properties.get("elements", ""), properties.get("flags", ())
        timeout = properties.get("timeout", "")
        return Set(str(name), key, data, elements, name.line, "dynamic" in flags, timeout)

    def typeof(self, items: Children) -> tuple[str, Any]:
        return "of", (items[0], items[1] if len(items) > 1 else _NO_DATA)

    def type(self, items: Children) -> tuple[str, Any]:
        *types, verdict = items
        return "of", (tuple(_TYPES[one] for one in types), (str(verdict),) if verdict else _NO_DATA)

    def flags(self, items: Children) -> tuple[str, Any]:
        return "flags", tuple(map(str, items))

    def timeout(self, items: Children) -> tuple[str, Any]:
        return "timeout", str(items[0])

    def size(self, _items: Children) -> tuple[str, Any]:
        return "size", None

    def elements(self, items: Children) -> tuple[str, Any]:
        return "elements", str(items[0])

    def limit(self, items: Children) -> Limit:
        return Limit(str(items[0]), items[1])

    def counter(self, items: Children) -> Counter:
        return Counter(str(items[0]))

    def helper(self, items: Children) -> Helper:
        name, kind, protocol, *family = items
        return Helper(str(name), _unquoted(kind), str(protocol), *map(str, family or ("inet",)))

    def rate(self, items: Children) -> Rate:
        number, _, unit = items[0].partition("/")
        burst = items[1] if len(items) > 1 else _BURST
        if not (number.isdigit() and burst.isdigit()) or unit not in {"second", "minute"}:
            raise Unmodelled(f"rate `{' '.join(items)}`", items[0].line)
        return Rate(int(number), unit, int(burst))

    def chain(self, items: Children) -> Chain:
        rest = items[1:]
        hook = rest.pop(0) if rest and isinstance(rest[0], Hook) else None
        return Chain(str(items[0]), hook, tuple(rest))

    def hook(self, items: Children) -> Hook:
        kind, hook, priority, policy = items
        return Hook(str(kind), str(hook), priority, str(policy))

    def named_priority(self, items: Children) -> int:
        return _PRIORITIES[items[0]] - (int(items[1]) if items[1] is not None else 0)

    def number_priority(self, items: Children) -> int:
        return int(items[0])

    def rule(self, items: Children) -> Rule:
        parts = tuple(one for one in items if one is not None)
        return Rule(parts, next((one.line for one in parts if one.line), 0))

    def comment(self, _items: Children) -> None:
        return None

    # -- tests

    def equal(self, items: Children) -> Match:
        return Match("equal", items[0], items[1], items[1].line)

    def exactly(self, items: Children) -> Match:
        """An explicit `==` asks all bits of a mask, where no word asks one of them."""
        if items[0] == ("ct status",):
            raise Unmodelled("the whole status of a connection", items[1].line)
        return self.equal(items)

    def unequal(self, items: Children) -> Match:
        return Match("unequal", items[0], items[1], items[1].line)

    def vmap(self, items: Children) -> Match:
        return Match("vmap", items[0], Value("words", (str(items[1]),), 0), items[1].line)

    def vmap_named(self, items: Children) -> Match:
        return Match("vmap", items[0], Value("set", (str(items[1]),), 0), items[1].line)

    def credit(self, items: Children) -> Match:
        return Match("credit", (_unquoted(items[0]),), None, items[0].line)

    def credit_each(self, items: Children) -> Match:
        rate: Rate = items[2]
        return Match(
            "credit each", (str(items[0]), *items[1], *map(str, rate)), None, items[0].line
        )

    def over_credit(self, items: Children) -> Match:
        return Match("over credit", items[1], None, items[0].line)

    def learned(self, items: Children) -> Change:
        return Change(True, str(items[0]), items[1], items[0].line)

    def forgotten(self, items: Children) -> Change:
        return Change(False, str(items[0]), items[1], items[0].line)

    def element(self, items: Children) -> Element:
        key, timeout, *data = items
        made = data[0] if len(data) == 1 and isinstance(data[0], tuple) else ()
        return Element(key, str(timeout or ""), made)

    def crowd(self, items: Children) -> Match:
        return Match("crowd", (*items[1], str(items[2])), None, items[0].line)

    def hop_limit(self, items: Children) -> Match:
        return Match("hop limit", (str(items[0]),), None, items[0].line)

    def own(self, _items: Children) -> Match:
        return Match("own", (), None, 0)

    def not_own(self, _items: Children) -> Match:
        return Match("not own", (), None, 0)

    def own_source(self, _items: Children) -> Match:
        return Match("own source", (), None, 0)

    def counted(self, _items: Children) -> Match:
        return Match("counted", (), None, 0)

    def own_of_arrival(self, _items: Children) -> Match:
        return Match("own of arrival", (), None, 0)

    def not_own_of_arrival(self, _items: Children) -> Match:
        return Match("not own of arrival", (), None, 0)

    def opens(self, _items: Children) -> Match:
        return Match("opens", (), None, 0)

    def resets(self, _items: Children) -> Match:
        return Match("resets", (), None, 0)

    def paced(self, _items: Children) -> Match:
        return Match("paced", (), None, 0)

    def key(self, items: Children) -> tuple[str, ...]:
        """The fields of a key, each of its own: a type of ICMP and an SPI say their protocol."""
        found = tuple(map(str, items))
        named = {"meta l4proto" if one in _SAY_PROTOCOL else one for one in found}
        if len(named) < len(found):
            raise Unmodelled(f"a field that stands twice in `{' . '.join(found)}`", items[0].line)
        return found

    # -- values

    def word(self, items: Children) -> Value:
        return Value("words", (str(items[0]),), items[0].line)

    def string(self, items: Children) -> Value:
        return Value("strings", (_unquoted(items[0]),), items[0].line)

    def braces(self, items: Children) -> Value:
        words = listed(items[0])
        quoted = bool(words) and words[0].startswith('"')
        if quoted:
            words = [word.strip('"') for word in words]
        return Value("strings" if quoted else "words", tuple(words), items[0].line)

    def named(self, items: Children) -> Value:
        return Value("set", (str(items[0]),), items[0].line)

    # -- actions

    def nothing(self, _items: Children) -> Action:
        return Action("nothing", (), (), 0)

    def accept(self, items: Children) -> Action:
        return Action("accept", (), (), items[0].line)

    def drop(self, items: Children) -> Action:
        return Action("drop", (), (), items[0].line)

    def reset(self, items: Children) -> Action:
        return Action("reset", (), (), items[0].line)

    def leave(self, items: Children) -> Action:
        return Action("return", (), (), items[0].line)

    def jump(self, items: Children) -> Action:
        return Action("jump", (str(items[0]),), (), items[0].line)

    def goto(self, items: Children) -> Action:
        return Action("goto", (str(items[0]),), (), items[0].line)

    def dnat_map(self, items: Children) -> Action:
        return Action("dnat map", (str(items[0]), str(items[2])), items[1], items[0].line)

    def dnat(self, items: Children) -> Action:
        return Action("dnat", (str(items[0]), str(items[1])), (), items[0].line)

    def snat_map(self, items: Children) -> Action:
        return Action("snat map", (str(items[0]), str(items[2])), items[1], items[0].line)

    def snat_kept(self, items: Children) -> Action:
        if not items[1].endswith("saddr"):
            raise Unmodelled("a source that becomes something else", items[1].line)
        return Action("snat kept", (), (), items[0].line)

    def snat(self, items: Children) -> Action:
        return Action("snat", (str(items[0]), str(items[1])), (), items[0].line)

    def masquerade(self, items: Children) -> Action:
        ports = items[0]
        return Action("masquerade", () if ports is None else (str(ports),), (), 0)

    def set_zone(self, items: Children) -> Action:
        return Action("zone", (str(items[1]),), items[0], items[1].line)

    def set_packet_type(self, items: Children) -> Action:
        return Action("packet type", (str(items[0]),), (), items[0].line)

    def set_helper(self, items: Children) -> Action:
        return Action("helper", (_unquoted(items[0]),), (), items[0].line)


def listed(braces: str) -> list[str]:
    """The items of `{ a, b }`, comments left out."""
    inner = braces.strip()[1:-1]
    if "#" in inner:
        inner = "\n".join(line.partition("#")[0] for line in inner.split("\n"))
    return [word for one in inner.split(",") if (word := one.strip())]


def _unquoted(token: Token) -> str:
    return str(token)[1:-1]
