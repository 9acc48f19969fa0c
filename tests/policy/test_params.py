"""Parameters: typed values that stand for one word each, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from tunnelgate.flows import axes
from tunnelgate.policy import Policy, resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host box = 192.168.1.10
}
nat from lan to wan
"""


def resolved(text: str) -> tuple[Policy, list[tuple[str, str, str]]]:
    """A policy, and of each finding its code, underlined text and message."""
    parsed = parse(SourceFile(text, "test.tg"))
    assert not parsed.diagnostics, parsed.diagnostics
    made, found = resolve(parsed.policy)
    return made, [(one.rule.code, one.primary.span.text, one.message) for one in found]


def policy(text: str) -> Policy:
    made, found = resolved(text)
    assert not found
    return made


def zone(*items: str) -> str:
    return "\n  ".join(["zone z {", "interface e", *items]) + "\n}"


TEN = "network 10.1.0.0/16, fd00::/64"

#: A type, a value, and a statement that it may stand in.
USES = [
    ("name", "lan", "allow ssh from $p to wan"),
    ("name", "any", "allow ssh from $p to gateway"),
    ("name...", "hq, lan", "deny ssh from $p to gateway"),
    ("name", "wireguard", "allow $p from lan to wan"),
    ("name...", "ike, nat-t", "allow ssh, $p from lan to wan"),
    ("name", "ssh", "allow any except $p from lan to wan"),
    ("name", "box", "forward ssh from wan to $p"),
    ("name", "wan", "forward ssh from wan at $p to box"),
    ("name", "on", "set reject $p"),
    ("name", "branch", "gateway $p"),
    ("name", "ssh", "protocol own = $p + dns\nallow own from lan to wan"),
    ("name", "box", "expect deny ssh from hq to $p"),
    ("name", "clamp", zone("mss $p")),
    ("address", "192.168.1.7", "allow ssh from $p to wan"),
    ("address", "203.0.113.1", "nat from box to wan as $p"),
    ("address", "203.0.113.1", "forward ssh from wan at $p to box"),
    ("address...", "192.168.1.7, 192.168.1.9", "allow ssh from lan except $p to wan"),
    ("address", "192.168.1.10", "expect ssh from hq to 203.0.113.1 reaches $p"),
    ("address", "203.0.113.1", "expect ssh from box to hq leaves as $p"),
    ("address", "10.1.0.1", zone("address $p")),
    ("address...", "10.1.0.1, fd00::1", zone(TEN, "host h = $p")),
    ("prefix", "192.168.1.0/28", "allow ssh from $p to wan"),
    ("prefix...", "10.1.0.0/16, fd00::/64", zone("network $p")),
    ("range", "192.168.1.2-192.168.1.5", "allow ssh from $p to wan"),
    ("range", "10.1.0.1-10.1.0.9", zone(TEN, "group g = $p, 10.1.0.99")),
    ("interface", "ppp*", "zone z { interface $p }"),
    ("interface...", 'eth2, "6in4-wan"', "zone z { interface $p }"),
    ("port", "51820", "allow udp/$p from lan to wan"),
    ("port...", "80, 443", "allow tcp/$p from lan to wan"),
    ("port", "51821", "allow wireguard port $p from lan to wan"),
    ("port", "2222", "forward ssh from wan to box port $p"),
    ("port", "500", "protocol own = udp/$p\nallow own from lan to wan"),
    ("number", "89", "allow ip/$p from lan to wan"),
    ("number", "8", "allow icmp/$p from lan to wan"),
    ("number", "1380", zone("mss $p")),
]


def meaning(made: Policy) -> object:
    """All that a policy says, without its texts and places."""

    def side(one: object) -> object:
        return [(zone.index, found) for zone, found in one]  # type: ignore[attr-defined]

    return (
        made.name,
        made.settings,
        [(z.name, z.interfaces, z.networks, z.holds, z.addresses, z.mss) for z in made.zones],
        [(place.name, place.addresses) for place in (*made.hosts, *made.groups)],
        [
            (one.verdict, one.protocols.l4, side(one.source), side(one.destination), one.options)
            for one in made.rules
        ],
        [
            (one.protocols.l4, one.target, one.port, [entry.addresses for entry in one.entries])
            for one in made.forwards
        ],
        [(one.family, side(one.source), one.address) for one in made.nats],
        [
            (one.kind, one.target, side(one.question.source), side(one.question.destination))
            for one in made.expects
        ],
    )


@pytest.mark.parametrize(("kind", "value", "use"), USES, ids=[use for *_, use in USES])
def test_a_value_means_what_it_would_mean_in_its_place(kind: str, value: str, use: str) -> None:
    with_param = policy(f"{ZONES}{use}\nparam p : {kind} = {value}\n")
    written = value.replace(", ", ",") if "/$p" in use else value
    assert meaning(with_param) == meaning(policy(f"{ZONES}{use.replace('$p', written)}\n"))
    (parameter,) = with_param.parameters
    assert parameter.is_used


