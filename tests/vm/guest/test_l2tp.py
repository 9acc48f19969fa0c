"""examples/l2tp-and-pptp: L2TP in IPsec in transport mode (RFC 3193)."""

from __future__ import annotations

import pytest
from lab import Arrival, Probe
from test_site_to_site import GATEWAY, ends
from tunnels import Tunnel, TunnelLab

from conftest import Opened

CALLER, OTHER = "198.51.100.7", "198.51.100.8"
UPPER = "proto udp {} 1701"


@pytest.fixture
def hall(opened: Opened) -> TunnelLab:
    return opened("town-hall", Tunnel("dial", CALLER, f"{GATEWAY}/32", f"{CALLER}/32", upper=UPPER))


def answer(lab: TunnelLab) -> list[Arrival]:
    """What an L2TP server here sends to its caller, wherever it leaves."""
    return lab.own(GATEWAY, CALLER, 1701, sport=1701)


def test_protected_it_is_let_in_and_answered(hall: TunnelLab) -> None:
    hall.up()
    asked = hall.send(Probe("dial", CALLER, GATEWAY, "udp", sport=1701, dport=1701))
    assert ends(asked) == [(None, CALLER, GATEWAY)]
    assert [one.wire for one in answer(hall)] == ["dial"]


def test_down_neither_goes_on_in_clear(hall: TunnelLab) -> None:
    hall.up()
    hall.send(Probe("dial", CALLER, GATEWAY, "udp", sport=1701, dport=1701))
    hall.down()
    assert answer(hall) == []
    assert hall.send(Probe("eth0", CALLER, GATEWAY, "udp", sport=1701, dport=1701)).dropped


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_in_clear_nobody_gets_in(hall: TunnelLab, is_up: bool) -> None:
    if is_up:
        hall.up()
    for caller in (CALLER, OTHER):
        seen = hall.send(Probe("eth0", caller, GATEWAY, "udp", sport=1701, dport=1701))
        assert seen.dropped and not seen.answers
