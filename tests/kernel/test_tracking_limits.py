"""Tracked ESP where somebody means ill, where it does not fit, and where the policy forbids it."""

from __future__ import annotations

import re

import pytest
from kernel_log import KernelLog, kernel_log
from lab import Probe
from tracked import ALICE, BOB, CAROL, HQ, LONG, PARTNER, PUBLIC, ROUTER, TRACKING, Tracked, tracked

from tunnelgate.target import Output

#: What one host may begin at once, and what a run of some minutes could earn on top of it.
BURST, EARNED = 64, 50


# -- whoever means ill


def test_forged_answers_do_not_end_a_claim() -> None:
    with tracked() as made:
        made.tunnel(BOB, 1)
        assert made.passes(ALICE, 0xA1)
        for spi in range(5):
            made.gets(0xF000 + spi)
        assert made.gets(0xB1) == ALICE
        made.end_claims()
        assert made.gets(0xB1) == ALICE


def test_forged_answers_are_learned_to_a_limit() -> None:
    with tracked() as made:
        assert made.passes(ALICE, 0xA1)
        for spi in range(100):
            made.gets(0xF000 + spi)
        assert 32 <= len(made.known(HQ)) <= 32 + EARNED


def test_one_host_does_not_fill_the_sets() -> None:
    with tracked() as made:
        passed = sum(made.passes(ALICE, 0xA000 + spi) for spi in range(400))
        assert BURST <= passed <= BURST + EARNED
        assert len(made.known(ALICE)) == passed
        made.end_claims()
        made.tunnel(BOB, 1)


