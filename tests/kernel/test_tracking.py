"""ESP of many hosts behind one address, told apart by SPI, with packets.

No clock decides: claims that a test needs last for hours, and end when it says so. Where one has to
end by itself, the test waits for the kernel to say that it has.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from gateway import Gateway, read, run_commands
from kernel_log import KernelLog, kernel_log
from lab import Observation, Probe

from tunnelgate.target import Layout, Output, Setup, find

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq = 192.0.2.10, 2001:db8:51::10
  host partner = 192.0.2.20
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  address   192.168.1.1, fd00:1::1
  host alice = 192.168.1.20, fd00:1::20
  host bob   = 192.168.1.30
  host box   = 192.168.1.10
}
"""
NAT = "nat from lan to wan\n"
TRACKING = "allow esp from lan to wan with tracking\n"
PUBLIC, PUBLIC6 = "203.0.113.1", "2001:db8::1"
HQ, PARTNER, ROUTER = "192.0.2.10", "192.0.2.20", "192.0.2.99"
ALICE, BOB, CAROL, BOX = "192.168.1.20", "192.168.1.30", "192.168.1.40", "192.168.1.10"
#: Longer than any test.
LONG = {"timeout 10s": "timeout 9h", "timeout 1s": "timeout 8h"}
#: What one host may begin at once, and what a run of some minutes could earn on top of it.
BURST, EARNED = 64, 50


class Tracked:
    """A gateway with tracked ESP."""

    def __init__(self, text: str, layout: Layout = "whole", changes: dict[str, str] = LONG) -> None:
        self.made = Gateway(read(text))
        self.lab = self.made.lab
        self.changes = changes
        self.lab.reset()
        self.output = self.emit(text, layout)
        self.load(self.output)

    def emit(self, text: str, layout: Layout = "whole") -> Output:
        """What a policy becomes."""
        gateway = self.made if text == "" else Gateway(read(text), self.lab)
        target = find("nftables")
        assert not target.refuse(gateway.plan, Setup(layout))
        return target.emit(gateway.plan, Setup(layout))

    def load(self, output: Output) -> None:
        """Load, with the times and sizes that a test has changed."""
        text = output.files["ruleset.nft"]
        for old, new in self.changes.items():
            assert old in text or "tunnelgate-zones {\n" not in text
            text = text.replace(old, new)
        self.lab.load_nft(text)

    def send(self, host: str, spi: int, peer: str = HQ, wire: str | None = "eth1") -> Observation:
        """A host's packet to a peer."""
        seen = self.lab.send(Probe(wire, host, peer, "esp", spi=spi))
        assert all(not one.source.startswith("192.168.") for one in seen.arrivals)
        return seen

    def passes(self, host: str, spi: int, peer: str = HQ) -> bool:
        """Whether it does, and as whom."""
        seen = self.send(host, spi, peer)
        return [one.source for one in seen.arrivals] == [PUBLIC]

    def gets(self, spi: int, peer: str = HQ, wire: str = "eth0", to: str = PUBLIC) -> str | None:
        """Who gets a packet of a peer; "gateway" for the machine itself, None for nobody."""
        seen = self.lab.send(Probe(wire, peer, to, "esp", spi=spi))
        if seen.local:
            return "gateway"
        return seen.arrival.destination if seen.arrivals else None

    def tunnel(self, host: str, number: int, peer: str = HQ) -> None:
        """A host and a peer begin, and nothing else does meanwhile.

        A host whose zone is taken draws another one, which costs its first packet.
        """
        assert any(self.passes(host, 0xA000 + number, peer) for _ in range(2))
        assert self.gets(0xB000 + number, peer) == host
        self.end_claims()

    def end_claims(self) -> None:
        """As when their time is over."""
        for kind, name in (("map", "claims"), ("set", "claimants")):
            self.nft(f"flush {kind} inet tunnelgate-zones {name}")

    def nft(self, command: str) -> str:
        """What nft answers."""
        done = self.lab.run(["nft", *command.split()])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def elements(self, kind: str, name: str) -> list[str]:
        """What is in a set or map."""
        text = self.nft(f"list {kind} inet tunnelgate-zones {name}")
        found = re.search(r"elements = \{([^}]*)\}", text)
        return [one.strip() for one in found[1].split(",")] if found else []

    def known(self, source: str) -> list[str]:
        """The SPIs that are known of a sender."""
        return [one for one in self.elements("map", "known") if one.split()[0] == source]


@contextmanager
def tracked(
    statements: str = TRACKING,
    zones: str = ZONES + NAT,
    layout: Layout = "whole",
    **changes: dict[str, str],
) -> Iterator[Tracked]:
    made = Tracked(zones + statements, layout, changes.get("changes", LONG))
    try:
        yield made
    finally:
        made.made.close()


