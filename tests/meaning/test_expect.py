"""Expectations are decided on one packet of every class: all packets would say the same."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.flows import axes
from tunnelgate.meaning import Decider, Packet, unmet
from tunnelgate.policy import Policy, resolve
from tunnelgate.policy.model import ExpectKind
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
_inside = st.sampled_from(["lan", "alice", "bob", "lan except alice", "any", "192.168.1.0/31"])
_outside = st.sampled_from(["wan", "hq", "peers", "wan except hq", "any", "192.0.2.2"])
_protocols = st.sampled_from(
    ["esp", "ike", "ipsec", "any", "any except esp", "ipsec except ike", "udp/400-600"]
)


@st.composite
def _statements(draw: st.DrawFn) -> str:
    inside, outside, protocols = draw(_inside), draw(_outside), draw(_protocols)
    kind = draw(st.sampled_from(["allow out", "allow in", "deny out", "nat", "forward"]))
    if kind == "nat":
        return f"nat from {inside.replace('any', 'lan')} to {outside.replace('any', 'wan')}"
    if kind == "forward":
        host = draw(st.sampled_from(["alice", "bob"]))
        return f"forward {protocols} from {outside.replace('any', 'wan')} to {host}"
    verb, _, way = kind.partition(" ")
    ends = (inside, outside) if way == "out" else (outside, inside)
    return f"{verb} {protocols} from {ends[0]} to {ends[1]}"


_policies = st.lists(_statements(), max_size=6).map(lambda lines: ZONES + "\n".join(lines) + "\n")


def policy(text: str) -> Policy:
    made, findings = resolve(parse(SourceFile(text)).policy)
    assert not findings
    return made


def every_packet(made: Policy, source: str, destination: str, l4: int) -> list[Packet]:
    """All packets of a question about zones, one by one."""
    zones = {zone.name: zone for zone in made.zones}

    def machines(name: str) -> list[int]:
        addresses = made.own_addresses if name == "gateway" else zones[name].holds
        return [value for low, high in addresses for value in range(low, high + 1)]

    return [
        Packet(zones[source], one, other, l4)
        for one, other in product(machines(source), machines(destination))
        if axes.family(one) == axes.family(other)
    ]


@settings(max_examples=300, deadline=None)
@given(
    _policies,
    st.sampled_from([("lan", "wan"), ("wan", "gateway"), ("wan", "lan")]),
    st.sampled_from(
        [("esp", axes.ESP << 16), ("ike", axes.UDP << 16 | 500), ("udp/600", axes.UDP << 16 | 600)]
    ),
    st.sampled_from(["allow", "deny"]),
)
def test_classes_say_what_all_packets_say(
    text: str, ends: tuple[str, str], channel: tuple[str, int], verdict: str
) -> None:
    made = policy(text + f"expect {verdict} {channel[0]} from {ends[0]} to {ends[1]}\n")
    decider = Decider(made)
    (expect,) = made.expects
    wanted = expect.kind is ExpectKind.ALLOW
    fates = {decider.decide(packet).delivered for packet in every_packet(made, *ends, channel[1])}
    assert (unmet(decider, expect) is None) == (fates == {wanted})


def test_a_failure_shows_the_packet_and_who_decided() -> None:
    made = policy(
        ZONES
        + "allow esp from lan to wan\ndeny esp from bob to hq\nexpect allow esp from lan to hq\n"
    )
    failure = unmet(Decider(made), made.expects[0])
    assert failure is not None
    assert failure.outcome is not None
    assert failure.outcome.statement is made.rules[1]
    assert failure.outcome.packet.source == axes.address_of("192.168.1.2")


def test_what_nothing_allows_is_not_expected() -> None:
    made = policy(ZONES + "expect allow esp from alice to hq\n")
    assert unmet(Decider(made), made.expects[0]) is not None


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
    assert unmet(Decider(made), made.expects[0]) is None
    assert unmet(Decider(made), made.expects[1]) is not None


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
    ],
)
def test_icmp_is_told_apart_by_family_and_by_what_is_always_on(
    statements: str, expectation: str, holds: bool
) -> None:
    zones = ZONES.replace("192.168.1.0/30", "192.168.1.0/30, fd00:1::/126").replace(
        "192.0.2.0/30", "192.0.2.0/30, 2001:db8::/126"
    )
    made = policy(f"{zones}{statements}\nexpect {expectation}\n")
    assert (unmet(Decider(made), made.expects[0]) is None) == holds
