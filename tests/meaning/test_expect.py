"""Expectations are decided over all packets at once: each packet by itself says the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.flows import Intervals, axes
from tunnelgate.meaning import Decider, Outcome, Packet
from tunnelgate.meaning.expect import Expectations, Failure
from tunnelgate.policy import Policy, resolve
from tunnelgate.policy.model import ESP
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

ZONES = """zone wan {
  interface eth0
  network   192.0.2.0/30
  address   203.0.113.1
  host  hq    = 192.0.2.1
  group peers = 192.0.2.1-192.0.2.2
}
zone lan {
  interface eth1
  network   192.168.1.0/30
  host  alice = 192.168.1.1
  host  bob   = 192.168.1.2
}
"""
#: One of each class that the ranges below tell apart.
SPIS = (255, 256, 257, 258, 300, 301)
_inside = st.sampled_from(["lan", "alice", "bob", "lan except alice", "any", "192.168.1.0/31"])
_outside = st.sampled_from(["wan", "hq", "peers", "wan except hq", "any", "192.0.2.2"])
_spis = st.sampled_from(["256-257", "257-300", "0x100-0xffffffff", "300-300"])
_protocols = st.sampled_from(
    ["esp", "ike", "ipsec", "any", "any except esp", "ipsec except ike", "udp/400-600"]
)


@st.composite
def _statements(draw: st.DrawFn) -> str:
    inside, outside, protocols = draw(_inside), draw(_outside), draw(_protocols)
    kind = draw(st.sampled_from(["allow out", "allow in", "deny out", "nat", "forward"]))
    if kind == "nat":
        ends = [inside.replace("any", "lan"), outside.replace("any", "wan")]
        ends = draw(st.sampled_from([ends, ends[::-1]]))
        return f"nat from {ends[0]} to {ends[1]}"
    if kind == "forward":
        host = draw(st.sampled_from(["alice", "bob"]))
        forward = f"forward {protocols} from {outside.replace('any', 'wan')} to {host}"
        told = protocols in {"esp", "ipsec", "any", "ipsec except ike"} and draw(st.booleans())
        return f"{forward} with spi {draw(_spis)}" if told else forward
    verb, _, way = kind.partition(" ")
    ends = (inside, outside) if way == "out" else (outside, inside)
    return f"{verb} {protocols} from {ends[0]} to {ends[1]}"


_ADDRESSED = ZONES.replace("192.168.1.0/30\n", "192.168.1.0/30\n  address 192.168.1.3\n")
_policies = st.lists(_statements(), max_size=6).map(
    lambda lines: "\n".join([_ADDRESSED, *lines, ""])
)


def policy(text: str) -> Policy:
    made, findings = resolve(parse(SourceFile(text)).policy)
    assert not findings
    return made


def unmet(made: Policy, number: int = 0) -> Failure | None:
    return Expectations(made).unmet(made.expects[number])


def every_packet(made: Policy, source: str, destination: str, l4: int) -> list[Packet]:
    """All packets of a question about zones, one by one."""
    zones = {zone.name: zone for zone in made.zones}

    def machines(name: str) -> list[int]:
        addresses = made.own_addresses if name == "gateway" else zones[name].holds
        own = Intervals.EMPTY if name == "gateway" else made.own_addresses
        return [value for low, high in addresses - own for value in range(low, high + 1)]

    return [
        Packet(zones[source], one, other, l4, spi=spi)
        for one, other, spi in product(machines(source), machines(destination), SPIS)
        if axes.family(one) == axes.family(other) and (l4 in ESP or spi == SPIS[0])
    ]


_CHANNELS = {"esp": axes.ESP << 16, "ike": axes.UDP << 16 | 500, "udp/600": axes.UDP << 16 | 600}
#: What an expectation may want, and whether an outcome is that.
_WANTED: dict[str, Callable[[Outcome], bool]] = {
    "expect allow {}": lambda outcome: outcome.delivered,
    "expect deny {}": lambda outcome: not outcome.delivered,
    "expect {} reaches alice": lambda outcome: outcome.delivered and outcome.destination == ALICE,
    "expect {} leaves as untranslated": lambda outcome: (
        outcome.delivered and not outcome.source_translated
    ),
    "expect {} leaves as 203.0.113.1": lambda outcome: (
        outcome.delivered and outcome.source == PUBLIC
    ),
    "expect {} leaves as 192.168.1.3": lambda outcome: (
        outcome.delivered and outcome.source == INSIDE
    ),
}
ALICE, PUBLIC, INSIDE = map(axes.address_of, ("192.168.1.1", "203.0.113.1", "192.168.1.3"))


@settings(max_examples=400)
@given(
    _policies,
    st.sampled_from([("lan", "wan"), ("wan", "gateway"), ("wan", "lan"), ("gateway", "wan")]),
    st.sampled_from(list(_CHANNELS)),
    st.sampled_from(list(_WANTED)),
)
def test_it_holds_where_it_holds_for_every_packet(
    text: str, ends: tuple[str, str], channel: str, form: str
) -> None:
    source, destination = ends
    if "reaches" in form and destination == "gateway":
        destination = "203.0.113.1"
    flow = f"{channel} from {source} to {destination}"
    made = policy(f"{text}{form.format(flow)}\n")
    decider = Decider(made)
    outcomes = map(decider.decide, every_packet(made, *ends, _CHANNELS[channel]))
    if destination == "203.0.113.1":
        outcomes = (one for one in outcomes if one.packet.destination == PUBLIC)
    assert (unmet(made) is None) == all(map(_WANTED[form], outcomes))


def test_a_failure_shows_the_packet_and_who_decided() -> None:
    made = policy(
        ZONES
        + "allow esp from lan to wan\ndeny esp from bob to hq\nexpect allow esp from lan to hq\n"
    )
    failure = unmet(made)
    assert failure is not None
    assert failure.outcome is not None
    assert failure.outcome.statement is made.rules[1]
    assert failure.outcome.packet.source == axes.address_of("192.168.1.2")


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ("esp/0x1000-0x1fff from hq to 203.0.113.1 reaches alice", True),
        ("esp/4096 from hq to 203.0.113.1 reaches alice", True),
        ("esp/0x1000-0x2000 from hq to 203.0.113.1 reaches alice", False),
        ("esp/0x0fff from hq to 203.0.113.1 reaches alice", False),
        ("esp/0x2000 from hq to 203.0.113.1 reaches bob", True),
        ("esp from hq to 203.0.113.1 reaches alice", False),
        ("deny esp/0x4000-0xffffffff from hq to 203.0.113.1", True),
        ("deny esp from hq to 203.0.113.1", False),
        ("allow ike from hq to 203.0.113.1", True),
    ],
)
def test_spis_are_asked_for(asked: str, holds: bool) -> None:
    made = policy(
        ZONES
        + "forward ipsec from hq to alice with spi 0x1000-0x1fff\n"
        + f"forward esp from wan to bob with spi 0x2000-0x2fff\nexpect {asked}\n"
    )
    assert (unmet(made) is None) == holds


def test_what_nothing_allows_is_not_expected() -> None:
    made = policy(ZONES + "expect allow esp from alice to hq\n")
    assert unmet(made) is not None


def test_an_address_speaks_of_the_packets_of_its_family() -> None:
    both = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq = 192.0.2.1, 2001:db8:51::1
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host alice = 192.168.1.1, fd00:1::1
}
nat from lan to wan
allow ike from lan to wan
expect ike from alice to hq leaves as 203.0.113.1
expect ike from alice to hq leaves as 203.0.113.2
"""
    made = policy(both)
    assert unmet(made) is None
    assert unmet(made, 1) is not None


