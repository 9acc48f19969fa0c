"""Protocols in a statement: names, literals, one's own ones, and what `except` takes away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from typing import NamedTuple

from tunnelgate.diagnostics import Label
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import Helper, ProtocolSet, Unused
from tunnelgate.policy.params import NUMBER, PORT, PROTOCOL, Params
from tunnelgate.policy.protocol import NatBehaviour, ProtocolRow
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.table import BY_NAME, ICMP_TYPES, ICMPV6_TYPES
from tunnelgate.policy.values import BadValue, parse_port, parse_ports
from tunnelgate.records import replace
from tunnelgate.syntax import ast

_TRANSPORTS = {
    "tcp": axes.TCP,
    "udp": axes.UDP,
    "sctp": axes.SCTP,
    "dccp": axes.DCCP,
    "udplite": axes.UDPLITE,
}
#: What protocols are called elsewhere.
_ELSEWHERE = {
    "all": "any",
    "ikev1": "ike",
    "ikev2": "ike",
    "isakmp": "ike",
    "natt": "nat-t",
    "wg": "wireguard",
}
_TYPES = {"icmp": (axes.ICMP, ICMP_TYPES), "icmpv6": (axes.ICMPV6, ICMPV6_TYPES)}
_WITH_PORTS = Intervals.of(axes.l4(protocol) for protocol in axes.WITH_PORTS)
_TCP = Intervals.of([axes.l4(axes.TCP)])
_NAME = re.compile(r"[A-Za-z]")


class Meant(NamedTuple):
    """What one use of a protocol means."""

    l4: Intervals
    named: Intervals
    inside_ipsec: Intervals = Intervals.EMPTY
    helpers: tuple[Helper, ...] = ()


class ProtocolResolver:
    """Looks protocols up in the table and among the policy's own."""

    def __init__(self, reporter: Reporter, params: Params) -> None:
        self.reporter = reporter
        self.params = params
        self._known: dict[str, Meant] = {}
        self._sets: dict[
            tuple[tuple[ast.ProtocolUse, ...], tuple[ast.ProtocolUse, ...]], ProtocolSet
        ] = {}
        self._own: dict[str, ast.Protocol] = {}
        self._pending: dict[str, ast.Protocol] = {}
        self._used: set[str] = set()
        for name, row in BY_NAME.items():
            if name == "any":
                self._known[name] = Meant(row.l4, Intervals.EMPTY)
            elif name == "l2tp-ipsec":
                self._known[name] = Meant(row.l4, row.l4, BY_NAME["l2tp"].l4)
            else:
                self._known[name] = Meant(row.l4, row.l4, helpers=_helpers(row))

    def telling(self, reporter: Reporter, params: Params) -> ProtocolResolver:
        """The same protocols, with findings going elsewhere."""
        other = copy(self)
        other.reporter, other.params = reporter, params
        return other

    def define(self, nodes: list[ast.Protocol]) -> None:
        """Take in the policy's own protocols, in whatever order they stand."""
        for node in nodes:
            name = node.name
            if name.text in BY_NAME:
                self.reporter.say(
                    rules.DUPLICATE_NAME,
                    name.span,
                    f"`{name.text}` is a built-in protocol",
                    "choose another name, or use the built-in one (`tunnelgate protocols`)",
                )
            elif name.text in self._own:
                self.reporter.say(
                    rules.DUPLICATE_NAME,
                    name.span,
                    f"there are two protocols named `{name.text}`",
                    "give one of them another name",
                    text="again here",
                    labels=[Label(self._own[name.text].name.span, "first here")],
                )
            else:
                self._own[name.text] = self._pending[name.text] = node
        while self._pending:
            open_ = [self._open(next(iter(self._pending)))]
            while open_:
                own, uses, names = open_[-1]
                inner = next((one for one in names if one in self._pending), None)
                if inner is None:
                    found = [meant for use in uses if (meant := self.use(use)) is not None]
                    self._known[own] = _union(found)
                    open_.pop()
                else:
                    open_.append(self._open(inner))

    def unused(self) -> Iterator[Unused]:
        """The policy's own protocols that nothing has asked for."""
        for name, node in self._own.items():
            if name not in self._used:
                yield Unused("protocol", name, node.name.span)

    def _open(self, name: str) -> tuple[str, list[ast.ProtocolUse], Iterator[str]]:
        """Begin with a protocol: its parts, and the names among them, once through.

        Those that are protocols of the policy, too, come before it; none can name it meanwhile.
        """
        uses = self._filled(self._pending.pop(name).items) or []
        return name, uses, (use.atom.text for use in uses)

    def resolve(self, node: ast.Protocols) -> ProtocolSet | None:
        """What a list of protocols means; None where something in it has no meaning."""
        key = (node.items, node.excepted)
        found = self._sets.get(key)
        if found is None:
            found = self._resolve(node)
            if found is None:
                return None
            self._sets[key] = found
        return replace(found, span=node.span)

    def _filled(self, uses: tuple[ast.ProtocolUse, ...]) -> list[ast.ProtocolUse] | None:
        """The uses with their parameters replaced by what these stand for, ports excepted."""
        found: list[ast.ProtocolUse] = []
        good = True
        for use in uses:
            atoms: list[ast.Atom] | None = [use.atom]
            if use.atom.kind is ast.AtomKind.PARAM:
                atoms = self.params.all([use.atom], PROTOCOL)
            elif use.atom.kind is ast.AtomKind.LITERAL and "$" in use.atom.text:
                is_transport = use.atom.text.partition("/")[0] in _TRANSPORTS
                atoms = self.params.literal(use.atom, PORT if is_transport else NUMBER)
            good &= atoms is not None
            found += [replace(use, atom=atom) for atom in atoms or ()]
        return found if good else None

    def _resolve(self, node: ast.Protocols) -> ProtocolSet | None:
        uses, less_uses = self._filled(node.items), self._filled(node.excepted)
        if uses is None or less_uses is None:
            return None
        items = [self.use(use) for use in uses]
        excepted = [self.use(use) for use in less_uses]
        if any(meant is None for meant in (*items, *excepted)):
            return None
        total = _union(meant for meant in items if meant is not None)
        less = Intervals.union_of(meant.l4 for meant in excepted if meant is not None)
        names = tuple(use.atom.text for use in uses)
        plain = Intervals.union_of(meant.l4 for meant in items if meant and not meant.helpers)
        helpers = tuple(
            helper._replace(data=helper.data - plain)
            for helper in total.helpers
            if not helper.control <= less
        )
        return ProtocolSet(
            l4=total.l4 - less,
            named=total.named - less,
            names=names,
            inside_ipsec=total.inside_ipsec - less,
            helpers=helpers,
            span=node.span,
        )

    def use(self, node: ast.ProtocolUse) -> Meant | None:
        """What one protocol means, `port` included; None, and a finding, where it has none.

        The protocol itself is no parameter; its port may be one.
        """
        self._used.add(node.atom.text)
        if node.port is None and (known := self._known.get(node.atom.text)) is not None:
            return known
        if node.atom.kind is ast.AtomKind.LITERAL:
            return self._literal(node)
        return self._named(node)

    def _named(self, node: ast.ProtocolUse) -> Meant | None:
        name = node.atom.text
        meant = self._known.get(name)
        if meant is None:
            self.reporter.unknown(
                rules.UNKNOWN_NAME,
                node.atom.span,
                name,
                "protocol",
                [*self._known, *self._own],
                f"name its ports, as `{name}/443`; all of them are `{name}/1-65535`"
                if name in _TRANSPORTS
                else "`tunnelgate protocols` lists the built-in ones; others are written like "
                "`tcp/8443`",
                meant=_ELSEWHERE.get(name.lower()),
            )
            return None
        return meant if node.port is None else self._with_port(node, node.port, meant)

    def _with_port(self, node: ast.ProtocolUse, port: ast.Atom, meant: Meant) -> Meant | None:
        protocol = meant.l4.first() >> 16
        if not _has_one_port(meant.l4):
            self.reporter.say(
                rules.BAD_STATEMENT,
                port.span,
                f"`{node.atom.text}` has not exactly one port to change",
                "write the channels out, as `tcp/8443 + udp/8443`, in a `protocol` of your own",
            )
            return None
        value = self.params.one(port, PORT)
        if value is None:
            return None
        try:
            number = parse_port(value.text)
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, port.span, error)
            return None
        l4 = Intervals.of([axes.l4(protocol, number, number)])
        return Meant(l4, l4, helpers=tuple(helper._replace(control=l4) for helper in meant.helpers))

    def _literal(self, node: ast.ProtocolUse) -> Meant | None:
        try:
            l4 = parse_literal(node.atom.text)
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, node.atom.span, error)
            return None
        meant = Meant(l4, l4)
        if node.port is not None:
            return self._with_port(node, node.port, meant)
        self._known[node.atom.text] = meant
        return meant


