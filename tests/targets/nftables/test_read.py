"""The reader of nft: each word is read as the kernel takes it, or refused with its line."""

from __future__ import annotations

import pytest

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.fields import DROP, Rate, Sets
from tunnelgate.flows.intervals import Interval
from tunnelgate.flows.netfilter import ACCEPT, Accept, Facts, Ruleset, State, Unmodelled, rows
from tunnelgate.flows.sets import of_family
from tunnelgate_targets.nftables.read import read

HOOK = "type filter hook input priority filter; policy drop;"
SETS = """\
\tset hosts {
\t\ttypeof ip saddr
\t\tflags interval
\t\telements = { 192.0.2.0/24 }
\t}
\tset seen {
\t\ttypeof ip saddr
\t\tflags dynamic, timeout
\t\ttimeout 10m
\t}
\tset pairs {
\t\ttypeof ip daddr . meta l4proto
\t\tflags dynamic
\t}
\tlimit five {
\t\trate 5/second burst 5 packets
\t}
"""
OTHER = "\tchain other {\n\t\taccept\n\t}\n"


def ruleset(*lines: str, sets: str = SETS, hook: str = HOOK) -> Ruleset:
    body = "".join(f"\t\t{line}\n" for line in lines)
    return read(f"table inet t {{\n{sets}{OTHER}\tchain c {{\n\t\t{hook}\n{body}\t}}\n}}\n")


def accepted(line: str, facts: Facts = Facts()) -> list[Sets]:  # noqa: B008  # nothing changes it
    """The boxes in which a line accepts, under some facts."""
    read_back = ruleset(line)
    found = rows(read_back, read_back.chains["c"], facts)
    assert found[-1].label == DROP
    return [row.sets for row in found if row.label == ACCEPT]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    ("asked", "states"),
    [
        ("established", {State.ESTABLISHED}),
        ("== established", {State.ESTABLISHED}),
        ("{ new, related }", {State.NEW, State.RELATED}),
        ("!= established", set(State) - {State.ESTABLISHED}),
        ("!= { established, invalid }", set(State) - {State.ESTABLISHED, State.INVALID}),
    ],
)
def test_states(asked: str, states: set[State], state: State) -> None:
    assert bool(accepted(f"ct state {asked} accept", Facts(state=state))) is (state in states)


@pytest.mark.parametrize(
    ("asked", "fact", "value", "holds"),
    [
        ("ct direction original", "reply", True, False),
        ("ct direction != original", "reply", True, True),
        ("ct direction != original", "reply", False, False),
        ("ct direction != reply", "reply", False, True),
        ("ct status dnat", "translated", True, True),
        ("ct status dnat", "translated", False, False),
        ("meta ipsec exists", "decrypted", True, True),
        ("meta ipsec != exists", "decrypted", True, False),
        ("meta ipsec != missing", "decrypted", True, True),
        ("rt ipsec != missing", "protected", False, False),
        ("rt ipsec != exists", "protected", False, True),
        ('ct helper "ftp"', "helper", "ftp", True),
        ('ct helper "ftp"', "helper", "sip", False),
        ('iifname != "eth0"', "arrival", "eth0", False),
        ('iifname != "eth0"', "arrival", "eth1", True),
        ('iifname != { "eth0", "ppp*" }', "arrival", "ppp7", False),
        ('oifname "eth0"', "departure", "eth1", False),
    ],
)
def test_facts(asked: str, fact: str, value: bool | str, holds: bool) -> None:
    facts = Facts(**{fact: value})  # type: ignore[arg-type]
    assert bool(accepted(f"{asked} accept", facts)) is holds


def l4(*intervals: Interval) -> Sets:
    return (None, Intervals.of(intervals), None, None, None)


def addresses(*, source: Intervals = axes.IPV4, destination: Intervals = axes.IPV4) -> Sets:
    return (None, None, None, destination, source)