@pytest.mark.parametrize(
    ("statements", "expectation", "holds"),
    [
        ("", "deny icmp from wan to lan", False),
        ("set icmp none", "deny icmp from wan to lan", True),
        ("", "deny icmp from lan to gateway", False),
        ("set icmp none", "deny icmp from lan to gateway", False),
        ("", "deny ping from wan to lan", True),
        ("", "allow icmpv6/packet-too-big from wan to lan", True),
        ("allow icmp/echo-request from lan to wan", "allow ping from alice to hq", True),
        ("allow icmp/echo-request from lan to wan", "allow ping from lan to wan", False),
        ("allow icmp from lan to wan", "allow icmp from lan to wan", True),
        ("allow any from lan to wan", "deny icmp/echo-reply from lan to wan", True),
        ("allow any from lan to wan", "allow icmpv6/139 from lan to wan", True),
    ],
)
def test_icmp_is_told_apart_by_family_and_by_what_is_always_on(
    statements: str, expectation: str, holds: bool
) -> None:
    zones = ZONES.replace("192.168.1.0/30", "192.168.1.0/30, fd00:1::/126").replace(
        "192.0.2.0/30", "192.0.2.0/30, 2001:db8::/126"
    )
    made = policy(f"{zones}{statements}\nexpect {expectation}\n")
    assert (unmet(made) is None) == holds