NAMES = [
    "known",
    "claims",
    "claimed-peers",
    "claimants",
    "quoted",
    "answered",
    "firsts",
    "first",
    "spoken-to",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_set_hands_nothing_to_others(name: str) -> None:
    with tracked() as made:
        load_small(made, name)
        hosts = (ALICE, BOB, CAROL)
        for number, host in enumerate(hosts):
            made.send(host, 0xA0 + number)
            assert made.gets(0xB0 + number) in {host, None}
            made.end_claims()
        for number, host in enumerate(hosts):
            made.send(host, 0xA0 + number)
            assert made.gets(0xB0 + number) in {host, None}


def test_a_claim_that_others_would_not_see_is_none() -> None:
    with tracked() as made:
        load_small(made, "claimed-peers")
        assert made.passes(ALICE, 0xA1, PARTNER)
        for number, host in enumerate((BOB, CAROL)):
            made.send(host, 0xA2 + number)
        assert made.gets(0xB2) is None


def load_small(made: Tracked, name: str) -> None:
    """Load again, with room for one element in a set or map."""
    text = made.output.files["ruleset.nft"]
    full = re.compile(rf"((?:map|set) {name} {{\n[^}}]*size )\d+")
    assert full.search(text)
    made.lab.reset()
    made.load(Output({"ruleset.nft": full.sub(r"\g<1>1", text)}, made.output.requirements))


def test_hosts_beyond_the_zones_are_as_without_tracking() -> None:
    with tracked(changes={**LONG, "size 61440": "size 1"}) as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        assert not made.passes(CAROL, 0xA3)
        assert [made.gets(0xB001), made.gets(0xB002)] == [ALICE, BOB]
        assert made.passes(CAROL, 0xA4, PARTNER)


# -- errors about ESP


def test_errors_from_outside_reach_the_host() -> None:
    with tracked() as made:
        for number, host in enumerate((ALICE, BOB)):
            made.tunnel(host, number)
        for number, host in enumerate((ALICE, BOB)):
            quoted = made.send(host, 0xA000 + number).arrival.packet
            seen = made.lab.send(error("eth0", ROUTER, PUBLIC, quoted))
            assert (seen.arrival.destination, seen.arrival.mtu) == (host, 1400)
            assert seen.arrival.quoted is not None
            assert seen.arrival.quoted.source == host


def test_errors_of_a_host_reach_the_peer() -> None:
    with tracked() as made:
        for number, host in enumerate((ALICE, BOB)):
            made.tunnel(host, number)
        for number, host in enumerate((ALICE, BOB)):
            quoted = made.lab.send(Probe("eth0", HQ, PUBLIC, "esp", spi=0xB000 + number)).arrival
            seen = made.lab.send(error("eth1", host, HQ, quoted.packet))
            assert (seen.arrival.source, seen.arrival.destination) == (PUBLIC, HQ)


def test_errors_of_the_gateway_reach_the_host() -> None:
    with tracked() as made:
        for number, host in enumerate((ALICE, BOB)):
            made.tunnel(host, number)
        made.lab.run(["ip", "link", "set", "eth0", "mtu", "1300"])
        seen = made.lab.send(Probe("eth1", BOB, HQ, "esp", spi=0xA001, size=1380))
        assert [(one.wire, one.destination, one.mtu) for one in seen.icmp] == [("eth1", BOB, 1300)]


def error(wire: str, source: str, destination: str, about: bytes) -> Probe:
    """Fragmentation needed (RFC 1191)."""
    return Probe(
        wire, source, destination, "icmp", icmp_type=3, icmp_code=4, mtu=1400, quote=about[:64]
    )


# -- the policy holds


def test_what_is_denied_claims_nothing() -> None:
    with tracked(TRACKING + "deny esp from bob to wan\n") as made:
        assert not made.passes(BOB, 0xA1)
        made.tunnel(ALICE, 1)
        assert [len(made.known(host)) for host in (ALICE, BOB)] == [1, 0]


def test_what_belongs_to_no_connection_is_not_learned() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        assert len(made.known(HQ)) == 1
        made.lab.flush_conntrack()
        assert made.gets(0xC1) is None
        assert len(made.known(HQ)) == 1


def test_what_is_for_every_machine_of_a_wire_passes_no_gateway() -> None:
    """A packet in a broadcast frame is routed by nobody, with a new SPI or a known one."""
    hook = 'type filter hook ingress device "eth1" priority 0; policy accept;'
    with tracked() as made:
        made.tunnel(ALICE, 1)
        made.lab.load_nft(f"table netdev beside {{\nchain in {{\n{hook}\n}}\n}}\n")
        made.nft("add rule netdev beside in meta pkttype set broadcast")
        assert not made.passes(ALICE, 0xA001)
        assert not made.passes(ALICE, 0xA2)
        made.nft("flush chain netdev beside in")
        assert made.passes(ALICE, 0xA001)
        assert made.passes(ALICE, 0xA2)


def test_a_spoofed_source_draws_no_zone() -> None:
    with tracked() as made:
        assert made.send("10.9.9.9", 0xA1).dropped
        assert made.send(HQ, 0xA1, PARTNER).dropped
        assert made.lab.send(Probe("eth0", ALICE, PUBLIC, "esp", spi=0xA1)).dropped
        assert made.elements("map", "zone-of") == []
        assert made.elements("map", "claims") == []


def test_a_limit_holds() -> None:
    text = "allow esp from lan to wan with tracking, limit 1/minute\n"
    with tracked(text) as made:
        hosts = [f"192.168.1.{number}" for number in range(50, 90)]
        passed = 0
        for number, host in enumerate(hosts):
            passed += made.passes(host, 0xA000 + number)
            made.end_claims()
        assert 5 <= passed <= 8
        assert len(made.elements("map", "known")) == passed


def test_a_log_tells_each_host() -> None:
    with (
        kernel_log() as log,
        tracked('allow esp from lan to wan with tracking, log "tracked "\n') as made,
    ):
        assert_logged(log, made)


def assert_logged(log: KernelLog, made: Tracked) -> None:
    made.tunnel(ALICE, 1)
    made.tunnel(BOB, 2)
    assert len(log.lines("tracked ")) == 2