def parse_literal(text: str) -> Intervals:
    """Read `tcp/80,443`, `ip/89`, `icmp/echo-request`. Raises BadValue."""
    word, _, rest = text.partition("/")
    if word in _TRANSPORTS:
        if _NAME.match(rest):
            raise BadValue(f"`{rest}` is no port", "ports are numbers, as `tcp/443`")
        return Intervals.of(
            axes.l4(_TRANSPORTS[word], low, high) for low, high in parse_ports(rest, 65535, "port")
        )
    if word == "ip":
        if _NAME.match(rest):
            raise BadValue(
                f"`{rest}` is no protocol number",
                f"its name is enough: `{rest}`"
                if rest in BY_NAME
                else "IP protocols are numbers, as `ip/89`",
            )
        return Intervals.of(
            (low << 16, high << 16 | 0xFFFF)
            for low, high in parse_ports(rest, 255, "protocol number")
        )
    if word in _TYPES:
        protocol, names = _TYPES[word]
        if _NAME.match(rest):
            if rest not in names:
                raise BadValue(
                    f"`{rest}` is no type of {word}", f"one of {', '.join(sorted(names))}"
                )
            kind = names[rest]
            return Intervals.of([axes.l4(protocol, kind << 8, kind << 8 | 0xFF)])
        return Intervals.of(
            axes.l4(protocol, low << 8, high << 8 | 0xFF)
            for low, high in parse_ports(rest, 255, "ICMP type")
        )
    if word == "esp":
        raise BadValue(
            "an SPI is nothing that a statement can allow or deny",
            "a `forward` says which SPIs are its host's, as `with spi 0x1000-0x1fff`; `esp/0x1000` "
            "asks about one",
        )
    if word in BY_NAME and _has_one_port(BY_NAME[word].l4):
        raise BadValue(f"`{word}/` begins no protocol", f"write `{word} port {rest}`")
    known = ", ".join(f"`{one}/`" for one in (*_TRANSPORTS, *_TYPES, "ip"))
    raise BadValue(f"`{word}/` begins no protocol", f"a literal begins with one of {known}")


def _has_one_port(l4: Intervals) -> bool:
    return l4.is_single() and l4.first() >> 16 in axes.WITH_PORTS


def _union(parts: Iterable[Meant]) -> Meant:
    found = list(parts)
    if len(found) == 1:
        return found[0]
    return Meant(
        Intervals.union_of(meant.l4 for meant in found),
        Intervals.union_of(meant.named for meant in found),
        Intervals.union_of(meant.inside_ipsec for meant in found),
        tuple(helper for meant in found for helper in meant.helpers),
    )


def _helpers(row: ProtocolRow) -> tuple[Helper, ...]:
    """The helper of a row, watching its TCP and UDP channels; the others are what it announces.

    H.323 takes two: `Q.931` for the calls, `RAS` for the gatekeeper. RTSP needs one that no kernel
    has: its name is "".
    """
    if row.nat is not NatBehaviour.HELPER:
        return ()
    control = row.l4 & _WITH_PORTS
    if row.helper == "Q.931":
        return Helper("Q.931", control & _TCP, Intervals.EMPTY), Helper(
            "RAS", control - _TCP, Intervals.EMPTY
        )
    return (Helper(row.helper, control, row.l4 - control),)
