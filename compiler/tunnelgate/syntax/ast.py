"""The syntax tree: what was written, word for word, and where.

Each class has a docstring for another reason too: `dataclass` would spend a third of its time on
making one up. Nothing is judged here: `010.0.0.1` is an address atom like any other; the policy
room takes atoms apart. Spans do not take part in equality, so that two trees are equal when they
say the same.
"""

from __future__ import annotations

from enum import Enum

from tunnelgate.records import field, record
from tunnelgate.source import SourceFile, Span


class AtomKind(Enum):
    """What the lexer took a word for."""

    NAME = "name"
    IFNAME = "interface"
    ADDRESS = "address"
    LITERAL = "literal protocol"
    PARAM = "parameter"
    STRING = "string"
    INT = "number"
    RATE = "rate"
    SPI = "SPI range"


@record
class Atom:
    """One word. `text` of a string is without its quotes, of a parameter without its `$`."""

    kind: AtomKind
    text: str
    span: Span = field(compare=False)


@record
class ProtocolUse:
    """`esp`, `tcp/80,443`, `$p`, `wireguard port 51821`."""

    atom: Atom
    port: Atom | None
    span: Span = field(compare=False)


@record
class Protocols:
    """A list of protocols, and what is taken away from it."""

    items: tuple[ProtocolUse, ...]
    excepted: tuple[ProtocolUse, ...]
    span: Span = field(compare=False)


@record
class Places:
    """WHERES: a list of places, and what is taken away from it."""

    items: tuple[Atom, ...]
    excepted: tuple[Atom, ...]
    span: Span = field(compare=False)


@record
class Option:
    """`helper`, `log "vpn"`, `limit 10/second per source`, `spi 0x100-0x1ff`."""

    name: Atom
    argument: Atom | None
    per_source: bool
    span: Span = field(compare=False)


@record(kw_only=True)
class Node:
    """What all statements and zone members have: a place, and the doc comment before it."""

    span: Span = field(compare=False)
    doc: str = field(default="", compare=False)


@record(kw_only=True)
class Gateway(Node):
    """`gateway NAME`; a parameter may stand for the name."""

    name: Atom


@record(kw_only=True)
class Interfaces(Node):
    """`interface eth1, ppp*`."""

    names: tuple[Atom, ...]


@record(kw_only=True)
class IpsecOver(Node):
    """`ipsec over ZONE`."""

    zone: Atom


@record(kw_only=True)
class Networks(Node):
    """`network CIDR, …`."""

    addresses: tuple[Atom, ...]


@record(kw_only=True)
class Addresses(Node):
    """`address IP, …`: the gateway's own."""

    addresses: tuple[Atom, ...]


@record(kw_only=True)
class Mss(Node):
    """`mss clamp` or `mss N`."""

    value: Atom


@record(kw_only=True)
class Host(Node):
    """`host NAME = IP, …`."""

    name: Atom
    addresses: tuple[Atom, ...]


@record(kw_only=True)
class Group(Node):
    """Exactly one of `entries` (not empty) and `file` is given."""

    name: Atom
    entries: tuple[Atom, ...]
    file: Atom | None


Member = Interfaces | IpsecOver | Networks | Addresses | Mss | Host | Group


@record(kw_only=True)
class Zone(Node):
    """`zone NAME { … }`."""

    name: Atom
    members: tuple[Member, ...]


@record(kw_only=True)
class Protocol(Node):
    """`protocol NAME = ITEM + ITEM`: one's own."""

    name: Atom
    items: tuple[ProtocolUse, ...]


@record(kw_only=True)
class Nat(Node):
    """`nat [ipv6] from PLACES to PLACES [as ADDRESS]`."""

    ipv6: bool
    source: Places
    destination: Places
    address: Atom | None


@record(kw_only=True)
class Allow(Node):
    """`allow PROTOCOLS from PLACES to PLACES [with OPTIONS]`."""

    protocols: Protocols
    source: Places
    destination: Places
    options: tuple[Option, ...]


@record(kw_only=True)
class Deny(Node):
    """`deny PROTOCOLS from PLACES to PLACES [with OPTIONS]`."""

    protocols: Protocols
    source: Places
    destination: Places
    options: tuple[Option, ...]


@record(kw_only=True)
class Forward(Node):
    """`forward [ipv6] PROTOCOLS from PLACES [at ADDRESS] to HOST [port N] [with OPTIONS]`."""

    ipv6: bool
    protocols: Protocols
    source: Places
    at: Atom | None
    host: Atom
    port: Atom | None
    options: tuple[Option, ...]


@record(kw_only=True)
class Flow:
    """`esp from alice to hq`: the question of an expectation, or of `explain`."""

    protocol: ProtocolUse
    source: Atom
    destination: Atom
    span: Span = field(compare=False)


@record(kw_only=True)
class ExpectVerdict(Node):
    """`expect allow FLOW` or `expect deny FLOW`."""

    allow: bool
    flow: Flow


@record(kw_only=True)
class ExpectReaches(Node):
    """`expect FLOW reaches HOST`."""

    flow: Flow
    host: Atom


@record(kw_only=True)
class ExpectLeaves(Node):
    """`address` is None for `untranslated`; the name `gateway` stands for any own address."""

    flow: Flow
    address: Atom | None


@record(kw_only=True)
class Param(Node):
    """`param NAME : TYPE [= DEFAULT]`; `many` for `TYPE...`."""

    name: Atom
    type: Atom
    many: bool
    default: tuple[Atom, ...]


@record(kw_only=True)
class Include(Node):
    """`include "FILE"`."""

    file: Atom


@record(kw_only=True)
class Setting(Node):
    """`set log-denied 5/minute`: a name and a value; the `on` of others is a name too."""

    names: tuple[Atom, ...]
    value: Atom | None


Rule = Allow | Deny
Expect = ExpectVerdict | ExpectReaches | ExpectLeaves
Statement = (
    Gateway | Zone | Protocol | Nat | Allow | Deny | Forward | Expect | Param | Include | Setting
)


@record
class Comment:
    """A comment, `#` included; `##` ones that belong to no statement are comments too."""

    text: str
    span: Span = field(compare=False)


@record
class Policy:
    """One file, read."""

    file: SourceFile = field(compare=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(compare=False)
