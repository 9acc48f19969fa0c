"""Tracked ESP beside other ESP and IKE, and each way to translate it."""

from __future__ import annotations

import re

from lab import Probe
from tracked import ALICE, BOB, BOX, HQ, NAT, PARTNER, PUBLIC, TRACKING, ZONES, tracked

# -- beside it


def test_the_gateways_own_esp_with_the_same_peer() -> None:
    text = TRACKING + "allow ipsec from hq to gateway\n"
    with tracked(text) as made:
        assert made.gets(0xD1) == "gateway"
        assert not made.send(PUBLIC, 0xC1, wire=None).dropped
        assert made.gets(0xD1) == "gateway"
        made.end_claims()
        made.tunnel(ALICE, 1)
        assert made.gets(0xD1) == "gateway"
        assert made.gets(0xD2) == "gateway"
        assert made.passes(BOB, 0xA2)
        assert made.gets(0xD1) == "gateway"
        assert made.gets(0xB2) == BOB
        assert [made.gets(0xB001), made.gets(0xD1)] == [ALICE, "gateway"]
        assert not made.send(PUBLIC, 0xC1, wire=None).dropped


def test_a_forward_of_the_same_peer() -> None:
    text = TRACKING + "forward esp from hq to box\n"
    with tracked(text) as made:
        assert made.gets(0xD1) == BOX
        made.tunnel(ALICE, 1)
        assert [made.gets(0xD1), made.gets(0xB001)] == [BOX, ALICE]
        assert made.passes(BOX, 0xC1)
        assert made.gets(0xD1) == BOX
        made.end_claims()
        assert [made.gets(0xD1), made.gets(0xD2), made.gets(0xB001)] == [BOX, BOX, ALICE]


def test_a_host_without_tracking_is_one_more() -> None:
    text = "allow esp from bob, box to hq with tracking\nallow esp from alice to hq\n"
    with tracked(text) as made:
        for number, host in enumerate((ALICE, BOB, BOX)):
            made.tunnel(host, number)
        for number, host in enumerate((ALICE, BOB, BOX)):
            assert made.gets(0xB000 + number) == host
        assert {one.split()[0] for one in made.elements("map", "zone-of")} == {BOB, BOX}


def test_hosts_with_single_share_what_is_left() -> None:
    text = "allow esp from bob to hq with tracking\nallow esp from alice, box to hq with single\n"
    with tracked(text) as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        assert not made.passes(BOX, 0xA3)
        assert [made.gets(0xB001), made.gets(0xB002)] == [ALICE, BOB]


def test_what_is_not_translated_keeps_its_answers() -> None:
    dmz = "zone dmz {\n  interface eth2\n  network 10.0.5.0/24\n  address 10.0.5.1\n}\n"
    text = TRACKING + "allow esp from lan to dmz with tracking\nallow esp from wan to lan\n"
    with tracked(text, ZONES + dmz + NAT) as made:
        for peer, wire in (("10.0.5.9", "eth2"), (HQ, "eth0")):
            sent = made.lab.send(Probe(wire, peer, BOB, "esp", spi=0xE1))
            assert sent.dropped is (wire == "eth2")
        answer = made.lab.send(Probe("eth1", BOB, HQ, "esp", spi=0xE2))
        assert answer.arrival.source == BOB
        there = made.lab.send(Probe("eth1", BOB, "10.0.5.9", "esp", spi=0xE3))
        assert there.arrival.source == BOB
        assert made.lab.reply(there).arrival.destination == BOB


def test_tables_of_others_meet_no_packet_that_is_set_aside() -> None:
    chains = "".join(
        f"chain {hook}-{number} {{\ntype filter hook {hook} priority {place}; policy accept;\n"
        "meta pkttype != host drop\n}\n"
        for number, (hook, place) in enumerate(
            [("prerouting", "raw"), ("prerouting", "mangle"), ("forward", "filter")]
        )
    )
    with tracked() as made:
        made.lab.load_nft(f"table ip beside {{\n{chains}}}\n")
        made.load(made.output)
        made.tunnel(ALICE, 1)
        assert [made.passes(ALICE, 0xA001), made.gets(0xB001)] == [True, ALICE]


