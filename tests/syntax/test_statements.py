"""Every form of the language's page becomes the tree it should."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from tunnelgate.source import SourceFile, Span
from tunnelgate.syntax import ast, parse, parse_flow
from tunnelgate.syntax.ast import Atom, AtomKind

NOWHERE = Span(SourceFile(""), 0, 0)


def atom(text: str, kind: AtomKind = AtomKind.NAME) -> Atom:
    return Atom(kind, text, NOWHERE)


def address(text: str) -> Atom:
    return atom(text, AtomKind.ADDRESS)


def use(text: str, kind: AtomKind = AtomKind.NAME, port: Atom | None = None) -> ast.ProtocolUse:
    return ast.ProtocolUse(atom(text, kind), port, NOWHERE)


def uses(*items: ast.ProtocolUse | str, excepted: tuple[str, ...] = ()) -> ast.Protocols:
    made = tuple(use(item) if isinstance(item, str) else item for item in items)
    return ast.Protocols(made, tuple(use(item) for item in excepted), NOWHERE)


def places(*items: Atom | str, excepted: tuple[Atom | str, ...] = ()) -> ast.Places:
    def made(some: tuple[Atom | str, ...]) -> tuple[Atom, ...]:
        return tuple(atom(item) if isinstance(item, str) else item for item in some)

    return ast.Places(made(items), made(excepted), NOWHERE)


def option(name: str, argument: Atom | None = None, per_source: bool = False) -> ast.Option:
    return ast.Option(atom(name), argument, per_source, NOWHERE)


def flow(protocol: ast.ProtocolUse, source: Atom, destination: Atom) -> ast.Flow:
    return ast.Flow(protocol=protocol, source=source, destination=destination, span=NOWHERE)


def allow(
    protocols: ast.Protocols, source: ast.Places, to: ast.Places, *options: ast.Option
) -> ast.Allow:
    return ast.Allow(
        span=NOWHERE, protocols=protocols, source=source, destination=to, options=options
    )


def deny(
    protocols: ast.Protocols, source: ast.Places, to: ast.Places, *options: ast.Option
) -> ast.Deny:
    return ast.Deny(
        span=NOWHERE, protocols=protocols, source=source, destination=to, options=options
    )


def nat(
    source: ast.Places, to: ast.Places, address: Atom | None = None, ipv6: bool = False
) -> ast.Nat:
    return ast.Nat(span=NOWHERE, ipv6=ipv6, source=source, destination=to, address=address)


def forward(
    protocols: ast.Protocols,
    source: ast.Places,
    host: Atom,
    *options: ast.Option,
    at: Atom | None = None,
    port: Atom | None = None,
    ipv6: bool = False,
) -> ast.Forward:
    return ast.Forward(
        span=NOWHERE,
        ipv6=ipv6,
        protocols=protocols,
        source=source,
        at=at,
        host=host,
        port=port,
        options=options,
    )


def param(name: str, type_: str, *default: Atom, many: bool = False) -> ast.Param:
    return ast.Param(span=NOWHERE, name=atom(name), type=atom(type_), many=many, default=default)


def setting(*names: str, value: Atom | None = None) -> ast.Setting:
    return ast.Setting(span=NOWHERE, names=tuple(map(atom, names)), value=value)


A, B = atom("a"), atom("b")
ESP = flow(use("esp"), A, B)

STATEMENTS: list[tuple[str, ast.Statement]] = [
    ("gateway branch", ast.Gateway(span=NOWHERE, name=atom("branch"))),
    ("gateway $name", ast.Gateway(span=NOWHERE, name=atom("name", AtomKind.PARAM))),
    ("allow esp from a to b", allow(uses("esp"), places("a"), places("b"))),
    ("deny ah, esp from a to b", deny(uses("ah", "esp"), places("a"), places("b"))),
    (
        "allow any except ssh, ah from wan except hq, 10.0.0.0/8 to any except dmz",
        allow(
            uses("any", excepted=("ssh", "ah")),
            places("wan", excepted=("hq", address("10.0.0.0/8"))),
            places("any", excepted=("dmz",)),
        ),
    ),
    (
        "allow tcp/80,443, $p, wireguard port 51821, dns port $q from fd00::/8 to $where",
        allow(
            uses(
                use("tcp/80,443", AtomKind.LITERAL),
                use("p", AtomKind.PARAM),
                use("wireguard", port=atom("51821", AtomKind.INT)),
                use("dns", port=atom("q", AtomKind.PARAM)),
            ),
            places(address("fd00::/8")),
            places(atom("where", AtomKind.PARAM)),
        ),
    ),
    (
        "allow udp/5000-5010, ip/89, icmp/echo-request, tcp/$p from 10.0.0.5-10.0.0.9 to b",
        allow(
            uses(
                *(
                    use(text, AtomKind.LITERAL)
                    for text in ("udp/5000-5010", "ip/89", "icmp/echo-request", "tcp/$p")
                )
            ),
            places(address("10.0.0.5-10.0.0.9")),
            places("b"),
        ),
    ),
    (
        (
            'allow esp from a to b with log "vpn # 1", limit 10/second per source, spi 0x100-0x1ff,'
            " helper, mark 5, x $y"
        ),
        allow(
            uses("esp"),
            places("a"),
            places("b"),
            option("log", atom("vpn # 1", AtomKind.STRING)),
            option("limit", atom("10/second", AtomKind.RATE), per_source=True),
            option("spi", atom("0x100-0x1ff", AtomKind.SPI)),
            option("helper"),
            option("mark", atom("5", AtomKind.INT)),
            option("x", atom("y", AtomKind.PARAM)),
        ),
    ),
    (
        "allow host, port, zone from zone, set to nat with with_",
        allow(uses("host", "port", "zone"), places("zone", "set"), places("nat"), option("with_")),
    ),
    (
        "allow ike, # key exchange\n  # and\n\n  esp from a,\n  b to b",
        allow(uses("ike", "esp"), places("a", "b"), places("b")),
    ),
    ("nat from lan to wan", nat(places("lan"), places("wan"))),
    (
        "nat ipv6 from lan, dmz to wan as 2001:db8::1",
        nat(places("lan", "dmz"), places("wan"), address("2001:db8::1"), ipv6=True),
    ),
    ("nat from a to b as $x", nat(places("a"), places("b"), atom("x", AtomKind.PARAM))),
    ("forward ipsec from a to b", forward(uses("ipsec"), places("a"), B)),
    (
        "forward ipv6 wireguard port 1 from a at 2001:db8::1 to b port 2 with hairpin",
        forward(
            uses(use("wireguard", port=atom("1", AtomKind.INT))),
            places("a"),
            B,
            option("hairpin"),
            at=address("2001:db8::1"),
            port=atom("2", AtomKind.INT),
            ipv6=True,
        ),
    ),
    ("forward ipv6-in-ipv4 from a to b", forward(uses("ipv6-in-ipv4"), places("a"), B)),
    ("forward esp from a at wan to b", forward(uses("esp"), places("a"), B, at=atom("wan"))),
    ("expect allow esp from a to b", ast.ExpectVerdict(span=NOWHERE, allow=True, flow=ESP)),
    ("expect deny esp from a to b", ast.ExpectVerdict(span=NOWHERE, allow=False, flow=ESP)),
    ("expect esp from a to b reaches b", ast.ExpectReaches(span=NOWHERE, flow=ESP, host=B)),
    (
        "expect esp from a to b leaves as 203.0.113.1",
        ast.ExpectLeaves(span=NOWHERE, flow=ESP, address=address("203.0.113.1")),
    ),
    (
        "expect esp from a to b leaves as gateway",
        ast.ExpectLeaves(span=NOWHERE, flow=ESP, address=atom("gateway")),
    ),
    (
        "expect esp from a to b leaves as untranslated",
        ast.ExpectLeaves(span=NOWHERE, flow=ESP, address=None),
    ),
    (
        "protocol corp = udp/8443 + tcp/8443",
        ast.Protocol(
            span=NOWHERE,
            name=atom("corp"),
            items=(use("udp/8443", AtomKind.LITERAL), use("tcp/8443", AtomKind.LITERAL)),
        ),
    ),
    (
        "protocol corp = ike +\n  wireguard port 5",
        ast.Protocol(
            span=NOWHERE,
            name=atom("corp"),
            items=(use("ike"), use("wireguard", port=atom("5", AtomKind.INT))),
        ),
    ),
    ("param name : address", param("name", "address")),
    ("param name: address...", param("name", "address", many=True)),
    (
        'param x : prefix ... = 10.0.0.0/8, fd00::/8, 5, on, "text", tcp/80, eth0.5',
        param(
            "x",
            "prefix",
            address("10.0.0.0/8"),
            address("fd00::/8"),
            atom("5", AtomKind.INT),
            atom("on"),
            atom("text", AtomKind.STRING),
            atom("tcp/80", AtomKind.LITERAL),
            atom("eth0.5", AtomKind.IFNAME),
            many=True,
        ),
    ),
    ('include "a/b.tg"', ast.Include(span=NOWHERE, file=atom("a/b.tg", AtomKind.STRING))),
    ("set antispoof off", setting("antispoof", "off")),
    ("set log-denied 5/minute", setting("log-denied", value=atom("5/minute", AtomKind.RATE))),
    ("set x 5", setting("x", value=atom("5", AtomKind.INT))),
    ("set x $y", setting("x", value=atom("y", AtomKind.PARAM))),
]

MEMBERS: list[tuple[str, ast.Member]] = [
    (
        'interface eth0, ppp*, br-lan.5, "6in4-wan", $i, eth0@if2',
        ast.Interfaces(
            span=NOWHERE,
            names=(
                atom("eth0"),
                atom("ppp*", AtomKind.IFNAME),
                atom("br-lan.5", AtomKind.IFNAME),
                atom("6in4-wan", AtomKind.STRING),
                atom("i", AtomKind.PARAM),
                atom("eth0@if2", AtomKind.IFNAME),
            ),
        ),
    ),
    ("ipsec over wan", ast.IpsecOver(span=NOWHERE, zone=atom("wan"))),
    (
        "network 10.0.0.0/8,\n    $n",
        ast.Networks(span=NOWHERE, addresses=(address("10.0.0.0/8"), atom("n", AtomKind.PARAM))),
    ),
    (
        "address 010.0.0.1, 2001:db8::1",
        ast.Addresses(span=NOWHERE, addresses=(address("010.0.0.1"), address("2001:db8::1"))),
    ),
    ("mss clamp", ast.Mss(span=NOWHERE, value=atom("clamp"))),
    ("mss 1380", ast.Mss(span=NOWHERE, value=atom("1380", AtomKind.INT))),
    (
        "host hq = 192.0.2.1, fd00::1",
        ast.Host(
            span=NOWHERE, name=atom("hq"), addresses=(address("192.0.2.1"), address("fd00::1"))
        ),
    ),
    (
        "group g = hq, 10.0.0.0/8, 10.0.0.1-10.0.0.9, $p",
        ast.Group(
            span=NOWHERE,
            name=atom("g"),
            entries=(
                atom("hq"),
                address("10.0.0.0/8"),
                address("10.0.0.1-10.0.0.9"),
                atom("p", AtomKind.PARAM),
            ),
            file=None,
        ),
    ),
    (
        'group g from "peers.txt"',
        ast.Group(
            span=NOWHERE, name=atom("g"), entries=(), file=atom("peers.txt", AtomKind.STRING)
        ),
    ),
]


def read(text: str) -> ast.Policy:
    parsed = parse(SourceFile(text))
    assert parsed.diagnostics == ()
    return parsed.policy


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_statement(text: str, expected: ast.Statement) -> None:
    (statement,) = read(text).statements
    assert statement == expected
    assert statement.span.text == text


@pytest.mark.parametrize(("text", "expected"), MEMBERS)
def test_member(text: str, expected: ast.Member) -> None:
    (zone,) = read(f"zone z {{\n    {text}  # why\n}}").statements
    assert isinstance(zone, ast.Zone)
    assert zone.members == (expected,)
    assert zone.members[0].span.text == text


def test_every_node_of_the_tree_is_tried() -> None:
    tried = {type(node) for _, node in (*STATEMENTS, *MEMBERS)} | {ast.Zone}
    assert tried == {kind for kind in vars(ast).values() if _is_leaf(kind)}


def _is_leaf(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, ast.Node) and kind is not ast.Node


@pytest.mark.parametrize(
    "text",
    [
        "zone z {}",
        "zone z { interface eth0 }",
        "zone z {\n\n  # nothing\n\n}",
        "zone z { # here\n  interface eth0\n  mss clamp }",
        "zone z {\n  interface eth0,\n    eth1\n}",
        'zone z {\n  group g from "a } b"  # }\n}',
    ],
)
def test_zone_forms(text: str) -> None:
    (zone,) = read(f"\n\n{text}\n").statements
    assert isinstance(zone, ast.Zone)
    assert zone.name == atom("z")
    assert zone.span.text == text


def test_the_sample(sample: str) -> None:
    policy = read(sample)
    counts = Counter(type(node) for node in policy.statements)
    assert counts[ast.Allow] == 6
    assert counts[ast.Zone] == 3
    assert counts[ast.ExpectVerdict] == 2
    others = (ast.Gateway, ast.Nat, ast.Forward, ast.Deny, ast.ExpectReaches, ast.ExpectLeaves)
    assert [counts[kind] for kind in others] == [1] * 6
    assert counts.total() == 17
    spans = [node.span for node in policy.statements]
    assert all(one.end < other.start for one, other in pairwise(spans))


def test_spans_count_characters() -> None:
    text = '# 防火墙 🧱\n\tallow\tesp  from a\tto b with log "π"  # é'
    (statement,) = read(text).statements
    assert isinstance(statement, ast.Allow)
    assert statement.span.text == 'allow\tesp  from a\tto b with log "π"'
    assert statement.protocols.span.text == "esp"
    assert statement.destination.items[0].span.text == "b"
    assert statement.options[0].span.text == 'log "π"'
    assert statement.span.position == (2, 2)


def test_question() -> None:
    found, findings = parse_flow(SourceFile("esp from alice to 10.0.0.1"))
    assert findings == ()
    assert found == flow(use("esp"), atom("alice"), address("10.0.0.1"))
    assert found is not None
    assert found.span.text == "esp from alice to 10.0.0.1"
