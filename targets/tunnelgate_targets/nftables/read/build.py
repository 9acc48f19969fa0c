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


class Rate(NamedTuple):
    """`5/second`."""

    number: int
    unit: str


@dataclass(frozen=True, slots=True)
class Set:
    """A set or map: what its elements are of, and the elements as written."""

    name: str
    key: tuple[str, ...]
    data: tuple[str, ...]
    elements: str
    line: int


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
    """A named helper, and the helper of the kernel that it is."""

    name: str
    kind: str


class Hook(NamedTuple):
    """`type filter hook input priority filter; policy drop;`."""

    kind: str
    hook: str
    priority: int
    policy: str


class Rule(NamedTuple):
    """A line of a chain; `rate` where it takes credit of its own."""

    parts: tuple[Match | Action, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; `hook` is None for one that is called by others alone."""

    name: str
    hook: Hook | None
    rules: tuple[Rule, ...]


Declaration = Set | Limit | Counter | Helper | Chain

#: nft(8), Table 6: standard priority names.
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "srcnat": 100}
_NO_DATA: tuple[str, ...] = ()


class Builder:
    """A method for each rule of the grammar."""

    def start(self, items: Children) -> list[Declaration]:
        """The declarations of all tables."""
        return [one for some in items for one in some]

    def table(self, items: Children) -> list[Declaration]:
        return list(items[2:])

    def delete(self, _items: Children) -> list[Declaration]:
        return []

    # -- declarations

    def set(self, items: Children) -> Set:
        name, properties = items[1], dict(items[2:])
        key, data = properties.get("of", ((), _NO_DATA))
        return Set(str(name), key, data, properties.get("elements", ""), name.line)

    def typeof(self, items: Children) -> tuple[str, Any]:
        return "of", (items[0], items[1] if len(items) > 1 else _NO_DATA)

    def type(self, items: Children) -> tuple[str, Any]:
        return "of", (("ip saddr" if items[0] == "ipv4_addr" else "ip6 saddr",), _NO_DATA)

    def flags(self, _items: Children) -> tuple[str, Any]:
        return "flags", None

    ignored = flags

    def elements(self, items: Children) -> tuple[str, Any]:
        return "elements", str(items[0])

    def limit(self, items: Children) -> Limit:
        return Limit(str(items[0]), items[1])

    def counter(self, items: Children) -> Counter:
        return Counter(str(items[0]))

    def helper(self, items: Children) -> Helper:
        return Helper(str(items[0]), _unquoted(items[1]))

    def rate(self, items: Children) -> Rate:
        number, _, unit = items[0].partition("/")
        if not number.isdigit() or unit not in {"second", "minute"}:
            raise Unmodelled(f"rate `{items[0]}`", items[0].line)
        return Rate(int(number), unit)

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

    def unequal(self, items: Children) -> Match:
        return Match("unequal", items[0], items[1], items[1].line)

    def vmap(self, items: Children) -> Match:
        return Match("vmap", items[0], Value("words", (str(items[1]),), 0), items[1].line)

    def credit(self, items: Children) -> Match:
        return Match("credit", (_unquoted(items[0]),), None, items[0].line)

    def credit_each(self, items: Children) -> Match:
        rate: Rate = items[2]
        return Match("credit each", (*items[1], str(rate.number), rate.unit), None, items[0].line)

    def crowd(self, items: Children) -> Match:
        return Match("crowd", (), None, items[0].line)

    def hop_limit(self, items: Children) -> Match:
        return Match("hop limit", (str(items[0]),), None, items[0].line)

    def own(self, _items: Children) -> Match:
        return Match("own", (), None, 0)

    def not_own(self, _items: Children) -> Match:
        return Match("not own", (), None, 0)

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
        return tuple(map(str, items))

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

    def snat_kept(self, items: Children) -> Action:
        if not items[1].endswith("saddr"):
            raise Unmodelled("a source that becomes something else", items[1].line)
        return Action("snat kept", (), (), items[0].line)

    def snat(self, items: Children) -> Action:
        return Action("snat", (str(items[0]), str(items[1])), (), items[0].line)

    def masquerade(self, items: Children) -> Action:
        ports = items[0]
        return Action("masquerade", () if ports is None else (str(ports),), (), 0)

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