TEN = Intervals.of([(axes.address_of("10.0.0.0"), axes.address_of("10.255.255.255"))])
TCP, UDP = axes.TCP << 16, axes.UDP << 16
BOXES = [
    ("tcp dport 22", l4((TCP | 22, TCP | 22))),
    ("tcp dport != 22", l4((TCP, TCP | 21), (TCP | 23, TCP | 65535))),
    ("tcp dport != { 1-22, 80 }", l4((TCP, TCP), (TCP | 23, TCP | 79), (TCP | 81, TCP | 65535))),
    ("udp dport != 1-65535", l4((UDP, UDP))),
    (
        "udp sport != 1-65535",
        (None, Intervals.of([axes.l4(axes.UDP)]), Intervals.single(0), None, None),
    ),
    ("meta l4proto != 6", l4((0, TCP - 1), (TCP | 65536, (256 << 16) - 1))),
    ("icmp type != 0-254", l4(axes.l4(axes.ICMP, 255 << 8, 65535))),
    ("icmpv6 type != { 0-127, 129-255 }", l4(axes.l4(axes.ICMPV6, 128 << 8, 128 << 8 | 255))),
    ("ip saddr 10.0.0.0/8", addresses(source=TEN)),
    ("ip saddr != 10.0.0.0/8", addresses(source=axes.IPV4 - TEN)),
    ("ip daddr != { 10.0.0.0-10.255.255.255 }", addresses(destination=axes.IPV4 - TEN)),
    ("meta nfproto ipv6", of_family(6)),
    ("meta nfproto != ipv4", of_family(6)),
    ("meta nfproto != ipv6", of_family(4)),
    (
        "ip saddr @hosts",
        addresses(
            source=Intervals.of([(axes.address_of("192.0.2.0"), axes.address_of("192.0.2.255"))])
        ),
    ),
    (
        "esp spi != 0-255",
        (None, Intervals.of([axes.l4(axes.ESP)]), Intervals.span(256, 0xFFFFFFFF), None, None),
    ),
]


@pytest.mark.parametrize(("asked", "box"), BOXES, ids=[asked for asked, _ in BOXES])
def test_boxes(asked: str, box: Sets) -> None:
    assert accepted(f"{asked} accept") == [box]


REFUSED = [
    # what is asked of a status as a whole
    ("ct status != dnat accept", "the whole status"),
    ("ct status == dnat accept", "the whole status"),
    ("ct status confirmed accept", "what other packets have left"),
    ("ct status confirmed drop", "what other packets have left"),
    ('ct helper != "ftp" accept', "one helper"),
    ('ct helper { "ftp", "sip" } accept', "one helper"),
    ("ct state @hosts accept", "of another type"),
    ("ct state { new, snat } accept", "state `snat`"),
    ("ct zone != 0 accept", "not in a zone"),
    ("ip saddr != @hosts accept", "not in a set"),
    ("ip saddr . ip daddr != { 10.0.0.1 . 10.0.0.2 } accept", "negated concatenation"),
    ("ip saddr . ip saddr { 10.0.0.1 . 10.0.0.2 } accept", "stands twice"),
    ("meta l4proto . icmp type { 6 . 8 } accept", "stands twice"),
    ("meta nfproto arp accept", "family `arp`"),
    ("th dport 22 accept", "`th dport` by itself"),
    ("tcp dport 90-80 accept", "numbers `90-80`"),
    ("tcp dport ssh accept", "number `ssh`"),
    ("iifname eth0 accept", "not quoted"),
    # limits
    ("limit rate 5/second accept", "a part of the packets"),
    ('limit rate 5/second iifname vmap { "eth0" : goto other }', "a part of the packets"),
    ('limit name "five" iifname vmap { "eth0" : goto other }', "credit for a verdict map"),
    ('limit name "five" tcp dport 22 accept', "a test behind credit"),
    ('limit name "five" limit name "five" accept', "a test behind credit"),
    ('limit name "five" drop', "credit for `drop`"),
    ('limit name "six" accept', "no limit `six`"),
    ("limit rate over 5/second accept", "not modelled"),
    ("update @seen { ip saddr limit rate 5/second burst 50 packets } accept", "a burst of 50"),
    ("update @seen { ip saddr limit rate 5/hour burst 5 packets } accept", "rate `5/hour"),
    ("update @hosts { ip saddr limit rate 5/second } accept", "forgotten after ``"),
    ("update @none { ip saddr limit rate 5/second } accept", "no set `none`"),
    ("update @seen { ip daddr limit rate 5/second } accept", "for each `ip daddr`"),
    ("update @seen { ip saddr limit rate over 5/second burst 5 packets } accept", "have left"),
    # what no flow is
    ("add @pairs { ip daddr . meta l4proto ct count over 0 } drop", "another count"),
    ("add @pairs { ip daddr . meta l4proto ct count over 1 } accept", "have left"),
    ("add @pairs { meta l4proto ct count over 1 } drop", "another count"),
    ("tcp flags & rst == rst drop", "have left"),
    # what is asked of a part
    ("ip6 hoplimit 255 tcp dport 22 accept", "neighbour discovery"),
    ("ip6 hoplimit 255 icmpv6 type 128-136 accept", "neighbour discovery"),
    ("ip6 hoplimit 64 icmpv6 type 133 accept", "hop limit"),
    ("accept drop", "something behind a verdict"),
    ('iifname vmap { "eth0" : accept }', "verdict `accept`"),
    ('iifname vmap { "eth0" : goto other } tcp dport 22 accept', "`vmap`"),
    ("tcp dport vmap { 22 : goto other }", "a verdict map of something else"),
]