def test_a_name_may_be_a_log_prefix() -> None:
    made = policy(ZONES + "param p : name = vpn\ndeny ssh from lan to wan with log $p\n")
    assert made.rules[0].options.log == "vpn"


def test_a_statement_is_called_as_it_is_written() -> None:
    made = policy(ZONES + "param p : port = 500\nallow udp/$p from lan to wan\n")
    assert made.rules[0].text == "allow udp/$p from lan to wan"
    assert made.rules[0].protocols.names == ("udp/500",)
    assert made.parameters[0].values == ("500",)


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ("name = 10.0.0.1", "10.0.0.1"),
        ("name = eth0.7", "eth0.7"),
        ("address = lan", "lan"),
        ("address = 10.0.0.0/8", "10.0.0.0/8"),
        ("address = 010.0.0.1", "010.0.0.1"),
        ("address = 10.0.0.5-10.0.0.5", "10.0.0.5-10.0.0.5"),
        ("prefix = 10.0.0.1", "10.0.0.1"),
        ("prefix = 10.0.0.1/8", "10.0.0.1/8"),
        ("range = 10.0.0.1", "10.0.0.1"),
        ("range = 10.0.0.9-10.0.0.1", "10.0.0.9-10.0.0.1"),
        ("interface = tcp/80", "tcp/80"),
        ("port = 0", "0"),
        ("port = 65536", "65536"),
        ("port = 080", "080"),
        ("number = 4294967296", "4294967296"),
        ("port... = 80, 0, 443", "0"),
    ],
)
def test_a_default_that_is_wrong(declared: str, wrong: str) -> None:
    _, found = resolved(f"{ZONES}param p : {declared}\n")
    assert [(code, text) for code, text, _ in found] == [("TG007", wrong)]


@pytest.mark.parametrize(
    ("statement", "place", "message"),
    [
        ("allow udp/$q from lan to wan", "$q", "unknown parameter `$q`"),
        ("allow $q from lan to wan", "$q", "unknown parameter `$q`"),
        ("allow ssh from lan to $lan", "$lan", "unknown parameter `$lan`"),
        ("param q : port", "param q : port", "parameter `q` has no value"),
        ("param q : prot = 5", "prot", "unknown type `prot`"),
        ("param q : port = 1, 2", "param q : port = 1, 2", "`q` is one port and has 2 values"),
        ('param q : name = "lan"', '"lan"', '"lan" is a string'),
        ("allow $port from lan to wan", "$port", "`$port` is a port, here stands a protocol"),
        ("allow udp/$one from lan to wan", "$one", "`$one` is an address, here stands a port"),
        ("allow ip/$port from lan to wan", "$port", "`$port` is a port, here stands a number"),
        ("set reject $port", "$port", "`$port` is a port, here stands a word"),
        ("forward ssh from wan to $many", "$many", "`$many` is a list, here stands one value"),
        ("nat from box to wan as $net", "$net", "`$net` is a prefix, here stands an address"),
    ],
)
def test_a_parameter_that_does_not_fit(statement: str, place: str, message: str) -> None:
    params = (
        "param port : port = 5\nparam one : address = 10.0.0.1\nparam many : name... = hq, box\n"
        "param net : prefix = 192.168.1.0/24\n"
    )
    _, found = resolved(f"{ZONES}{params}{statement}\n")
    assert found == [("TG017", place, message)]


def test_two_of_one_name() -> None:
    _, found = resolved(
        f"{ZONES}param p : port = 5\nparam p : port = 6\nallow udp/$p from lan to wan\n"
    )
    assert found == [("TG005", "p", "there are two parameters named `p`")]


def test_the_nearest_name_is_the_fix_with_its_sign() -> None:
    parsed = parse(
        SourceFile(ZONES + "param peers : prefix = 10.0.0.0/8\ndeny ssh from $pers to wan\n")
    )
    (finding,) = resolve(parsed.policy)[1]
    assert finding.help == "did you mean `$peers`?"
    assert finding.fix is not None and finding.fix.edits[0].text == "$peers"


def test_a_wrong_value_is_shown_where_it_is_used_and_where_it_comes_from() -> None:
    text = ZONES + "param p : name = lann\nallow ssh from $p to wan\n"
    (finding,) = resolve(parse(SourceFile(text)).policy)[1]
    assert (finding.message, finding.primary.span.text) == ("unknown place `lann`", "$p")
    assert [(label.span.text, label.text) for label in finding.labels] == [("lann", "`$p` is lann")]
    assert finding.fix is None  # it would mend the use, and the value is wrong


def test_a_protocol_of_the_name_of_a_parameter_is_not_meant() -> None:
    made = policy(ZONES + "param ssh : name = dns\nallow $ssh from lan to wan\n")
    assert axes.l4(axes.UDP, 53, 53)[0] in made.rules[0].l4
    assert axes.l4(axes.TCP, 22, 22)[0] not in made.rules[0].l4
