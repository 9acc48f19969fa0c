"""The grammar's rules as values, before lists are expanded; `open_grammar` calls it while parsing.

A statement is a `Written`: what it begins with, its line, and its parts by name. A part that the
typed ruleset has no place for is kept by name, so that whoever interprets the statement refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lark import Token

from tunnelgate_targets.pf.read import places
from tunnelgate_targets.pf.read.lexis import unquoted
from tunnelgate_targets.pf.read.parts import (
    Host,
    NotModelled,
    Part,
    Ports,
    Word,
    WrittenPool,
    WrittenSide,
    checked,
)
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import (
    Address,
    Direction,
    Interface,
    NoRoute,
    TableName,
    Tagged,
)
from tunnelgate_targets.pf.read.states import StateOptions

#: Parts of which a statement may have several.
_MANY = frozenset({"action", "entries", "file", "flag", "group", "interface", "user"})


@dataclass(slots=True)
class Written:
    """A statement as it is written.

    Attributes:
        kind: the word it begins with, `no` left out.
        parts: values by name; lists where several may stand.
    """

    kind: str
    line: int
    parts: dict[str, Any] = field(default_factory=dict)

    def add(self, children: Iterable[Any]) -> Written:
        """Take in parts. Raises Refused where one stands twice."""
        for child in children:
            part = child if isinstance(child, Part) else Part(_name(child), child)
            if part.name in _MANY:
                self.parts.setdefault(part.name, []).append(part.value)
            elif part.name in self.parts:
                raise Refused(f"`{part.name}` stands twice", self.line)
            else:
                self.parts[part.name] = part.value
        return self

    def get(self, name: str, default: Any = None) -> Any:
        """A part, or what stands for it."""
        return self.parts.get(name, default)


def _name(child: Any) -> str:
    return child.type.lower() if isinstance(child, Token) else "name"


def _texts(children: Sequence[Any]) -> tuple[str, ...]:
    return tuple(
        child.text if isinstance(child, Word) else str(child)
        for child in children
        if not isinstance(child, Part)
    )


class Builder:
    """A method for each rule of `pf.lark`.

    What thousands of rules name, an interface or a port, is one value for all of them.
    """

    def __init__(self) -> None:
        self._interfaces: dict[Interface, Interface] = {}
        self._tags: dict[Tagged, Tagged] = {}
        self._addresses: dict[tuple[str, ...], Address | NotModelled] = {}
        self._ports: dict[tuple[str, ...], Ports] = {}

    def start(self, children: list[Any]) -> list[Written]:
        return children

    def word(self, children: list[Token]) -> Word:
        token = children[0]
        return Word(unquoted(str(token)), token.line or 0, token.type == "STRING")

    # -- statements

    def option(self, children: list[Any]) -> Written:
        return Written("set", children[0].line, {"words": _texts(children[1:])})

    def table(self, children: list[Any]) -> Written:
        written = Written("table", children[0].line, {"name": children[1]})
        return written.add(children[2:])

    def table_flag(self, children: list[Word]) -> Part:
        return Part("flag", children[0].text)

    def table_file(self, children: list[Word]) -> Part:
        return Part("file", children[0].text)

    def table_entries(self, children: list[Host]) -> Part:
        return Part("entries", children)

    def scrub(self, children: list[Any]) -> Written:
        exempt = children[0].type == "NO"
        rest = children[2:] if exempt else children[1:]
        # FRAGMENT and NO are words here, as in `fragment no reassemble`
        words = [child for child in rest if not isinstance(child, Part) and child != "quick"]
        written = Written("scrub", children[0].line, {"exempt": exempt, "words": _texts(words)})
        return written.add(child for child in rest if isinstance(child, Part))

    def translation(self, children: list[Any]) -> Written:
        exempt = children[0].type == "NO"
        kind = children[1] if exempt else children[0]
        written = Written(str(kind), children[0].line, {"exempt": exempt})
        return written.add(children[2:] if exempt else children[1:])

    def outer_anchor(self, children: list[Any]) -> Written:
        return Written(str(children[0]), children[0].line)

    def load(self, children: list[Any]) -> Written:
        return Written("load", children[0].line)

    def rule(self, children: list[Any]) -> Written:
        return Written(str(children[0]), children[0].line).add(children[1:])

    def anchor(self, children: list[Any]) -> Written:
        return Written("anchor", children[0].line).add(children[1:])

    def body(self, children: list[Written]) -> Part:
        return Part("body", children)

    def antispoof(self, children: list[Any]) -> Written:
        return Written("antispoof", children[0].line).add(children[1:])

    def antispoof_interface(self, children: list[Any]) -> Part:
        return Part("interface", (checked(children[-1], "interface"), len(children) > 1))

    # -- what a rule asks

    def dir(self, children: list[Token]) -> Part:
        return Part("direction", Direction(str(children[0])))

    def log(self, children: list[Any]) -> Part:
        return Part("log", True)

    def on(self, children: list[Interface]) -> Part:
        return Part("on", children)

    def interface(self, children: list[Any]) -> Interface:
        name = children[-1]
        text = checked(name, "interface") if isinstance(name, Word) else str(name)
        made = Interface(text, negated=len(children) > 1)
        return self._interfaces.setdefault(made, made)

    def family(self, children: list[Token]) -> Part:
        return Part("family", 4 if children[0].type == "INET" else 6)

    def proto(self, children: list[Word]) -> Part:
        return Part("proto", [places.protocol(word) for word in children])

    def source(self, children: list[Any]) -> Part:
        return Part("from", _side(children))

    def target(self, children: list[Any]) -> Part:
        return Part("to", _side(children))

    def os(self, children: list[Word]) -> Part:
        return Part("os", _texts(children))

    def flags(self, children: list[Any]) -> Part:
        return Part("flags", places.flags(children))

    def icmp(self, children: list[Any]) -> Part:
        family = 4 if children[0].type == "ICMP_TYPE" else 6
        return Part("icmp", [places.icmp(family, *item) for item in children[1:]])

    def icmp_item(self, children: list[Word]) -> list[Word]:
        return children

    def tagged(self, children: list[Any]) -> Part:
        made = Tagged(checked(children[-1], "tag"), negated=len(children) > 1)
        return Part("tagged", self._tags.setdefault(made, made))

    def received_on(self, children: list[Any]) -> Part:
        return Part("received-on", self.interface(children))

    # -- addresses and ports

    def any(self, children: list[Token]) -> Host:
        return Host(None)

    def host(self, children: list[Any]) -> Host:
        return Host(children[-1], negated=len(children) > 1)

    def host_list(self, children: list[Any]) -> list[Host]:
        hosts: list[Host] = []
        for child in children:
            hosts += child if isinstance(child, list) else [child]
        return hosts

    def address(self, children: list[Word]) -> object:
        text = tuple(word.text for word in children)
        if text not in self._addresses:
            self._addresses[text] = places.address(*children)
        return self._addresses[text]

    def range(self, children: list[Word]) -> object:
        return places.span(*children)

    def dynamic(self, children: list[Any]) -> object:
        return places.dynamic(*children[1:])

    def table_name(self, children: list[Any]) -> object:
        return TableName(checked(children[1], "table"))

    def special(self, children: list[Any]) -> object:
        return NoRoute() if children[0].type == "NO_ROUTE" else NotModelled(str(children[0]))

    def next_hop(self, children: list[Any]) -> object:
        return NotModelled("an interface with a next hop")

    def ports(self, children: list[Any]) -> Part:
        return Part("ports", [self._compared(comparison) for comparison in children])

    def _compared(self, comparison: list[Any]) -> Ports:
        text = tuple(one.text if isinstance(one, Word) else str(one) for one in comparison)
        if text not in self._ports:
            self._ports[text] = places.ports(comparison)
        return self._ports[text]

    def comparison(self, children: list[Any]) -> list[Any]:
        return children

    # -- what a rule does

    def block_answer(self, children: list[Any]) -> Part:
        return Part("answer", " ".join(_texts(children)))

    def state(self, children: list[Any]) -> Part:
        kept = StateOptions(children[1:], children[0].line)
        return Part("state", (str(children[0]), kept.bound, tuple(kept.options)))

    def no_state(self, children: list[Any]) -> Part:
        return Part("state", None)

    def tag(self, children: list[Word]) -> Part:
        return Part("tag", checked(children[0], "tag"))

    def label(self, children: list[Word]) -> Part:
        return Part("label", checked(children[0], "label"))

    def allow_opts(self, children: list[Any]) -> Part:
        return Part("allow-opts", True)

    def pool(self, children: list[Any]) -> WrittenPool:
        options = {part.name: part.value for part in children if isinstance(part, Part)}
        hosts = children[0] if isinstance(children[0], list) else [children[0]]
        return WrittenPool(tuple(hosts), options.pop("port", None), frozenset(options))

    def pool_port(self, children: list[Word]) -> Part:
        return Part("port", children[0])

    def pool_option(self, children: list[Any]) -> Part:
        return Part(children[0].type.lower(), _texts(children[1:]))

    def nat_to(self, children: list[WrittenPool]) -> Part:
        return Part("nat-to", children[0])

    def rdr_to(self, children: list[WrittenPool]) -> Part:
        return Part("rdr-to", children[0])

    def binat_to(self, children: list[WrittenPool]) -> Part:
        return Part("binat-to", children[0])

    def set_action(self, children: list[Any]) -> Part:
        return Part("action", " ".join(_texts(children)))

    def scrub_action(self, children: list[Any]) -> Part:
        return Part("action", " ".join(_texts(children)))

    def queue(self, children: list[Any]) -> Part:
        return Part("action", " ".join(("set", *_texts(children))))

    # -- what has no place in the typed ruleset, by the name that the text gives it

    def af_to(self, children: list[Any]) -> Part:
        return Part("af-to", NotModelled("af-to"))

    def route(self, children: list[Any]) -> Part:
        return Part("route-to", NotModelled(str(children[0])))

    def fragment(self, children: list[Token]) -> Part:
        return Part("fragment", NotModelled("fragment"))

    def _word(self, children: list[Any]) -> Part:
        name = str(children[0])
        return Part(name, NotModelled(name))

    rtable = probability = owner = tos = prio = divert = once = packet_rate = packet_size = _word


def _side(children: list[Any]) -> WrittenSide:
    """The parts of one end: a host or several, ports."""
    side = WrittenSide()
    for child in children:
        if isinstance(child, Part):
            side = replace(side, ports=tuple(child.value))
        else:
            side = replace(side, hosts=tuple(child if isinstance(child, list) else [child]))
    return side