# -- who gets what


def test_hosts_use_one_peer_at_the_same_time() -> None:
    with tracked() as made:
        for number, host in enumerate((ALICE, BOB, CAROL)):
            made.tunnel(host, number)
        for number, host in enumerate((ALICE, BOB, CAROL)):
            assert made.passes(host, 0xA000 + number)
            assert made.gets(0xB000 + number) == host


def test_a_host_uses_several_peers() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        made.tunnel(ALICE, 2, PARTNER)
        made.tunnel(BOB, 3, PARTNER)
        assert [made.gets(0xB001), made.gets(0xB002, PARTNER)] == [ALICE, ALICE]
        assert made.gets(0xB003, PARTNER) == BOB


def test_of_two_hosts_that_begin_at_once_the_second_waits() -> None:
    with tracked() as made:
        assert made.passes(ALICE, 0xA1)
        assert not made.passes(BOB, 0xA2)
        assert made.passes(BOB, 0xA3, PARTNER)
        assert made.gets(0xB1) == ALICE
        assert not made.passes(BOB, 0xA2)
        made.end_claims()
        assert made.passes(BOB, 0xA2)
        assert made.gets(0xB2) == BOB
        assert made.gets(0xB1) == ALICE


def test_a_host_may_begin_several_at_once() -> None:
    with tracked() as made:
        for spi in (1, 2, 3):
            assert made.passes(ALICE, 0xA0 + spi)
        for spi in (1, 2, 3):
            assert made.gets(0xB0 + spi) == ALICE
        assert made.passes(ALICE, 0xA4)


def test_each_of_many_hosts_has_a_zone_of_its_own() -> None:
    hosts = [f"192.168.1.{number}" for number in range(20, 90)]
    with tracked() as made:
        for number, host in enumerate(hosts):
            made.tunnel(host, number)
        assert [made.gets(0xB000 + number) for number in range(len(hosts))] == hosts
        zones = {one.rpartition(" : ")[2] for one in made.elements("map", "zone-of")}
        assert len(made.elements("set", "zones")) == len(hosts)
        assert len(zones) == len(hosts)
        assert all(4096 <= int(zone) <= 65535 for zone in zones)


def test_two_hosts_that_draw_one_zone_draw_again() -> None:
    with tracked(changes={**LONG, "numgen random mod 61440": "numgen inc mod 2"}) as made:
        made.tunnel(ALICE, 1)
        made.nft("add element inet tunnelgate-zones zone-of { 192.168.1.30 : 4096 }")
        assert not made.passes(BOB, 0xA2)
        assert any(made.passes(BOB, 0xA2) for _ in range(2))
        assert made.gets(0xB2) == BOB
        assert made.gets(0xB001) == ALICE


# -- new keys


def test_rekeying_by_the_host() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        assert made.passes(ALICE, 0xA9)
        assert made.gets(0xB9) == ALICE
        assert made.gets(0xB001) == ALICE
        made.end_claims()
        assert [made.gets(0xB9), made.gets(0xB002)] == [ALICE, BOB]


def test_rekeying_by_the_peer_of_one_host() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        assert made.gets(0xB9) == ALICE
        made.tunnel(BOB, 2)
        assert made.gets(0xB9) == ALICE


def test_rekeying_by_the_peer_of_several_waits_for_the_host() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        assert made.gets(0xB9) is None
        assert made.passes(BOB, 0xA9)
        assert made.gets(0xB9) == BOB


def test_a_new_key_during_the_claim_of_another_is_the_claimants() -> None:
    """The limit that `explain` tells of."""
    with tracked() as made:
        made.tunnel(ALICE, 1)
        assert made.passes(BOB, 0xA2)
        assert made.gets(0xB9) == BOB


def test_a_host_that_has_restarted_gets_in_again() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        made.lab.flush_conntrack()
        made.tunnel(ALICE, 3)
        assert [made.gets(0xB003), made.gets(0xB002)] == [ALICE, None]
        assert made.passes(BOB, 0xA002)
        assert made.gets(0xB002) == BOB


def test_a_host_that_has_moved_gets_in_again() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        made.tunnel(CAROL, 3)
        assert made.gets(0xB003) == CAROL
        assert made.gets(0xB001) == ALICE


def test_what_comes_for_a_host_without_a_connection_reaches_nobody_else() -> None:
    text = TRACKING + "forward esp from hq to box\n"
    with tracked(text) as made:
        made.tunnel(ALICE, 1)
        made.lab.flush_conntrack()
        assert made.gets(0xB001) is None
        assert made.gets(0xC1) == BOX
        assert made.passes(ALICE, 0xA001)
        assert made.gets(0xB001) == ALICE


