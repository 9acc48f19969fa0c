"""A syntax tree to a policy: every name looked up, every atom taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import TypeVar

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import (
    AH,
    Entry,
    Expect,
    ExpectKind,
    Forward,
    Group,
    Host,
    Nat,
    Options,
    Policy,
    ProtocolSet,
    Question,
    Rule,
    Side,
    Verdict,
    Zone,
)
from tunnelgate.policy.options import OptionReader
from tunnelgate.policy.places import PlaceResolver
from tunnelgate.policy.protocols import ProtocolResolver
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.values import BadValue, parse_port
from tunnelgate.policy.zones import ZoneResolver
from tunnelgate.source import Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.text import flow_text, statement_text

_T = TypeVar("_T")
#: Names have at most 31 characters; one made of a file's name is cut.
_MAX_NAME = 31
_AT_HELP = "`at` names one of the gateway's own addresses, or the zone whose addresses are meant"


def resolve(tree: ast.Policy) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """Resolve a policy. What has no meaning is left out of it and stands in the findings."""
    resolver = _Resolver(tree)
    policy = resolver.policy()
    return policy, tuple(resolver.reporter.diagnostics)


def resolve_flow(
    tree: ast.Policy, flow: ast.Flow
) -> tuple[Question | None, tuple[Diagnostic, ...]]:
    """Resolve a question against the names of a policy, whose own findings are not repeated."""
    resolver = _Resolver(tree)
    resolver.reporter.diagnostics.clear()
    question = resolver.question(flow)
    return question, tuple(resolver.reporter.diagnostics)


class _Resolver:
    def __init__(self, tree: ast.Policy) -> None:
        self.tree = tree
        self.reporter = Reporter()
        self.zones = ZoneResolver(self.reporter, tree.file)
        self.zones.resolve(self._all(ast.Zone))
        self.protocols = ProtocolResolver(self.reporter)
        self.protocols.define(self._all(ast.Protocol))
        self.places = PlaceResolver(self.reporter, self.zones)
        self.reader = OptionReader(self.reporter)

    def _all(self, kind: type[_T]) -> list[_T]:
        return [node for node in self.tree.statements if isinstance(node, kind)]

    def policy(self) -> Policy:
        self._not_yet()
        places = self.zones.places.values()
        rules_ = [
            self._rule(node)
            for node in self.tree.statements
            if isinstance(node, ast.Allow | ast.Deny)
        ]
        forwards = [self._forward(node) for node in self._all(ast.Forward)]
        nats = [self._nat(node) for node in self._all(ast.Nat)]
        expects = [
            self._expect(node)
            for node in self.tree.statements
            if isinstance(node, ast.ExpectVerdict | ast.ExpectReaches | ast.ExpectLeaves)
        ]
        settings, spans = self.reader.settings(self._all(ast.Setting))
        return Policy(
            name=self._name(),
            file=self.tree.file,
            zones=tuple(self.zones.zones),
            hosts=tuple(place for place in places if isinstance(place, Host)),
            groups=tuple(place for place in places if isinstance(place, Group)),
            rules=_found(rules_),
            forwards=_found(forwards),
            nats=_found(nats),
            expects=_found(expects),
            settings=settings,
            settings_spans=spans,
        )

    def _name(self) -> str:
        nodes = self._all(ast.Gateway)
        for extra in nodes[1:]:
            self.reporter.say(
                rules.DUPLICATE_NAME,
                extra.span,
                "a policy has one gateway",
                "leave one of the two lines out",
                labels=[Label(nodes[0].span, "first here")],
            )
        if not nodes:
            stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(self.tree.file.path).stem).strip("-_")
            return stem[:_MAX_NAME].rstrip("-") if stem[:1].isalpha() else "gateway"
        name = nodes[0].name
        if name.kind is ast.AtomKind.PARAM:
            self.zones.not_yet_param(name)
        return name.text

    def _not_yet(self) -> None:
        for param in self._all(ast.Param):
            self.reporter.say(
                rules.NOT_YET,
                param.span,
                "parameters are not built yet",
                "write the value where it is used",
            )
        for include in self._all(ast.Include):
            self.reporter.say(
                rules.NOT_YET,
                include.span,
                "includes are not built yet",
                "put the statements into this file",
            )

    # -- statements

    def _rule(self, node: ast.Allow | ast.Deny) -> Rule | None:
        allow = isinstance(node, ast.Allow)
        protocols = self.protocols.resolve(node.protocols)
        source, destination = self.places.side(node.source), self.places.side(node.destination)
        if protocols is None:
            return None
        options = self.reader.options(node.options, "allow" if allow else "deny", protocols)
        if source is None or destination is None or options is None:
            return None
        return Rule(
            text=statement_text(node),
            doc=node.doc,
            span=node.span,
            verdict=Verdict.ALLOW if allow else Verdict.DENY,
            protocols=protocols,
            source=source,
            destination=destination,
            options=options,
            options_span=_options_span(node.options),
        )

    def _nat(self, node: ast.Nat) -> Nat | None:
        source, destination = self.places.side(node.source), self.places.side(node.destination)
        address = None
        if node.address is not None:
            address = self._one_address(node.address, 6 if node.ipv6 else 4)
            if address is None:
                return None
        for side, places in ((source, node.source), (destination, node.destination)):
            if side is not None and any(zone.is_gateway for zone, _ in side):
                self.reporter.say(
                    rules.BAD_STATEMENT,
                    places.span,
                    "`nat` is about what crosses the gateway, not about its own traffic",
                    "name the zones on both sides; the gateway's own packets have its own "
                    "addresses already",
                )
                return None
        if source is None or destination is None:
            return None
        return Nat(
            text=statement_text(node),
            doc=node.doc,
            span=node.span,
            family=6 if node.ipv6 else 4,
            source=source,
            destination=destination,
            address=address,
            address_span=node.address.span if node.address else None,
        )

    def _one_address(self, atom: ast.Atom, family: int) -> int | None:
        side = self._literal_address(atom)
        if side is None:
            return None
        if not side.is_single() or axes.family(side.first()) != family:
            self.reporter.say(
                rules.BAD_VALUE,
                atom.span,
                f"`{atom.span.text}` is not one IPv{family} address",
                "translation is to a single address of the statement's family",
            )
            return None
        return side.first()

    def _literal_address(self, atom: ast.Atom) -> Intervals | None:
        if self.zones.not_yet_param(atom):
            return None
        return self.places.addresses(atom)

    def _forward(self, node: ast.Forward) -> Forward | None:
        protocols = self.protocols.resolve(node.protocols)
        source = self.places.side(node.source)
        host = self.places.host(node.host)
        at = self._at(node.at) if node.at else None
        if protocols is None or source is None or host is None or (node.at and at is None):
            return None
        options = self.reader.options(node.options, "forward", protocols)
        port = self._forward_port(node, protocols)
        if options is None or (node.port and port is None):
            return None
        family = 6 if node.ipv6 else 4
        mine = host.addresses & axes.family_axis(family)
        if not mine:
            self.reporter.say(
                rules.BAD_STATEMENT,
                node.host.span,
                f"`{host.name}` has no IPv{family} address",
                f"give it one, or write `forward {'' if family == 6 else 'ipv6 '}…` for the other "
                "family",
                labels=[Label(host.span, "defined here")],
            )
            return None
        if any(zone.is_gateway for zone, _ in source):
            self.reporter.say(
                rules.BAD_STATEMENT,
                node.source.span,
                "`forward` is about what arrives, not about what the gateway sends",
                "name the zone that it arrives from",
            )
            return None
        return Forward(
            text=statement_text(node),
            doc=node.doc,
            span=node.span,
            family=family,
            protocols=protocols,
            source=source,
            entries=_entries(source, at, host, family, options),
            at=node.at.span if node.at else None,
            host=host,
            host_span=node.host.span,
            target=mine.first(),
            port=port,
            options=options,
            options_span=_options_span(node.options),
        )

    def _at(self, atom: ast.Atom) -> Intervals | None:
        """The addresses that `at` names: those of a zone, or one (whose it is, TG307 asks)."""
        if atom.kind is ast.AtomKind.NAME:
            place = self.places.place(atom)
            if isinstance(place, Zone):
                return Intervals.of((one, one) for one in place.carrier.addresses)
            if place is not None:
                self.reporter.say(
                    rules.WRONG_KIND,
                    atom.span,
                    f"`{atom.text}` is no address of the gateway",
                    _AT_HELP,
                )
            return None
        found = self._literal_address(atom)
        if found is not None and not found.is_single():
            self.reporter.say(
                rules.WRONG_KIND,
                atom.span,
                f"`{atom.text}` is not a single address",
                _AT_HELP,
            )
            return None
        return found

    def _forward_port(self, node: ast.Forward, protocols: ProtocolSet) -> int | None:
        if node.port is None or self.zones.not_yet_param(node.port):
            return None
        channels = protocols.l4 - AH
        if not channels.is_single() or channels.first() >> 16 not in axes.WITH_PORTS:
            self.reporter.say(
                rules.BAD_STATEMENT,
                node.port.span,
                "`port` needs exactly one channel with one port",
                "forward each channel in a statement of its own, or leave `port` out",
                labels=[Label(node.protocols.span, "these are not one")],
            )
            return None
        try:
            return parse_port(node.port.text)
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, node.port.span, error)
            return None

    # -- expectations

    def question(self, flow: ast.Flow) -> Question | None:
        protocols = self.protocols.resolve(ast.Protocols((flow.protocol,), (), flow.protocol.span))
        source, destination = self.places.one(flow.source), self.places.one(flow.destination)
        if protocols is None or source is None or destination is None:
            return None
        return Question(
            text=flow_text(flow),
            protocols=protocols,
            source=source,
            destination=destination,
            span=flow.span,
        )

    def _expect(self, node: ast.Expect) -> Expect | None:
        question = self.question(node.flow)
        kind, target = self._expected(node)
        if question is None or target is None:
            return None
        return Expect(
            text=statement_text(node),
            doc=node.doc,
            span=node.span,
            kind=kind,
            question=question,
            target=target,
        )

    def _expected(self, node: ast.Expect) -> tuple[ExpectKind, Intervals | None]:
        match node:
            case ast.ExpectVerdict():
                return (ExpectKind.ALLOW if node.allow else ExpectKind.DENY), Intervals.EMPTY
            case ast.ExpectReaches():
                host = self.places.host(node.host)
                return ExpectKind.REACHES, host.addresses if host else None
            case ast.ExpectLeaves():
                if node.address is None:
                    return ExpectKind.LEAVES, Intervals.EMPTY
                if node.address.kind is ast.AtomKind.NAME:
                    own = (one for zone in self.zones.zones for one in zone.addresses)
                    return ExpectKind.LEAVES, Intervals.of((one, one) for one in own)
                return ExpectKind.LEAVES, self._literal_address(node.address)


def _found(items: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(item for item in items if item is not None)


def _options_span(nodes: tuple[ast.Option, ...]) -> Span | None:
    return nodes[0].span.to(nodes[-1].span) if nodes else None


def _entries(
    source: Side, at: Intervals | None, host: Host, family: int, options: Options
) -> tuple[Entry, ...]:
    """Where a forward takes packets from: for each zone, which addresses of the gateway."""
    axis = axes.family_axis(family)
    entries = []
    for zone, sources in source:
        own = Intervals.of((one, one) for one in zone.carrier.addresses) if at is None else at
        entries.append(Entry(zone, sources & axis, own & axis))
    if options.hairpin and all(entry.zone is not host.zone for entry in entries):
        addresses = Intervals.union_of(entry.addresses for entry in entries)
        entries.append(Entry(host.zone, axis, addresses, hairpin=True))
    return tuple(entry for entry in entries if entry.sources and entry.addresses)
