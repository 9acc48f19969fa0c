"""policies/head.tg: road warriors of a pool, each with a tunnel of his own."""

from __future__ import annotations

import pytest
from lab import Probe
from test_site_to_site import GATEWAY, WEBSITE, ends
from tunnels import ANY, Tunnel, TunnelLab

from conftest import Opened

WEB, LAPTOP = "192.168.1.80", "192.168.1.20"
BOSS, CLERK, NOBODY = "10.99.0.7", "10.99.0.8", "10.99.0.9"


@pytest.fixture
def head(opened: Opened) -> TunnelLab:
    return opened(
        "head",
        Tunnel("boss", "198.51.100.7", ANY, f"{BOSS}/32"),
        Tunnel("clerk", "198.51.100.8", ANY, f"{CLERK}/32"),
    )


def test_each_gets_in_and_is_answered_by_his_own_tunnel(head: TunnelLab) -> None:
    head.up()
    for wire, source in (("boss", BOSS), ("clerk", CLERK)):
        asked = head.send(Probe(wire, source, WEB, "tcp", dport=443))
        assert ends(asked) == [("eth1", source, WEB)]
        assert ends(head.reply(asked)) == [(wire, WEB, source)]
        assert head.send(Probe(wire, source, WEB, "tcp", dport=80)).dropped
        assert head.send(Probe(wire, source, LAPTOP, "tcp", dport=443)).dropped


def test_behind_nat_esp_is_in_udp_and_judged_the_same(opened: Opened) -> None:
    lab = opened("head", Tunnel("boss", "198.51.100.7", ANY, f"{BOSS}/32", is_in_udp=True))
    lab.up()
    asked = lab.send(Probe("boss", BOSS, WEB, "tcp", dport=443))
    assert ends(asked) == [("eth1", BOSS, WEB)]
    assert ends(lab.reply(asked)) == [("boss", WEB, BOSS)]
    assert ends(lab.send(Probe("boss", BOSS, GATEWAY, "tcp", dport=22))) == [(None, BOSS, GATEWAY)]
    assert lab.send(Probe("boss", BOSS, LAPTOP, "tcp", dport=443)).dropped
    lab.down()
    assert lab.reply(asked).dropped


def test_one_of_the_pool_may_what_others_may_not(head: TunnelLab) -> None:
    head.up()
    assert ends(head.send(Probe("boss", BOSS, GATEWAY, "tcp", dport=22))) == [(None, BOSS, GATEWAY)]
    assert head.send(Probe("clerk", CLERK, GATEWAY, "tcp", dport=22)).dropped
    vnc = Probe("eth1", LAPTOP, BOSS, "tcp", dport=5900)
    assert ends(head.send(vnc)) == [("boss", LAPTOP, BOSS)]
    assert head.send(Probe("eth1", LAPTOP, CLERK, "tcp", dport=5900)).dropped


def test_one_tunnel_that_is_down_is_nobody_elses_matter(head: TunnelLab) -> None:
    head.up("clerk")
    vnc = Probe("eth1", LAPTOP, BOSS, "tcp", dport=5900)
    assert head.send(vnc).dropped
    asked = head.send(Probe("clerk", CLERK, WEB, "tcp", dport=443))
    assert ends(head.reply(asked)) == [("clerk", WEB, CLERK)]
    head.up("boss")
    assert ends(head.send(vnc)) == [("boss", LAPTOP, BOSS)]


def test_the_internet_of_a_roamer_is_behind_the_gateway(head: TunnelLab) -> None:
    head.up()
    asked = head.send(Probe("clerk", CLERK, WEBSITE, "tcp", dport=443))
    assert ends(asked) == [("eth0", GATEWAY, WEBSITE)]
    assert ends(head.reply(asked)) == [("clerk", WEBSITE, CLERK)]
    head.down()
    assert head.reply(asked).dropped, "its answer would be in clear"


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_nobody_of_the_pool_speaks_in_clear(head: TunnelLab, is_up: bool) -> None:
    if is_up:
        head.up()
    for source in (BOSS, CLERK, NOBODY):
        for destination in (WEB, GATEWAY, WEBSITE):
            for port in (22, 443):
                probe = Probe("eth0", source, destination, "tcp", dport=port)
                assert head.send(probe).dropped, probe