# -- time


def test_a_claim_ends_by_itself() -> None:
    short = {"timeout 10s": "timeout 200ms", "timeout 1s": "timeout 100ms"}
    with tracked(changes=short) as made:
        assert made.passes(ALICE, 0xA1)
        wait_for_no_claims(made)
        assert made.passes(BOB, 0xA2)
        assert made.gets(0xB2) == BOB
        wait_for_no_claims(made)
        assert made.passes(ALICE, 0xA1)
        assert made.gets(0xB2) == BOB


def test_an_answer_ends_a_claim_a_little_later() -> None:
    with tracked(changes={"timeout 10s": "timeout 9h", "timeout 1s": "timeout 200ms"}) as made:
        assert made.passes(ALICE, 0xA1)
        assert made.gets(0xB1) == ALICE
        wait_for_no_claims(made)
        assert made.passes(BOB, 0xA2)
        assert made.gets(0xB2) == BOB
        assert made.gets(0xB1) == ALICE


def wait_for_no_claims(made: Tracked) -> None:
    while made.elements("map", "claims") or made.elements("set", "claimants"):
        time.sleep(0.05)


def test_what_got_no_answer_passes_and_claims_again() -> None:
    every_packet = {**LONG, "numgen inc mod 16 != 0 return\n": "\n"}
    with tracked(changes=every_packet) as made:
        made.tunnel(BOB, 1)
        assert made.passes(ALICE, 0xA1)
        made.end_claims()
        assert made.passes(BOB, 0xA2)
        assert made.passes(ALICE, 0xA1)
        made.end_claims()
        assert made.passes(ALICE, 0xA1)
        assert made.elements("map", "claims") == []
        made.nft("flush set inet tunnelgate-zones claimed")
        assert made.passes(ALICE, 0xA1)
        assert made.gets(0xB9) == ALICE


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


@pytest.mark.parametrize(
    "name", ["known", "claims", "claimants", "quoted", "answered", "firsts", "first"]
)
def test_a_full_set_hands_nothing_to_others(name: str) -> None:
    full = f"{name} {{\n\t\ttypeof"
    with tracked(changes=LONG) as made:
        text = made.output.files["ruleset.nft"]
        kind = "map" if f"map {full}" in text else "set"
        start = text.index(f"{kind} {full}")
        end = text.index("}", start)
        smaller = re.sub(r"size \d+", "size 1", text[start:end])
        made.lab.reset()
        made.load(
            Output({"ruleset.nft": text[:start] + smaller + text[end:]}, made.output.requirements)
        )
        hosts = (ALICE, BOB, CAROL)
        for number, host in enumerate(hosts):
            made.send(host, 0xA0 + number)
            assert made.gets(0xB0 + number) in {host, None}
            made.end_claims()
        for number, host in enumerate(hosts):
            made.send(host, 0xA0 + number)
            assert made.gets(0xB0 + number) in {host, None}


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


# -- the policy holds


def test_what_is_denied_claims_nothing() -> None:
    with tracked(TRACKING + "deny esp from bob to wan\n") as made:
        assert not made.passes(BOB, 0xA1)
        made.tunnel(ALICE, 1)
        assert [len(made.known(host)) for host in (ALICE, BOB)] == [1, 0]


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


# -- loading


@pytest.mark.parametrize("layout", ["whole", "shared"])
def test_a_load_keeps_what_was_learned(layout: Layout) -> None:
    with tracked(layout=layout) as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        for text in (TRACKING, TRACKING + "allow ssh from lan to wan\n"):
            made.load(made.emit(ZONES + NAT + text, layout))
            assert [made.gets(0xB001), made.gets(0xB002)] == [ALICE, BOB]
            assert [made.passes(ALICE, 0xA001), made.passes(BOB, 0xA002)] == [True, True]
        rules = made.nft("list table inet tunnelgate-zones")
        assert rules.count("goto esp-from-host") == 1


@pytest.mark.parametrize("layout", ["whole", "shared"])
def test_a_policy_without_tracking_ends_it(layout: Layout) -> None:
    with tracked(layout=layout) as made:
        made.tunnel(ALICE, 1)
        made.load(made.emit(ZONES + NAT + "allow esp from alice to wan\n", layout))
        assert "tunnelgate-zones" not in made.nft("list tables")
        made.lab.flush_conntrack()
        assert made.passes(ALICE, 0xA001)
        assert made.gets(0xB001) == ALICE


@pytest.mark.parametrize("layout", ["whole", "shared"])
def test_unloading_takes_all_of_it_away(layout: Layout) -> None:
    with tracked(layout=layout) as made:
        run_commands(made.lab, made.output, made.output.requirements.unload)
        assert made.nft("list tables") == ""
