"""A text as a ruleset, and every reason why it is none."""

from __future__ import annotations

import pytest

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate_targets.pf.read import Dialect, Refused, read
from tunnelgate_targets.pf.read.ruleset import (
    Action,
    Anchor,
    Direction,
    Interface,
    Kind,
    OfInterface,
    Pool,
    Rule,
    Span,
    State,
    TableName,
    Tagged,
)

MODERN, CLASSIC = Dialect.MODERN, Dialect.CLASSIC


def rules(text: str, dialect: Dialect = MODERN) -> list[Rule]:
    found = read(text, dialect).rules
    return [rule for rule in found if isinstance(rule, Rule)]


def rule(text: str, dialect: Dialect = MODERN) -> Rule:
    (one,) = rules(text + "\n", dialect)
    return one


def span(first: str, last: str | None = None) -> Span:
    return Span((axes.address_of(first), axes.address_of(last or first)))


def test_a_rule_with_everything() -> None:
    one = rule(
        "pass out log quick on ! em0 inet proto tcp from <a> port > 1023 to ! 10.0.0.0/8 port 22 "
        'flags S/SAFR ! tagged LAN received-on em1 tag OUT label "ssh" allow-opts '
        "keep state (if-bound, max-src-conn-rate 5/60)"
    )
    criteria = one.criteria
    assert (one.action, one.quick, one.log) == (Action.PASS, True, True)
    assert criteria.direction is Direction.OUT
    assert criteria.interface == Interface("em0", negated=True)
    assert (criteria.family, criteria.protocol) == (4, 6)
    assert criteria.source.address == TableName("a")
    assert criteria.source.ports == Intervals.span(1024, 65535)
    assert criteria.destination.address == span("10.0.0.0", "10.255.255.255")
    assert criteria.destination.negated
    assert criteria.destination.ports == Intervals.span(22, 22)
    assert (criteria.flags.on, criteria.flags.among) == (set("S"), set("SAFR"))
    assert criteria.tagged == Tagged("LAN", negated=True)
    assert criteria.received == Interface("em1")
    assert (one.tag, one.label, one.allow_options) == ("OUT", "ssh", True)
    assert one.state == State("keep", True, ("max-src-conn-rate 5/60",))


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("= 5", [(5, 5)]),
        ("!= 5", [(0, 4), (6, 65535)]),
        ("< 5", [(0, 4)]),
        ("<= 5", [(0, 5)]),
        ("> 65534", [(65535, 65535)]),
        (">= 5", [(5, 65535)]),
        ("5:7", [(5, 7)]),
        ("5 >< 8", [(6, 7)]),
        ("5 <> 8", [(0, 4), (9, 65535)]),
        ("< 0", []),
    ],
)
def test_ports(text: str, ports: list[tuple[int, int]]) -> None:
    assert rule(f"pass proto udp to port {text}").criteria.destination.ports == Intervals.of(ports)


def test_states_by_default_and_by_policy() -> None:
    assert rule("pass").state == State()
    assert rule("pass no state").state is None
    assert rule("block").state is None
    assert rule("match").state is None
    assert rules("set state-policy if-bound\npass\n")[0].state == State(bound=True)
    assert rules("set state-policy if-bound\npass keep state (floating)\n")[0].state == State()


def test_a_setting_holds_for_what_comes_after_it() -> None:
    answers = [one.answer for one in rules("block\nset block-policy return\nblock\nblock drop\n")]
    assert answers == ["drop", "return", "drop"]


def test_syn_is_asked_of_new_tcp_states_alone() -> None:
    asked = [
        bool(one.criteria.flags.among)
        for one in rules(
            "pass\npass proto tcp\npass proto udp\npass no state\npass flags any\nblock\nmatch\n"
        )
    ]
    assert asked == [True, True, False, False, False, False, False]


def test_addresses_of_an_interface() -> None:
    found = [
        one.criteria.source.address
        for one in rules(
            "pass from (em0)\npass from (em0:0)\n"
            "pass from em0:network\npass from self\npass from (wan)/24\n"
        )
    ]
    assert found == [
        OfInterface("em0"),
        OfInterface("em0", primary=True),
        OfInterface("em0", "network", dynamic=False),
        OfInterface("self", dynamic=False),
        OfInterface("wan", length=24),
    ]


def test_a_list_leaves_out_what_cannot_meet() -> None:
    found = rules("pass from { 10.0.0.1, fd00::1 } to { 10.0.0.2, fd00::2 }\n")
    assert [one.criteria.family for one in found] == [4, 6]


