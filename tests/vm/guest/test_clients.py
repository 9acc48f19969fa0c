"""policies/clients.tg: bare ESP of many clients behind one address, told apart by what is learned.

The clients and their peers have the IPsec of the kernel, and so has the gateway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from lab import Probe
from machines import Machine, Network, Session
from test_site_to_site import FILESERVER, GATEWAY, HQ, HQ_NET, LAN, ends
from tunnels import Tunnel

from conftest import Opened

ROUTER, PC = "198.51.100.1", "192.168.1.99"


@pytest.fixture
def loader() -> str:
    """Who alone can load it."""
    return "nftables"


@pytest.fixture(scope="module")
def clients() -> Iterator[list[Machine]]:
    made = [Machine(f"192.168.1.{number}", f"10.1.0.{number}") for number in (20, 30, 40)]
    yield made
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def peers() -> Iterator[list[Machine]]:
    made = [Machine(HQ, "10.30.0.10"), Machine("192.0.2.20", "10.30.0.20")]
    yield made
    for one in made:
        one.close()


@pytest.fixture
def network(opened: Opened, clients: list[Machine], peers: list[Machine]) -> Iterator[Network]:
    gateway = opened("clients", Tunnel("own", HQ, LAN, HQ_NET))
    yield Network(gateway, {"eth1": clients, "eth0": peers})
    for one in (*clients, *peers):
        one.down()


@pytest.fixture
def begin(network: Network) -> Callable[[Machine, Machine], Session]:
    """Makes a tunnel that a client has begun, when nothing that others began is unanswered."""

    def made(client: Machine, peer: Machine) -> Session:
        session = Session(client, peer, GATEWAY)
        assert any(network.reaches(client, peer) for _ in range(2))  # one may draw a taken zone
        assert network.reaches(peer, client)
        wait_for_no_claims(network)
        return session

    return made


def wait_for_no_claims(network: Network) -> None:
    """Until the kernel says that their time is over."""
    listed = ["nft", "list", "map", "inet", "tunnelgate-zones", "claims"]
    while "elements" in network.gateway.run(listed).stdout:
        time.sleep(0.1)


Begin = Callable[[Machine, Machine], Session]


def test_three_talk_to_one_peer_and_two_to_another(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    hq, partner = peers
    pairs = [*((one, hq) for one in clients), *((one, partner) for one in clients[:2])]
    for client, peer in pairs:
        begin(client, peer)
    for client, peer in pairs:
        assert network.talk(client, peer)
    for client, peer in reversed(pairs):
        assert network.talk(peer, client)
    assert {seen.source for seen in network.outside} == {GATEWAY}


def test_new_keys_that_the_client_uses_first(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    alice, bob, _ = clients
    hq, _ = peers
    session, _ = begin(alice, hq), begin(bob, hq)
    for _ in range(2):
        session.draw()
        session.switch(alice)
        assert network.reaches(alice, hq)
        session.switch(hq)
        assert network.reaches(hq, alice)
        wait_for_no_claims(network)
        assert network.talk(hq, alice)
        assert network.talk(hq, bob)


def test_new_keys_that_the_peer_of_one_client_uses_first(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    alice, bob, _ = clients
    hq, partner = peers
    session, _ = begin(alice, partner), begin(bob, hq)
    session.draw()
    session.switch(partner)
    assert network.reaches(partner, alice)
    session.switch(alice)
    assert network.talk(alice, partner)


def test_those_of_several_wait_for_the_client(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    alice, bob, _ = clients
    hq, _ = peers
    session, _ = begin(alice, hq), begin(bob, hq)
    session.draw()
    session.switch(hq)
    assert not network.reaches(hq, alice)
    session.switch(alice)
    assert network.talk(alice, hq)
    assert network.talk(hq, bob)


def test_who_begins_while_another_does_gets_in_a_little_later(
    network: Network, clients: list[Machine], peers: list[Machine]
) -> None:
    alice, bob, _ = clients
    hq, partner = peers
    for client in (alice, bob):
        for peer in (hq, partner):
            Session(client, peer, GATEWAY)
    assert any(network.reaches(alice, hq) for _ in range(2))
    assert not network.reaches(bob, hq)
    assert any(network.reaches(bob, partner) for _ in range(2))
    assert network.reaches(hq, alice)
    wait_for_no_claims(network)
    assert network.talk(bob, hq)
    assert network.talk(hq, alice)


def test_a_client_that_has_restarted(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    alice, bob, _ = clients
    hq, _ = peers
    session, _ = begin(alice, hq), begin(bob, hq)
    session.restart(alice)
    assert network.talk(alice, hq)
    wait_for_no_claims(network)
    assert network.talk(hq, alice)
    assert network.talk(hq, bob)


def test_the_gateways_own_tunnel_with_the_same_peer(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    def own() -> bool:
        asked = network.gateway.send(Probe("eth1", PC, FILESERVER, "tcp", dport=445))
        answer = network.gateway.reply(asked)
        return (ends(asked), ends(answer)) == (
            [("own", PC, FILESERVER)],
            [("eth1", FILESERVER, PC)],
        )

    network.gateway.up()
    assert own()
    wait_for_no_claims(network)
    for client in clients[:2]:
        session = begin(client, peers[0])
        assert own()
        session.draw()
        session.switch(client)
        assert network.reaches(client, peers[0])
        assert own(), "while a client claims what the peer sends"
        session.switch(peers[0])
        assert network.reaches(peers[0], client)
        wait_for_no_claims(network)
    for client in clients[:2]:
        assert network.talk(peers[0], client)


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["connections kept", "and gone"])
def test_a_load_in_mid_traffic(
    network: Network,
    clients: list[Machine],
    peers: list[Machine],
    begin: Begin,
    is_forgotten: bool,
) -> None:
    alice, bob, _ = clients
    hq, _ = peers
    for client in (alice, bob):
        begin(client, hq)
    for client in (alice, bob):
        network.gateway.reload("clients", "nftables")
        if is_forgotten:
            network.gateway.flush_conntrack()
            assert network.reaches(client, hq), "who sends first has the connection again"
        assert network.talk(hq, client)
    assert network.talk(alice, hq)


def test_path_mtu_reaches_the_client(
    network: Network, clients: list[Machine], peers: list[Machine], begin: Begin
) -> None:
    """A router between the gateway and a peer, whose error quotes ESP of the gateway's address."""
    alice, bob, _ = clients
    hq, _ = peers
    for client in (alice, bob):
        begin(client, hq)
    for client in (alice, bob):
        assert network.reaches(client, hq, size=1300)
        error = Probe("eth0", ROUTER, GATEWAY, "icmp", icmp_type=3, icmp_code=4, mtu=1300)
        quote = network.outside[-1].packet
        told = network.gateway.send(replace(error, quote=quote)).arrival
        assert told.destination == client.address
        client.transmit([("eth0", told.packet)])
        large = Probe("eth1", client.inner, hq.inner, size=1300)
        (refusal,) = client.send(large).icmp
        assert (refusal.icmp_type, refusal.icmp_code) == (3, 4)
        assert 1200 < (refusal.mtu or 0) < 1300