@pytest.mark.parametrize(("line", "why"), REFUSED, ids=[line for line, _ in REFUSED])
def test_what_is_not_modelled_is_refused(line: str, why: str) -> None:
    with pytest.raises(Unmodelled) as caught:
        ruleset(line)
    assert why in str(caught.value)


def test_credit_is_read_with_its_rate() -> None:
    (row, _) = rows(made := ruleset('limit name "five" accept'), made.chains["c"], Facts())
    assert row.label == Accept(Rate(5, "second", per_source=False))
    line = "update @seen { ip saddr limit rate 1/minute burst 5 packets } accept"
    (row, _) = rows(made := ruleset(line), made.chains["c"], Facts())
    assert row.label == Accept(Rate(1, "minute", per_source=True))
    assert row.sets == of_family(4)


def test_a_reset_answers_tcp_alone() -> None:
    made = ruleset("reject with tcp reset", hook=HOOK.replace("drop", "accept"))
    (row, last) = rows(made, made.chains["c"], Facts())
    assert (row.label, row.sets) == (DROP, l4(axes.l4(axes.TCP)))
    assert last.label == ACCEPT


def test_a_helper_is_given_to_its_protocol_and_family() -> None:
    helper = '\tct helper ftp {\n\t\ttype "ftp" protocol tcp\n\t\tl3proto ip\n\t}\n'
    made = ruleset('ct helper set "ftp"', sets=helper, hook=HOOK.replace("input", "prerouting"))
    (row, _) = rows(made, made.chains["c"], Facts())
    assert row.sets == (None, Intervals.of([axes.l4(axes.TCP)]), None, axes.IPV4, axes.IPV4)


DECLARED = [
    (SETS + SETS, "two declarations of"),
    (SETS.replace("flags interval", "timeout 5s"), "come and go"),
    (SETS.replace("flags interval", "flags dynamic"), None),
    (
        SETS.replace("\t\tflags interval\n", "\t\telements = { 198.51.100.1 }\n"),
        "says something twice",
    ),
    (SETS.replace("timeout 10m", "timeout 500ms"), None),
]


@pytest.mark.parametrize(("sets", "why"), DECLARED)
def test_declarations(sets: str, why: str | None) -> None:
    if why is None:
        # what packets change is not known, so nothing passes by it for sure
        assert ruleset("ip saddr @hosts accept", sets=sets)
        return
    with pytest.raises(Unmodelled, match=why):
        ruleset("ip saddr @hosts accept", sets=sets)


@pytest.mark.parametrize("verb", ["delete", "flush"])
def test_a_table_is_emptied_before_it_is_filled(verb: str) -> None:
    chain = f"table inet t {{\n\tchain c {{\n\t\t{HOOK}\n\t\taccept\n\t}}\n}}\n"
    assert "c" in read(f"table inet t {{}}\n{verb} table inet t\n{chain}").chains
    with pytest.raises(Unmodelled, match="emptied again"):
        read(f"{chain}{verb} table inet t\n")
