"""What the parser calls for each token and rule: it makes the syntax tree while it reads.

A callback is named as in `policy.lark`: in capitals for a terminal, given the token; in small
letters for a rule, given the list of its children, where a part left out is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.ast import Atom, AtomKind

if TYPE_CHECKING:
    from lark import Token

    from tunnelgate.syntax.comments import Doc

#: The children of a rule: tokens, atoms, nodes, lists of them, None.
Children = list[Any]

NodeT = TypeVar("NodeT", bound=ast.Node)


def _word(kind: AtomKind, first: int = 0, behind: int | None = None) -> Callable[..., Atom]:
    """The callback of a terminal that becomes an atom, its text cut to `[first:behind]`."""

    def word(builder: Builder, token: Token) -> Atom:
        start = builder.base + token.start_pos  # type: ignore[operator]  # lark's own have one
        return Atom(kind, token.value[first:behind], Span(builder.file, start, start + len(token)))

    return word


class Builder:
    """Collects the statements of one text at a time.

    Statements are collected as they are read, not handed up, so that those before a mistake are
    still there when the parser gives up.

    Attributes:
        statements: of the policy, in the order of the text.
        members: of the zone being read, or of the body of a zone where that is read alone.
        asked: the flow, where the text is a question.
        documented: where the statements and members begin that have a doc comment.
        base: where in the file the piece begins that the parser is given.
    """

    def __init__(self) -> None:
        self.forget()

    def begin(self, file: SourceFile, docs: Mapping[int, Doc]) -> None:
        """Turn to another text; `docs` are its doc comments, by where the next word begins."""
        self.file = file
        self.docs = docs
        self.documented: set[int] = set()
        self.statements: list[ast.Statement] = []
        self.members: list[ast.Member] = []
        self.asked: ast.Flow | None = None
        self.base = 0

    def forget(self) -> None:
        """Let go of the text read last."""
        self.begin(SourceFile(""), {})

    def take_members(self) -> tuple[ast.Member, ...]:
        """The members read since this was last called."""
        members = tuple(self.members)
        self.members.clear()
        return members

    def doc_at(self, start: int) -> str:
        """The doc comment of what begins there, empty where it has none."""
        if start not in self.docs:
            return ""
        self.documented.add(start)
        return self.docs[start].text

    def _node(self, kind: type[NodeT], first: Token, last: Any, **fields: Any) -> NodeT:
        """Make a statement or member from its first word to its last token, atom or part."""
        start = self.base + first.start_pos  # type: ignore[operator]  # lark's own have one
        end = last.span.end if hasattr(last, "span") else self.base + last.end_pos
        return kind(span=Span(self.file, start, end), doc=self.doc_at(start), **fields)

    def _state(self, kind: type[NodeT], first: Token, last: Any, **fields: Any) -> None:
        self.statements.append(self._node(kind, first, last, **fields))  # type: ignore[arg-type]

    def _hold(self, kind: type[NodeT], first: Token, last: Any, **fields: Any) -> None:
        self.members.append(self._node(kind, first, last, **fields))  # type: ignore[arg-type]

    # Words

    NAME = OWN = _word(AtomKind.NAME)
    IFNAME = _word(AtomKind.IFNAME)
    ADDRESS = _word(AtomKind.ADDRESS)
    LITERAL = _word(AtomKind.LITERAL)
    PARAM = _word(AtomKind.PARAM, 1)
    STRING = _word(AtomKind.STRING, 1, -1)
    INT = _word(AtomKind.INT)
    RATE = _word(AtomKind.RATE)
    SPI = _word(AtomKind.SPI)

    # Parts of statements

    use_list = place_list = names = options = staticmethod(tuple)

    def use(self, children: Children) -> ast.ProtocolUse:
        atom, port = children
        return ast.ProtocolUse(atom, port, atom.span.to(port.span) if port else atom.span)

    def protocols(self, children: Children) -> ast.Protocols:
        items, excepted = children
        last = (excepted or items)[-1]
        return ast.Protocols(items, excepted or (), items[0].span.to(last.span))

    def places(self, children: Children) -> ast.Places:
        items, excepted = children
        last = (excepted or items)[-1]
        return ast.Places(items, excepted or (), items[0].span.to(last.span))

    def option(self, children: Children) -> ast.Option:
        name, argument, per_source = children
        last = argument or name
        end = self.base + per_source.end_pos if per_source else last.span.end
        span = Span(self.file, name.span.start, end)
        return ast.Option(name, argument, per_source is not None, span)

    def flow(self, children: Children) -> ast.Flow:
        use, source, destination = children
        return ast.Flow(
            protocol=use,
            source=source,
            destination=destination,
            span=use.span.to(destination.span),
        )

    # Statements

    def gateway(self, children: Children) -> None:
        first, name = children
        self._state(ast.Gateway, first, name, name=name)

    def zone(self, children: Children) -> None:
        # The members stand in `self.members`; what they left among the children is None.
        first, name, last = children[0], children[1], children[-1]
        self._state(ast.Zone, first, last, name=name, members=self.take_members())

    def protocol(self, children: Children) -> None:
        first, name, *items = children
        self._state(ast.Protocol, first, items[-1], name=name, items=tuple(items))

    def nat(self, children: Children) -> None:
        first, ipv6, source, destination, address = children
        self._state(
            ast.Nat,
            first,
            address or destination,
            ipv6=ipv6 is not None,
            source=source,
            destination=destination,
            address=address,
        )

    def allow(self, children: Children) -> None:
        self._verdict(ast.Allow, children)

    def deny(self, children: Children) -> None:
        self._verdict(ast.Deny, children)

    def _verdict(self, kind: type[NodeT], children: Children) -> None:
        first, protocols, source, destination, options = children
        self._state(
            kind,
            first,
            options[-1] if options else destination,
            protocols=protocols,
            source=source,
            destination=destination,
            options=options or (),
        )

    def forward(self, children: Children) -> None:
        first, ipv6, protocols, source, at, host, port, options = children
        self._state(
            ast.Forward,
            first,
            options[-1] if options else port or host,
            ipv6=ipv6 is not None,
            protocols=protocols,
            source=source,
            at=at,
            host=host,
            port=port,
            options=options or (),
        )

    def param(self, children: Children) -> None:
        first, name, type_, dots, *default = children
        default = [value for value in default if value is not None]
        last = default[-1] if default else dots or type_
        self._state(
            ast.Param,
            first,
            last,
            name=name,
            type=type_,
            many=dots is not None,
            default=tuple(default),
        )

    def include(self, children: Children) -> None:
        first, file = children
        self._state(ast.Include, first, file, file=file)

    def setting(self, children: Children) -> None:
        first, names, value = children
        self._state(ast.Setting, first, value or names[-1], names=names, value=value)

    def expect_verdict(self, children: Children) -> None:
        first, verdict, flow = children
        self._state(ast.ExpectVerdict, first, flow, allow=verdict == "allow", flow=flow)

    def expect_reaches(self, children: Children) -> None:
        first, flow, host = children
        self._state(ast.ExpectReaches, first, host, flow=flow, host=host)

    def expect_leaves(self, children: Children) -> None:
        first, flow, last = children
        address = last if isinstance(last, Atom) else None  # else the token `untranslated`
        self._state(ast.ExpectLeaves, first, last, flow=flow, address=address)

    def question(self, children: Children) -> None:
        (self.asked,) = children

    # Members of zones

    def interfaces(self, children: Children) -> None:
        first, *names = children
        self._hold(ast.Interfaces, first, names[-1], names=tuple(names))

    def ipsec_over(self, children: Children) -> None:
        first, zone = children
        self._hold(ast.IpsecOver, first, zone, zone=zone)

    def networks(self, children: Children) -> None:
        first, *addresses = children
        self._hold(ast.Networks, first, addresses[-1], addresses=tuple(addresses))

    def addresses(self, children: Children) -> None:
        first, *addresses = children
        self._hold(ast.Addresses, first, addresses[-1], addresses=tuple(addresses))

    def mss(self, children: Children) -> None:
        first, value = children
        self._hold(ast.Mss, first, value, value=value)

    def host(self, children: Children) -> None:
        first, name, *addresses = children
        self._hold(ast.Host, first, addresses[-1], name=name, addresses=tuple(addresses))

    def group(self, children: Children) -> None:
        first, name, what = children
        if isinstance(what, Atom):
            self._hold(ast.Group, first, what, name=name, entries=(), file=what)
        else:
            self._hold(ast.Group, first, what[-1], name=name, entries=what, file=None)
