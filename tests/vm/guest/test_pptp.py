"""examples/l2tp-and-pptp: the helper, and the module that its modules.conf asks for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lab import Endpoint, PptpSession
from tunnels import POLICIES, TunnelLab

from conftest import Opened

ALICE, BOB, MINISTRY = "192.168.1.20", "192.168.1.21", "192.0.2.10"
SERVER = Endpoint("eth0", MINISTRY, 1723)


@pytest.fixture
def hall(opened: Opened) -> TunnelLab:
    return opened("town-hall")


def modprobe(*arguments: str) -> None:
    subprocess.run(["modprobe", *arguments], check=True)


def asked_for(target: str) -> list[str]:
    lines = (POLICIES / "town-hall/whole" / target / "modules.conf").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def clerks(lab: TunnelLab) -> tuple[PptpSession, PptpSession]:
    """Two clients whose calls have the same number, at one server."""
    first = lab.pptp(Endpoint("eth1", ALICE, 40001), SERVER, client_call_id=7, server_call_id=100)
    second = lab.pptp(Endpoint("eth1", BOB, 40002), SERVER, client_call_id=7, server_call_id=200)
    assert first.connect() and second.connect()
    return first, second


def test_with_its_module_two_clients_talk_to_one_server(hall: TunnelLab, loader: str) -> None:
    for name in asked_for(loader.partition("-")[0]):
        modprobe(name)
    first, second = clerks(hall)
    assert first.server_saw_call_id != second.server_saw_call_id
    assert first.carries_data() and second.carries_data()


def test_without_it_one_gets_what_is_for_the_other(hall: TunnelLab, loader: str) -> None:
    """The ruleset loads and loads no module: why modules.conf is there."""
    for name in asked_for(loader.partition("-")[0]):
        modprobe("-r", name)
        assert not Path("/sys/module", name).exists()
    first, second = clerks(hall)
    assert first.server_saw_call_id == second.server_saw_call_id == 7
    for one in (first, second):
        assert one.data_up().arrivals
    assert [one.data_down().arrival.destination for one in (first, second)] == [ALICE, ALICE]
