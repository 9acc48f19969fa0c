"""A syntax tree to a policy: every name looked up, every atom taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import TypeVar

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics import resolving as rules
from tunnelgate.flows import axes
from tunnelgate.flows.fields import ANY_SPI
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
from tunnelgate.policy.names import Names
from tunnelgate.policy.options import OptionReader
from tunnelgate.policy.params import ADDRESS, NAME, PLACE, PORT
from tunnelgate.policy.places import PlaceResolver
from tunnelgate.policy.reporter import Reporter
from tunnelgate.policy.values import BadValue, parse_port, parse_spi
from tunnelgate.records import replace
from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax import ast
from tunnelgate.syntax.lengths import LONGEST_NAME
from tunnelgate.syntax.text import flow_text, statement_text
from tunnelgate.variables import NONE, Variables

_T = TypeVar("_T")
_AT_HELP = "`at` names one of the gateway's own addresses, or the zone whose addresses are meant"


def resolve(tree: ast.Policy, variables: Variables = NONE) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """Resolve a policy with the values given for its parameters.

    What has no meaning is left out of it and stands in the findings.
    """
    reporter = Reporter()
    resolver = _Resolver(reporter, Names.of(tree, reporter, variables))
    policy = resolver.policy(tree, variables)
    return policy, tuple(reporter.diagnostics)


def resolve_flow(policy: Policy, flow: ast.Flow) -> tuple[Question | None, tuple[Diagnostic, ...]]:
    """Resolve a question against the names of a policy."""
    reporter = Reporter()
    question = _Resolver(reporter, policy.names.telling(reporter)).question(flow)
    return question, tuple(reporter.diagnostics)


class _Resolver:
    def __init__(self, reporter: Reporter, names: Names) -> None:
        self.reporter = reporter
        self.names = names
        self.zones, self.protocols, self.params = names.zones, names.protocols, names.params
        self.places = PlaceResolver(reporter, names.zones, names.params)
        self.reader = OptionReader(reporter, names.params)

    def policy(self, tree: ast.Policy, variables: Variables) -> Policy:
        def all_of(kind: type[_T]) -> list[_T]:
            return [node for node in tree.statements if isinstance(node, kind)]

        places = self.zones.places.values()
        name, name_span = self._name(tree.file.path, all_of(ast.Gateway))
        rules_ = [
            self._rule(node) for node in tree.statements if isinstance(node, ast.Allow | ast.Deny)
        ]
        forwards = [self._forward(node) for node in all_of(ast.Forward)]
        nats = [self._nat(node) for node in all_of(ast.Nat)]
        expects = [
            self._expect(node)
            for node in tree.statements
            if isinstance(node, ast.ExpectVerdict | ast.ExpectReaches | ast.ExpectLeaves)
        ]
        settings, spans = self.reader.settings(all_of(ast.Setting))
        return Policy(
            name=name,
            name_span=name_span,
            file=tree.file,
            files=_files(tree.file, variables),
            parameters=self.params.parameters(),
            zones=tuple(self.zones.zones),
            hosts=tuple(place for place in places if isinstance(place, Host)),
            groups=tuple(place for place in places if isinstance(place, Group)),
            rules=_found(rules_),
            forwards=_found(forwards),
            nats=_found(nats),
            expects=_found(expects),
            settings=settings,
            settings_spans=spans,
            unused=self.names.unused(),
            names=self.names,
        )

    def _name(self, path: str, nodes: list[ast.Gateway]) -> tuple[str, Span | None]:
        """The name of the gateway, and where a statement says so."""
        for extra in nodes[1:]:
            self.reporter.say(
                rules.DUPLICATE_NAME,
                extra.span,
                "a policy has one gateway",
                "leave one of the two lines out",
                labels=[Label(nodes[0].span, "first here")],
            )
        name = self.params.one(nodes[0].name, NAME) if nodes else None
        if name is not None:
            return name.text, nodes[0].span
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(path).stem).strip("-_")
        return stem[:LONGEST_NAME].rstrip("-") if stem[:1].isalpha() else "gateway", None

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
        value = self.params.one(atom, ADDRESS)
        return None if value is None else self.places.addresses(value)

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
            entries=_entries(self.zones.zones, source, at, host, family, options),
            at=node.at.span if node.at else None,
            host=host,
            host_span=node.host.span,
            target=mine.first(),
            port=_changed(port, protocols),
            options=options,
            options_span=_options_span(node.options),
        )

    def _at(self, atom: ast.Atom) -> Intervals | None:
        """The addresses that `at` names: those of a zone, or one (whose it is, TG307 asks)."""
        value = self.params.one(atom, PLACE)
        if value is None:
            return None
        atom = value
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
        port = None if node.port is None else self.params.one(node.port, PORT)
        if node.port is None or port is None:
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
            return parse_port(port.text)
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, node.port.span, error)
            return None

    # -- expectations

    def question(self, flow: ast.Flow) -> Question | None:
        use, spis = self._of_spis(flow.protocol)
        protocols = self.protocols.resolve(ast.Protocols((use,), (), use.span))
        source, destination = self.places.one(flow.source), self.places.one(flow.destination)
        if protocols is None or source is None or destination is None or spis is None:
            return None
        return Question(
            text=flow_text(flow),
            protocols=protocols,
            spis=spis,
            source=source,
            destination=destination,
            span=flow.span,
        )

    def _of_spis(self, use: ast.ProtocolUse) -> tuple[ast.ProtocolUse, Intervals | None]:
        """`esp/0x1000` taken apart: ESP, and which SPIs; all of them of any other protocol."""
        word, _, spis = use.atom.text.partition("/")
        if word != "esp" or not spis:
            return use, ANY_SPI
        named = replace(use, atom=replace(use.atom, kind=ast.AtomKind.NAME, text=word))
        try:
            return named, Intervals.span(*parse_spi(spis))
        except BadValue as error:
            self.reporter.bad_value(rules.BAD_VALUE, use.atom.span, error)
            return named, None

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
                if node.address.kind is ast.AtomKind.NAME:  # the word `gateway`
                    own = (one for zone in self.zones.zones for one in zone.addresses)
                    return ExpectKind.LEAVES, Intervals.of((one, one) for one in own)
                return ExpectKind.LEAVES, self._literal_address(node.address)


def _files(file: SourceFile, variables: Variables) -> tuple[SourceFile, ...]:
    """What a policy was read from: its own file, those it names, those of its variables."""
    named = set() if file.library is None else set(file.library.asked.values()) - {file}
    return (file, *sorted(named, key=lambda one: one.name), *variables.files)


def _found(items: Iterable[_T | None]) -> tuple[_T, ...]:
    return tuple(item for item in items if item is not None)


def _changed(port: int | None, protocols: ProtocolSet) -> int | None:
    """The port that a forward sends on to; None where that is the one the packets have."""
    if port is None or port == (protocols.l4 - AH).first() & 0xFFFF:
        return None
    return port


def _options_span(nodes: tuple[ast.Option, ...]) -> Span | None:
    return nodes[0].span.to(nodes[-1].span) if nodes else None


def _entries(
    zones: Iterable[Zone],
    source: Side,
    at: Intervals | None,
    host: Host,
    family: int,
    options: Options,
) -> tuple[Entry, ...]:
    """Where a forward takes packets from: for each zone, which addresses of the gateway."""
    axis = axes.family_axis(family)
    entries = []
    for zone, sources in source:
        own = Intervals.of((one, one) for one in zone.carrier.addresses) if at is None else at
        entries.append(Entry(zone, sources & axis, own & axis))
    if options.hairpin and all(entry.zone is not host.zone for entry in entries):
        addresses = Intervals.union_of(entry.addresses for entry in entries)
        # from inside, unknown addresses that no network holds are not told from each other
        outside = Intervals.of(
            (one, one)
            for zone in zones
            if zone.is_rest or not zone.networks.overlaps(axis)
            for one in zone.addresses
        )
        alike = outside & axes.UNKNOWN & axis
        addresses = addresses | alike if addresses.overlaps(alike) else addresses
        entries.append(Entry(host.zone, axis, addresses, hairpin=True))
    return tuple(entry for entry in entries if entry.sources and entry.addresses)