def test_a_translation_towards_the_host_of_a_forward_counts() -> None:
    made = policy(
        ZONES
        + "forward ike from wan to alice\nnat from hq to alice\n"
        + "expect ike from wan to 203.0.113.1 leaves as untranslated\n"
    )
    failure = unmet(made)
    assert failure is not None and failure.outcome is not None
    assert failure.outcome.packet.source == axes.address_of("192.0.2.1")


@pytest.mark.parametrize(
    ("protocol", "holds"), [("l2tp-ipsec", True), ("ipsec", True), ("l2tp", False)]
)
def test_what_a_protocol_has_inside_ipsec_is_meant(protocol: str, holds: bool) -> None:
    made = policy(
        f"{ZONES}allow l2tp-ipsec from wan to gateway\n"
        f"expect allow {protocol} from wan to 203.0.113.1\n"
    )
    assert (unmet(made) is None) == holds


def test_inside_ipsec_is_denied_too() -> None:
    made = policy(
        ZONES
        + "allow l2tp-ipsec from wan to gateway\ndeny udp/1701 from hq to gateway\n"
        + "expect allow l2tp-ipsec from wan to gateway\n"
    )
    failure = unmet(made)
    assert failure is not None and failure.outcome is not None
    assert failure.outcome.packet.decrypted


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        ("allow esp from lan to any", False),
        ("deny esp from lan to any", False),
        ("allow ike from lan to any", True),
        ("allow ssh from gateway to gateway", True),
        ("deny ssh from gateway to gateway", False),
    ],
)
def test_it_holds_by_whatever_zone_a_packet_may_leave(expectation: str, holds: bool) -> None:
    made = policy(
        "zone dsl { interface eth0 }\nzone cable { interface eth1 }\n"
        "zone lan {\n  interface eth2\n  network 10.0.0.0/8\n}\n"
        f"allow esp from lan to dsl\nallow ike from lan to any\nexpect {expectation}\n"
    )
    assert (unmet(made) is None) == holds


def test_a_group_of_many_beside_many_statements_takes_work_in_proportion() -> None:
    """Each of the group's addresses by itself would exceed the budget."""
    many = ", ".join(f"10.{i >> 8}.{i & 255}.1" for i in range(3000))
    pairs = "".join(
        f"allow udp/{1000 + i} from 10.0.{i}.1 to 192.0.2.{i % 4}\n" for i in range(200)
    )
    made = policy(
        "zone left {\n  interface eth0\n  network 10.0.0.0/8\n"
        f"  group many = {many}\n}}\n"
        "zone right {\n  interface eth1\n  network 192.0.2.0/24\n}\n"
        f"{pairs}allow esp from many to right\nexpect allow esp from many to right\n"
    )
    expectations = Expectations(made, budget=2000)
    assert expectations.unmet(made.expects[0]) is None


def test_a_forward_leaves_what_is_inside_ipsec_to_the_gateway() -> None:
    """With tunnels over a zone, nothing that was decrypted is in it."""
    forward = "allow l2tp-ipsec from wan to gateway\nforward l2tp from wan to alice\n"
    question = "expect l2tp from hq to 203.0.113.1 reaches alice\n"
    tunnel = "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"
    inside = "expect allow l2tp-ipsec from hq to 203.0.113.1\n"
    assert unmet(policy(ZONES + tunnel + forward + question)) is None
    made = policy(ZONES + tunnel + forward + inside)
    assert unmet(made) is None
    packet = Packet(
        made.zones[1],
        axes.address_of("192.0.2.1"),
        axes.address_of("203.0.113.1"),
        axes.UDP << 16 | 1701,
        decrypted=True,
    )
    assert Decider(made).decide(packet).egress is made.gateway