# -- how it is translated


def test_a_fixed_address() -> None:
    zones = ZONES.replace("203.0.113.1,", "203.0.113.1, 203.0.113.2,")
    with tracked(TRACKING, zones + "nat from lan to wan as 203.0.113.2\n") as made:
        for number, host in enumerate((ALICE, BOB)):
            assert made.send(host, 0xA0 + number).arrival.source == "203.0.113.2"
            assert made.gets(0xB0 + number, to="203.0.113.2") == host
            made.end_claims()
        assert made.gets(0xB0, to="203.0.113.2") == ALICE


def test_a_dynamic_address() -> None:
    zones = re.sub(r"  address   203.*\n", "", ZONES)
    with tracked(TRACKING, zones + NAT) as made:
        public = made.send(ALICE, 0xA0).arrival.source
        assert made.gets(0xB0, to=public) == ALICE
        made.end_claims()
        assert made.send(BOB, 0xA1).arrival.source == public
        assert made.gets(0xB1, to=public) == BOB
        assert made.gets(0xB0, to=public) == ALICE


def test_a_host_at_the_gateways_own_dynamic_address_claims_nothing() -> None:
    zones = re.sub(r"  address   203.*\n", "", ZONES)
    with tracked(TRACKING + "allow esp from lan to gateway\n", zones + NAT) as made:
        public = made.send(ALICE, 0xA0).arrival.source
        made.end_claims()
        for _ in range(2):
            assert made.lab.send(Probe("eth1", BOB, public, "esp", spi=0xA1)).local
        assert made.elements("map", "claims") == []


def test_ike_beside_it() -> None:
    with tracked("allow ipsec from lan to wan with tracking\n") as made:
        for number, host in enumerate((ALICE, BOB)):
            ike = made.lab.send(Probe("eth1", host, HQ, "udp", sport=500, dport=500))
            assert made.lab.reply(ike).arrival.destination == host
            made.tunnel(host, number)
        assert [made.gets(0xB000), made.gets(0xB001)] == [ALICE, BOB]


def test_two_uplinks() -> None:
    second = "zone wan2 {\n  interface eth2\n  address 198.51.100.1\n}\n"
    text = NAT + "nat from lan to wan2\nallow esp from lan to wan, wan2 with tracking\n"
    with tracked(text, ZONES + second) as made:
        made.lab.run(["ip", "route", "add", "192.0.2.20/32", "dev", "eth2"])
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        for number, host in enumerate((ALICE, BOB)):
            assert made.send(host, 0xC0 + number, PARTNER).arrival.source == "198.51.100.1"
            assert made.gets(0xD0 + number, PARTNER, "eth2", "198.51.100.1") == host
            made.end_claims()
        assert made.gets(0xD0, PARTNER, "eth2", "198.51.100.1") == ALICE
        assert [made.gets(0xB001), made.gets(0xB002)] == [ALICE, BOB]


def test_an_uplink_without_tracking() -> None:
    second = "zone wan2 {\n  interface eth2\n  address 198.51.100.1\n}\n"
    text = NAT + "nat from lan to wan2\n" + TRACKING + "allow esp from alice to wan2\n"
    with tracked(text, ZONES + second) as made:
        made.lab.run(["ip", "route", "add", "192.0.2.20/32", "dev", "eth2"])
        sent = made.send(ALICE, 0xC0, PARTNER)
        assert sent.arrival.source == "198.51.100.1"
        assert made.lab.reply(sent).arrival.destination == ALICE


def test_ipv6_is_left_alone() -> None:
    with tracked(TRACKING + "allow esp from wan to lan\n") as made:
        sent = made.lab.send(Probe("eth1", "fd00:1::20", "2001:db8:51::10", "esp", spi=0xA1))
        assert sent.arrival.source == "fd00:1::20"
        assert made.lab.reply(sent).arrival.destination == "fd00:1::20"
        assert made.elements("map", "zone-of") == []
