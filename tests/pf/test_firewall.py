"""The model of packets: what it makes of rules, and what comes of states.

What rulesets of ours lean on is asked of both models in `test_facts.py`. Sources: pf.conf(5), pf.c;
some were measured with packets on FreeBSD 15.1. No test here holds the model to a kernel.
"""

from __future__ import annotations

import pytest
from asking import (
    ALICE,
    BOB,
    CLASSIC,
    HQ,
    IN,
    MODERN,
    OTHER,
    OUT,
    PUBLIC,
    SECOND,
    WEB,
    at,
    packet,
    pf,
)
from firewall import Firewall, Packet, Passed

from tunnelgate.flows import axes
from tunnelgate_targets.pf.read import Dialect
from tunnelgate_targets.pf.read.ruleset import Direction


def through(
    firewall: Firewall, sent: Packet, way_in: str = "em1", way_out: str = "em0"
) -> Packet | None:
    """A packet that is forwarded: both passes."""
    passed = firewall.test(sent, IN, way_in, received=way_in)
    if passed is not None:
        passed = firewall.test(passed.packet, OUT, way_out, passed.tag, received=way_in)
    return passed and passed.packet


def passes(text: str, sent: Packet | None = None, direction: Direction = IN, **rest: str) -> bool:
    sent = sent or packet(ALICE, HQ)
    interface = rest.pop("interface", "em1" if direction is IN else "em0")
    return pf(text).test(sent, direction, interface, **rest) is not None


# -- which rule decides


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("block", False),
        ("block\npass", True),
        ("pass\nblock", False),
        ("pass quick\nblock", True),
        ("block quick\npass", False),
        ("match\n", True),
        ("block\nmatch quick\npass", False),
        ("block\npass on em0", False),
        ("block\npass on ! em0", True),
        ("block\npass on inside", True),
        ("block\npass on { em0 em1 }", True),
        ("block\npass on any", True),
        ("block\npass out", False),
        ("block\npass inet6", False),
        ("block\npass proto tcp", False),
        ("block\npass proto udp to port 53", True),
        ("block\npass proto udp to port != 53", False),
        ("block\npass proto udp from port 40000", True),
        ("set skip on em1\nblock", True),
        ("set skip on inside\nblock", True),
        ("set skip on lo\nblock", False),
    ],
)
def test_the_last_match_decides_unless_one_is_quick(text: str, expected: bool) -> None:
    assert passes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('anchor "a" {\n pass\n}', True),
        ('anchor "a" in on em0 {\n pass\n}', False),
        ('anchor "a" {\n pass\n}\nblock', False),
        ('anchor "a" {\n pass quick\n}\nblock', True),
        ('anchor "a" quick {\n pass\n}\nblock', True),
        ('anchor "a" quick {\n match\n}\npass', True),
        ('anchor "a" {\n match tag X\n}\npass tagged X', True),
        ('anchor "a" tag X {\n block proto tcp\n}\npass tagged X', True),
    ],
)
def test_an_anchor_is_asked_where_it_stands(text: str, expected: bool) -> None:
    assert passes(f"block\n{text}") == expected


def test_tables() -> None:
    nested = "table <t> { 192.168.0.0/16 !192.168.1.0/24 192.168.1.20 }\nblock\npass from <t>"
    assert passes(nested)
    assert not passes(nested, packet(BOB, HQ))


@pytest.mark.parametrize(
    ("where", "address", "expected"),
    [
        ("(em0)", SECOND, True),
        ("(em0:0)", PUBLIC, True),
        ("(em0:0)", SECOND, False),
        ("(em0)/24", "203.0.113.77", True),
        ("(self)", "192.168.1.1", True),
        ("self", "127.0.0.1", True),
        ("(self)", ALICE, False),
        ("(em1:network)", ALICE, True),
        ("(inside)", "192.168.1.1", True),
        ("(em1:broadcast)", "192.168.1.255", True),
        ("(ppp)", PUBLIC, False),
        ("! (em0)", PUBLIC, False),
    ],
)
def test_addresses_of_interfaces(where: str, address: str, expected: bool) -> None:
    assert passes(f"block\npass inet to {where}", packet(HQ, address)) == expected


def test_antispoof_is_two_rules() -> None:
    text = "antispoof quick for (em1) inet\npass"
    assert not passes(text, packet(ALICE, PUBLIC), interface="em0")
    assert not passes(text, packet("192.168.1.1", HQ))
    assert passes(text, packet(ALICE, HQ))


