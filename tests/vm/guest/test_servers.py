"""examples/servers-by-spi: IPsec servers behind one address, each with a range of SPIs of its own.

The servers and their peers have the IPsec of the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, product

import pytest
from lab import Wire
from machines import Machine, Network, Session
from test_site_to_site import GATEWAY

from conftest import Opened

WIRES = (Wire("eth0", (f"{GATEWAY}/32",), ("0.0.0.0/0",)), Wire("eth1", ("10.0.5.1/24",)))
#: Of each server the last octets, and from where on it draws SPIs.
SERVERS = {10: 0xC1000000, 20: 0xC2000000, 30: 0xC3000000}


@pytest.fixture
def loader() -> str:
    """Who alone can load it."""
    return "nftables"


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Machine]]:
    made = [
        Machine(f"10.0.5.{number}", f"10.1.0.{number}", count(spi))
        for number, spi in SERVERS.items()
    ]
    yield made
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def branches() -> Iterator[list[Machine]]:
    made = [Machine(f"198.51.100.{number}", f"10.30.0.{number}") for number in (7, 8)]
    yield made
    for one in made:
        one.close()


@pytest.fixture
def network(opened: Opened, servers: list[Machine], branches: list[Machine]) -> Iterator[Network]:
    yield Network(opened("spi-hub", wires=WIRES), {"eth1": servers, "eth0": branches})
    for one in (*servers, *branches):
        one.down()


def test_peers_begin_with_each_and_each_answers(
    network: Network, servers: list[Machine], branches: list[Machine]
) -> None:
    pairs = list(product(servers, branches))
    for server, branch in pairs:
        Session(server, branch, GATEWAY)
    for server, branch in pairs:
        assert network.talk(branch, server)
    for server, branch in reversed(pairs):
        assert network.talk(server, branch)
    assert {seen.source for seen in network.outside} == {GATEWAY}


def test_servers_begin_and_each_is_answered(
    network: Network, servers: list[Machine], branches: list[Machine]
) -> None:
    pairs = list(product(servers, branches))
    for server, branch in pairs:
        Session(server, branch, GATEWAY)
        assert network.reaches(server, branch)
    for server, branch in pairs:
        assert network.talk(branch, server)


@pytest.mark.parametrize("first", ["server", "branch"])
def test_new_keys_whoever_uses_them_first(
    network: Network, servers: list[Machine], branches: list[Machine], first: str
) -> None:
    branch = branches[0]
    sessions = [Session(server, branch, GATEWAY) for server in servers]
    for session in sessions:
        assert network.talk(branch, session.host)
    for _ in range(2):
        for session in sessions:
            server = session.host
            one, other = (server, branch) if first == "server" else (branch, server)
            session.draw()
            session.switch(one)
            assert network.talk(one, other)
            session.switch(other)
            assert network.talk(other, one)
    for session in sessions:
        assert network.talk(branch, session.host)


def test_a_server_that_has_restarted(
    network: Network, servers: list[Machine], branches: list[Machine]
) -> None:
    first, second, _ = servers
    sessions = [Session(server, branches[0], GATEWAY) for server in (first, second)]
    for session in sessions:
        assert network.talk(branches[0], session.host)
    sessions[0].restart(first)
    for session in sessions:
        assert network.talk(branches[0], session.host)


def test_a_load_in_mid_traffic(
    network: Network, servers: list[Machine], branches: list[Machine]
) -> None:
    branch = branches[0]
    for server in servers:
        Session(server, branch, GATEWAY)
        assert network.talk(branch, server)
    network.gateway.reload("spi-hub", "nftables")
    for server in servers:
        assert network.talk(server, branch)
    network.gateway.flush_conntrack()
    for server in servers:
        assert network.talk(branch, server)
