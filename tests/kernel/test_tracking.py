"""ESP of many hosts behind one address, told apart by SPI: who gets what, new keys, and time."""

from __future__ import annotations

import time

from tracked import (
    ALICE,
    BOB,
    BOX,
    CAROL,
    CLAIMS,
    LONG,
    LOOKED_AT,
    PARTNER,
    PASSED_BY,
    TRACKING,
    Tracked,
    tracked,
)

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
    while any(made.elements(kind, name) for kind, name in CLAIMS):
        time.sleep(0.05)


def test_what_got_no_answer_passes_and_claims_again() -> None:
    with tracked() as made:
        made.tunnel(BOB, 1)
        assert made.passes(ALICE, 0xA1)
        made.end_claims()
        assert made.passes(BOB, 0xA2)
        assert made.passes(ALICE, 0xA1, sequence=LOOKED_AT)
        made.end_claims()
        assert made.passes(ALICE, 0xA1, sequence=LOOKED_AT)
        assert made.elements("map", "claims") == []
        made.nft("flush set inet tunnelgate-zones claimed")
        assert made.passes(ALICE, 0xA1)
        assert made.elements("map", "claims") == []
        assert made.passes(ALICE, 0xA1, sequence=LOOKED_AT)
        assert made.gets(0xB9) == ALICE


def test_some_packets_keep_alive_what_is_known() -> None:
    with tracked() as made:
        made.tunnel(ALICE, 1)
        for sequence, is_kept in ((PASSED_BY, False), (LOOKED_AT, True)):
            before = made.seconds_left("known")
            time.sleep(1.1)
            assert made.passes(ALICE, 0xA001, sequence=sequence)
            assert made.gets(0xB001, sequence=sequence) == ALICE
            after = made.seconds_left("known")
            assert [after[key] > before[key] - 1 for key in before] == [is_kept] * 2