def test_translations_of_both_dialects() -> None:
    nat = rule("match out on em0 inet from 10.0.0.0/8 nat-to (em0:0) static-port")
    assert nat.nat == Pool((OfInterface("em0", primary=True),), static=True)
    rdr = rule("pass in inet proto tcp to (em0) port 80:81 rdr-to 10.0.0.1 port 8080:*")
    assert rdr.rdr == Pool((span("10.0.0.1"),), ports=(8080, 8081))
    text = (
        "no nat on em0 from <a> to <b>\n"
        "nat on em0 inet from <a> to any -> (em0)\n"
        "rdr pass on em0 inet proto esp from any to (em0) tag T -> 10.0.0.1\n"
    )
    exempt, first, second = read(text, CLASSIC).translations
    assert (exempt.kind, exempt.exempt, exempt.pool) == (Kind.NAT, True, None)
    assert first.pool == Pool((OfInterface("em0"),), choice="round-robin")
    assert (second.kind, second.passes, second.tag) == (Kind.RDR, True, "T")


def test_the_modern_dialect_has_no_order() -> None:
    text = "pass\nset skip on lo\nmatch out inet nat-to (em0)\ntable <t> { 10.0.0.1 }\n"
    assert len(rules(text)) == 2


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    "text",
    [
        "pass from {{ 10.0.0.1{} 10.0.0.2 }}\n",
        "pass proto tcp to port {{ 80{} 443 }}\n",
        "table <t> {{ 10.0.0.1{} 10.0.0.2 }}\n",
    ],
)
def test_a_list_goes_on_in_the_next_line_but_not_behind_a_comma(
    text: str, dialect: Dialect
) -> None:
    assert read(text.format("\n"), dialect)
    with pytest.raises(Refused, match="the line ends too early"):
        read(text.format(",\n"), dialect)


@pytest.mark.parametrize("dialect", Dialect)
def test_names_may_be_so_long(dialect: Dialect) -> None:
    label, tag, table, interface = 63 * "l", 63 * "t", 31 * "t", 14 * "i" + "0"
    one = rule(f"pass on {interface} from <{table}> tag {tag} label {label}", dialect)
    assert (one.tag, one.label) == (tag, label)
    path = "/".join(3 * [63 * "a"])  # each part of it
    (anchor,) = read(f'anchor "{path}"\n', dialect).rules
    assert isinstance(anchor, Anchor)
    assert anchor.name == path


def test_a_label_is_filled_and_a_quote_in_it_escaped() -> None:
    text = (
        'pass proto tcp from 10.0.0.1 to port 22 label "$if $nr $proto $srcaddr $dstaddr $dstport'
    )
    assert rule(text + '\\""').label == 'any 0 tcp 10.0.0.1 any 22"'