def test_what_came_in_where() -> None:
    text = "block\npass out received-on em1"
    assert passes(text, direction=OUT, received="em1")
    assert not passes(text, direction=OUT, received="em0")
    assert not passes(text, direction=OUT)
    assert passes("block\npass out ! received-on em1", direction=OUT)


def test_tcp_flags() -> None:
    opening = packet(ALICE, HQ, axes.TCP)
    later = packet(HQ, ALICE, axes.TCP).reply()
    assert passes("block\npass", opening)
    assert not passes("block\npass", later)
    assert passes("block\npass no state", later)
    assert passes("block\npass flags any", later)


# -- tags


def test_a_tag_sticks_even_if_another_rule_decides() -> None:
    assert passes("pass tag X\nblock\npass tagged X")
    assert passes("block in from any tag X\npass tagged X")
    assert not passes("block\npass tagged X")
    assert passes("block\npass ! tagged X")
    assert passes("match tag X\nmatch tagged X tag Y\nblock\npass tagged Y")


def test_a_state_tags_all_that_ride_it() -> None:
    firewall = pf("block\npass out on em0 tag SEEN")
    assert firewall.test(packet(PUBLIC, HQ), OUT, "em0") is not None
    back = firewall.test(packet(PUBLIC, HQ).reply(), IN, "em0")
    assert back is not None
    assert back.tag == "SEEN"


# -- states


def test_a_forwarded_packet_passes_twice_and_its_answer_rides() -> None:
    sent = packet(ALICE, HQ)
    firewall = pf("block\npass in on em1\npass out on em0")
    assert through(firewall, sent) == sent
    assert through(firewall, sent.reply(), "em0", "em1") == sent.reply()


def test_without_state_an_answer_is_asked_like_any_packet() -> None:
    firewall = pf("block\npass out on em0 no state")
    assert firewall.test(packet(PUBLIC, HQ), OUT, "em0") is not None
    assert firewall.test(packet(PUBLIC, HQ).reply(), IN, "em0") is None


def test_states_float_unless_they_are_bound() -> None:
    """What passes on enc0 would pass in the clear, were its state not bound to enc0."""
    sent = packet(PUBLIC, "10.20.0.5", axes.TCP)
    for bound in (False, True):
        text = f"block\npass out on enc0 keep state ({'if-bound' if bound else 'floating'})"
        firewall = pf(text)
        assert firewall.test(sent, OUT, "enc0") is not None
        assert (firewall.test(sent, OUT, "em0") is None) == bound
        assert (firewall.test(sent.reply(), IN, "em0") is None) == bound
        assert firewall.test(sent.reply(), IN, "enc0") is not None


def test_a_state_is_for_one_way_only() -> None:
    """One made on the way in lets nothing out, not even the same packet."""
    firewall = pf("block\npass in")
    sent = packet(ALICE, HQ)
    assert firewall.test(sent, IN, "em1") is not None
    assert firewall.test(sent, OUT, "em0") is None
    assert firewall.test(sent.reply(), OUT, "em1") is not None


def test_icmp_errors_ride_the_state_of_what_they_are_about() -> None:
    text = f"{NAT[MODERN].format('(em0:0)')} out on em0\npass in on em1"
    firewall = pf(text)
    seen = through(firewall, packet(ALICE, HQ))
    assert seen is not None
    error = Packet(at("198.51.100.1"), at(PUBLIC), axes.ICMP, 3 << 8, quoted=seen)
    back = through(firewall, error, "em0", "em1")
    assert back is not None
    assert back.destination == at(ALICE)
    assert back.quoted == packet(ALICE, HQ)
    assert through(pf(text), error, "em0", "em1") is None


def test_an_icmp_error_about_nothing_makes_no_state() -> None:
    firewall = pf("block\npass inet proto icmp icmp-type unreach")
    error = Packet(at(ALICE), at(HQ), axes.ICMP, 3 << 8)
    assert firewall.test(error, IN, "em1") is not None
    assert firewall.test(error, OUT, "em1") is not None
    assert not firewall.states.find(error, IN, "em1")


def test_no_answer_to_a_question_makes_a_state() -> None:
    ping = Packet(at(ALICE), at(HQ), axes.ICMP, 8 << 8, 7)
    firewall = pf("block\npass")
    assert firewall.test(ping.reply(), IN, "em0") is None
    assert firewall.test(ping, OUT, "em0") is not None
    assert firewall.test(ping.reply(), IN, "em0") is not None
    assert pf("block\npass no state").test(ping.reply(), IN, "em0") is not None
    advertisement = Packet(at("fe80::1"), at("ff02::1"), axes.ICMPV6, 136 << 8)
    assert pf("block\npass").test(advertisement, IN, "em0") is not None


def test_packets_with_options_need_a_word() -> None:
    report = Packet(at("fe80::1"), at("ff02::16"), axes.ICMPV6, 143 << 8, options=True)
    assert not passes("pass", report)
    assert passes("pass allow-opts", report)
    assert passes("", report)


# -- source translation

NAT = {
    MODERN: "match out on em0 inet from 192.168.1.0/24 nat-to {0}\nblock\npass",
    CLASSIC: "nat on em0 inet from 192.168.1.0/24 to any -> {0}\nblock\npass",
}


@pytest.mark.parametrize("dialect", Dialect)
class TestSource:
    def test_answers_are_translated_back(self, dialect: Dialect) -> None:
        firewall = pf(NAT[dialect].format("(em0:0)"), dialect)
        seen = through(firewall, packet(ALICE, HQ))
        assert seen is not None
        assert (seen.source, seen.low) == (at(PUBLIC), 53)
        assert seen.source_port >= 50001
        assert through(firewall, seen.reply(), "em0", "em1") == packet(ALICE, HQ).reply()

    def test_a_static_port_stays_and_a_second_host_collides(self, dialect: Dialect) -> None:
        firewall = pf(NAT[dialect].format("(em0:0) static-port"), dialect)
        seen = through(firewall, packet(ALICE, HQ, low=500, port=500))
        assert seen is not None
        assert seen.source_port == 500
        assert through(firewall, packet(BOB, HQ, low=500, port=500)) is None
        assert through(firewall, packet(BOB, OTHER, low=500, port=500)) is not None

    def test_other_ports_never_collide(self, dialect: Dialect) -> None:
        firewall = pf(NAT[dialect].format("(em0:0) port 4501:65535"), dialect)
        ports = [through(firewall, packet(host, HQ)) for host in (ALICE, BOB)]
        assert [one and one.source_port for one in ports] == [4501, 4502]

    @pytest.mark.parametrize("protocol", [axes.ESP, axes.GRE])
    def test_a_second_host_to_one_peer_is_dropped(self, dialect: Dialect, protocol: int) -> None:
        firewall = pf(NAT[dialect].format("(em0:0)"), dialect)
        assert through(firewall, packet(ALICE, HQ, protocol)) is not None
        assert through(firewall, packet(BOB, HQ, protocol)) is None
        assert through(firewall, packet(BOB, OTHER, protocol)) is not None


def test_a_match_translates_nothing_that_no_state_remembers() -> None:
    text = f"match out on em0 inet nat-to {PUBLIC}\npass no state"
    assert through(pf(text), packet(ALICE, HQ)) == packet(ALICE, HQ)
    assert through(pf(f"match out on em0 inet nat-to {PUBLIC}"), packet(ALICE, HQ)) == packet(
        ALICE, HQ
    )


# -- destination translation


@pytest.mark.parametrize("protocol", [axes.ESP, axes.GRE])
@pytest.mark.parametrize("dialect", Dialect)
def test_protocols_without_ports_are_redirected_too(dialect: Dialect, protocol: int) -> None:
    text = {
        CLASSIC: f"rdr on em0 inet proto {protocol} to (em0) -> {WEB}",
        MODERN: f"match in on em0 inet proto {protocol} to (em0) rdr-to {WEB} port 80\npass",
    }
    firewall = pf(text[dialect], dialect)
    sent = packet(HQ, PUBLIC, protocol)
    seen = through(firewall, sent, "em0", "em1")
    assert seen is not None
    assert (seen.destination, seen.low) == (at(WEB), 0)
    assert through(firewall, seen.reply(), "em1", "em0") == sent.reply()


def test_ports_that_change_and_their_way_back() -> None:
    firewall = pf(
        f"pass in on em0 inet proto tcp to (em0) port 3000:3010 rdr-to {WEB} port 4000:*\npass out"
    )
    sent = packet(HQ, PUBLIC, axes.TCP, 3004)
    seen = through(firewall, sent, "em0", "em1")
    assert seen is not None
    assert (seen.destination, seen.low) == (at(WEB), 4004)
    assert through(firewall, seen.reply(), "em1", "em0") == sent.reply()


def test_what_passes_keeps_its_tag_on_the_way_out() -> None:
    passed = pf("pass in tag LAN").test(packet(ALICE, HQ), IN, "em1")
    assert passed == Passed(packet(ALICE, HQ), "LAN")