def test_tables_and_anchors() -> None:
    text = (
        "table <a> persist { 10.0.0.0/8\n ! 10.9.9.9 }\n"
        "anchor x quick on em0 {\n\tblock from <a>\n}\n"
    )
    ruleset = read(text, MODERN)
    table = ruleset.tables["a"]
    assert table.entries == ((span("10.0.0.0", "10.255.255.255"), False), (span("10.9.9.9"), True))
    (anchor,) = ruleset.rules
    assert isinstance(anchor, Anchor)
    assert (anchor.name, anchor.quick, anchor.line) == ("x", True, 3)
    assert anchor.rules is not None
    assert [inner.line for inner in anchor.rules] == [4]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "pass from 10.0.0.5-10.0.0.9",
            "`10.0.0.5-10.0.0.9` is neither an address nor an interface",
        ),
        ("pass from 010.0.0.1", "`010.0.0.1` is no address"),
        ("pass from vpn.example.org", "`vpn.example.org` is neither an address nor an interface"),
        ("pass from 10.0.0.9 - 10.0.0.5", "the range `10.0.0.9 - 10.0.0.5` is empty"),
        ("pass from 10.0.0.1 to fd00::1", "no packet can match: its addresses are of two families"),
        ("pass proto esp to port 500", "a port is asked of TCP and UDP alone"),
        ("pass proto { udp esp } to port 500", "a port is asked of TCP and UDP alone"),
        ("pass proto udp flags S/SA", "flags are asked of TCP alone"),
        ("pass proto tcp flags S/A", "the flags ask for what can never be"),
        ("pass proto icmp icmp-type 8", "a type of ICMP needs `inet` or `inet6`"),
        ("pass inet6 proto icmp", "IPv6 carries no such ICMP"),
        ("pass inet proto tcp icmp-type 8", "a type of ICMP is asked of another protocol"),
        ("pass proto udp to port 65536", "the port `65536` is above 65535"),
        ("pass proto udp to port isakmp-x", "`isakmp-x` is no port that is known here"),
        ("pass proto 0", "protocol 0 cannot be asked for"),
        ("pass proto 256", "the protocol `256` is above 255"),
        ("pass out nat-to 10.0.0.1 no state", "`nat-to` needs a state"),
        ("pass nat-to 10.0.0.1", "`nat-to` needs `in` or `out`"),
        ("block out nat-to 10.0.0.1", "`nat-to` needs a state"),
        ("pass out from fd00::1 nat-to 10.0.0.1", "it would be translated to another family"),
        ("match out nat-to any", "`any` does not fit here"),
        (
            "match out nat-to ! 10.0.0.1",
            "nothing can be translated to `any`, or to what something is not",
        ),
        ("match out nat-to 10.0.0.1 port 500 static-port", "a port cannot be given and kept"),
        ("block keep state", "a `block` keeps no state"),
        ("pass keep state (max-src 5)", "`max-src` is no option of a state that is known here"),
        ("pass label a label b", "`label` stands twice"),
        ('pass label "' + 64 * "x" + '"', f"the label `{64 * 'x'}` is longer than 63 bytes"),
        ("pass on em01234567890123", "the interface `em01234567890123` is longer than 15 bytes"),
        ("pass from <" + 32 * "t" + ">", f"the table `{32 * 't'}` is longer than 31 bytes"),
        ("pass tag " + 64 * "t", f"the tag `{64 * 't'}` is longer than 63 bytes"),
        ("anchor " + 64 * "a", f"the anchor `{64 * 'a'}` is longer than 63 bytes"),
        ("pass tag 5", "the tag `5` is a number, and must stand in quotes"),
        ("table <t> { 10.0.0.1 - 10.0.0.9 }", "a table holds addresses and prefixes"),
        ("table <t> { (em0) }", "a table holds addresses and prefixes"),
        ("table <t> { <u> }", "a table holds addresses and prefixes"),
        ('table <t> file "/etc/t"', "a table from a file takes addresses of another text"),
        ("table <t> lasting", "`lasting` is no option of a table"),
        ("anchor", "an anchor without rules needs a name"),
        ('load anchor x from "y"', "`load` takes rules of another text"),
        ("pass from { 10.0.0.1,\n 10.0.0.2 }", "the line ends too early"),
        ("pass from { 10.0.0.1, }", "`}` does not fit here"),
        ("pass user root", "`user` is not modelled"),
        ("pass probability 5%", "`probability` is not modelled"),
        ("pass in route-to 10.0.0.1", "`route-to` is not modelled"),
        ("pass in on em0 route-to (em1 10.0.0.1) inet", "`route-to` is not modelled"),
        ("pass from urpf-failed", "`urpf-failed` is not modelled"),
        ("set syncookies always", "`set syncookies always` is not modelled"),
        ("queue root on em0 bandwidth 1G", "`queue` is not modelled"),
        ("nat on em0 from any to any -> 10.0.0.1", "`nat` is of the classic dialect"),
        ("no nat on em0 from any to any", "`nat` is of the classic dialect"),
        ("rdr on em0 inet from any to any -> 10.0.0.1", "`rdr` is of the classic dialect"),
        ("scrub in all", "`scrub` is of the classic dialect"),
        ("match on em0 scrub max-mss 1360", "`max-mss` does not fit here"),
        ("match out nat-to { 10.0.0.1 fd00::1 }", "it would be translated to another family"),
        ("match out inet6 nat-to { 10.0.0.1 }", "it would be translated to another family"),
        ('nat-anchor "x"', "`nat-anchor` takes rules of another text"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        read(f"\n{text}\n", MODERN)
    assert (caught.value.line, caught.value.reason) == (2, reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("match in", "`match` is of the modern dialect"),
        ("pass out inet nat-to 10.0.0.1", "`nat-to` is of the modern dialect"),
        ("pass out received-on em0", "`received-on` is of the modern dialect"),
        ("pass\nset skip on lo", "options must come before filtering"),
        (
            "anchor x\nrdr on em0 inet from any to any -> 10.0.0.1",
            "translation must come before filtering",
        ),
        (
            "antispoof for em0\nrdr on em0 inet from any to any -> 10.0.0.1",
            "translation must come before filtering",
        ),
        (
            "nat on em0 inet from any to any -> 10.0.0.1\nscrub all",
            "normalization must come before translation",
        ),
        ("nat on em0 inet from any to any", "a `nat` without `no` needs what it translates to"),
        ("rdr on em0 inet from any to any -> 10.0.0.1 static-port", "only a `nat` keeps the port"),
        (
            "rdr on em0 inet proto esp from any to any port 500 -> 10.0.0.1",
            "a port is asked of TCP and UDP alone",
        ),
        (
            "rdr on em0 inet proto { udp esp } from any to any -> 10.0.0.1 port 500",
            "a port is translated of TCP and UDP alone",
        ),
        (
            "nat on em0 inet from any to any -> fd00::1",
            "it would be translated to another family",
        ),
    ],
)
def test_what_the_classic_dialect_refuses(text: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        read(text + "\n", CLASSIC)
    assert caught.value.reason == reason
    assert caught.value.line == text.count("\n") + 1
