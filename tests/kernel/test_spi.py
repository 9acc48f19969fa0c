"""ESP that is told apart by SPI: real packets of servers behind one address, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from gateway import Gateway, loaded, read
from lab import Arrival, Lab, Observation, Probe

from tunnelgate.target import Layout

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 203.0.113.2
  host hq     = 192.0.2.10
  host branch = 192.0.2.20
  host depot  = 192.0.2.30
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  address   192.168.1.1
  host a = 192.168.1.10
  host b = 192.168.1.20
  host c = 192.168.1.30
  host d = 192.168.1.40
}
"""
POLICY = (
    ZONES
    + """nat from lan to wan
forward esp from hq, branch   to a with spi 0x1000-0x1fff
forward esp from wan except depot to b with spi 0x2000-0x2fff
forward esp from wan except depot to b with spi 0x9000-0x9fff
forward esp from hq at 203.0.113.1 to c with spi 0x3000-0x3fff
forward esp from hq at 203.0.113.2 to d with spi 0x3000-0x3fff
forward ike from hq           to a
allow   esp from a            to hq, branch
allow   esp from b            to wan except depot
allow   esp from d            to branch, depot
allow   esp from hq           to gateway
"""
)
HQ, BRANCH, DEPOT, ROUTER = "192.0.2.10", "192.0.2.20", "192.0.2.30", "192.0.2.1"
A, B, C, D = "192.168.1.10", "192.168.1.20", "192.168.1.30", "192.168.1.40"
PUBLIC, SECOND = "203.0.113.1", "203.0.113.2"
#: SPIs that the servers draw from their ranges.
OF_A, OF_B, OF_C = 0x1234, 0x2345, 0x3456
#: What the peers draw for each of them.
FOR = {A: 0xC0000001, B: 0xC0000002, C: 0xC0000003, D: 0xC0000004}


@pytest.fixture(scope="module", params=["whole", "shared"])
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    made = Gateway(read(POLICY))
    layout: Layout = request.param
    made.load("nftables", layout)
    yield made
    made.close()


@pytest.fixture
def lab(gateway: Gateway) -> Lab:
    gateway.lab.flush_conntrack()
    return gateway.lab


def received(lab: Lab, spi: int, peer: str = HQ, to: str = PUBLIC, **rest: object) -> Observation:
    """ESP of a peer for an address of the gateway."""
    return lab.send(Probe("eth0", peer, to, "esp", spi=spi, **rest))  # type: ignore[arg-type]


def sent(lab: Lab, host: str, peer: str = HQ, more: int = 0) -> Observation:
    """ESP of a host for a peer, with an SPI that the peer has drawn, or one more than that."""
    return lab.send(Probe("eth1", host, peer, "esp", spi=FOR[host] + (more << 8)))


def reaches(seen: Observation, host: str) -> bool:
    return [(one.wire, one.destination) for one in seen.arrivals] == [("eth1", host)]


def leaves(seen: Observation, public: str = PUBLIC) -> bool:
    return [(one.wire, one.source) for one in seen.arrivals] == [("eth0", public)]


def error(about: Arrival, **rest: object) -> dict[str, object]:
    """The fields of the error that a packet is too big, to whoever sent it."""
    fields = {"icmp_type": 3, "icmp_code": 4, "mtu": 1400, "quote": about.packet}
    return {"destination": about.source, "protocol": "icmp", **fields, **rest}


def test_each_range_has_its_server_and_answers_leave_as_one_address(lab: Lab) -> None:
    for _ in range(2):
        for spi, host in ((OF_A, A), (OF_B, B), (OF_C, C), (0x9ABC, B)):
            seen = received(lab, spi)
            assert reaches(seen, host)
            assert leaves(lab.reply(seen, spi=FOR[host]))


@pytest.mark.parametrize(
    ("spi", "host"),
    [(0x1000, A), (0x1FFF, A), (0x2000, B), (0x2FFF, B), (0x9000, B), (0x9FFF, B), (0x3000, C)],
)
def test_a_range_has_both_its_ends(lab: Lab, spi: int, host: str) -> None:
    assert reaches(received(lab, spi), host)


@pytest.mark.parametrize("spi", [0x100, 0xFFF, 0x4000, 0x8FFF, 0xA000, 0xFFFFFFFF])
def test_an_spi_of_no_range_reaches_no_server_whatever_is_known(lab: Lab, spi: int) -> None:
    for known in (OF_A, OF_B, OF_C):
        assert received(lab, known, BRANCH).arrivals or known == OF_C
        assert received(lab, known).arrivals
    assert received(lab, spi, BRANCH).dropped
    assert not received(lab, spi).arrivals  # of hq it is the gateway's own


def test_rekeying_goes_on_with_other_spis_of_the_range(lab: Lab) -> None:
    for number in range(3):
        for spi, host in ((0x1000 + number, A), (0x2000 + number, B)):
            assert reaches(received(lab, spi), host)
            assert leaves(sent(lab, host, more=number))
    assert len([line for line in lab.conntrack() if " 50 " in line or "esp" in line]) == 2


def test_servers_begin_themselves_and_each_gets_its_answer(lab: Lab) -> None:
    for host in (A, B):
        assert leaves(sent(lab, host))
    assert reaches(received(lab, OF_A), A)
    assert reaches(received(lab, OF_B), B)
    assert sent(lab, C).dropped  # nothing allows it


def test_two_peers_of_one_server(lab: Lab) -> None:
    for peer in (HQ, BRANCH):
        for spi, host in ((OF_A, A), (OF_B, B)):
            assert reaches(received(lab, spi, peer), host)
            assert leaves(sent(lab, host, peer))


def test_an_excepted_peer_and_one_that_no_forward_has(lab: Lab) -> None:
    assert received(lab, OF_B, DEPOT).dropped
    assert received(lab, OF_A, "8.8.8.8").dropped
    assert reaches(received(lab, OF_B, "8.8.8.8"), B)


def test_one_range_at_two_addresses(lab: Lab) -> None:
    first, second = received(lab, OF_C), received(lab, OF_C, to=SECOND)
    assert reaches(first, C) and reaches(second, D)
    assert leaves(lab.reply(first)) and leaves(lab.reply(second), SECOND)
    assert received(lab, OF_A, to="203.0.113.3").dropped


def test_the_gateways_own_esp_with_the_same_peer(lab: Lab) -> None:
    assert leaves(lab.send(Probe(None, PUBLIC, HQ, "esp", spi=0xC0000009)))
    for spi, host in ((OF_A, A), (OF_B, B)):
        assert reaches(received(lab, spi), host)
    assert received(lab, 0xC1234567).local
    assert leaves(sent(lab, A))
    assert leaves(lab.send(Probe(None, PUBLIC, HQ, "esp", spi=0xC0000009)))


def test_a_client_without_a_range_beside_it(lab: Lab) -> None:
    """What other hosts begin shares the connections of everybody, as ever."""
    assert leaves(sent(lab, D, BRANCH))
    for spi, host in ((OF_A, A), (0xC7654321, D), (OF_B, B), (0xC7654321, D)):
        assert reaches(received(lab, spi, BRANCH), host)


def test_ike_goes_to_one_server_beside_them(lab: Lab) -> None:
    seen = lab.send(Probe("eth0", HQ, PUBLIC, "udp", sport=500, dport=500))
    assert reaches(seen, A)
    assert leaves(lab.reply(seen))


def test_errors_about_what_a_server_sends_reach_it(lab: Lab) -> None:
    for spi, host in ((OF_A, A), (OF_B, B)):
        assert reaches(received(lab, spi), host)
    for host, packet in [(host, sent(lab, host).arrival) for host in (A, B)]:
        told = lab.send(Probe("eth0", ROUTER, **error(packet)))  # type: ignore[arg-type]
        assert reaches(told, host)
        assert told.arrival.quoted is not None
        assert told.arrival.quoted.source == host


def test_errors_about_what_a_server_gets_reach_the_peer(lab: Lab) -> None:
    for spi, host in ((OF_A, A), (OF_B, B)):
        packet = received(lab, spi).arrival
        for source in (host, "192.168.1.99"):
            told = lab.send(Probe("eth1", source, **error(packet)))  # type: ignore[arg-type]
            assert leaves(told)
            assert told.arrival.quoted is not None
            assert (told.arrival.quoted.destination, told.arrival.quoted.spi) == (PUBLIC, spi)


def test_errors_of_the_gateway_itself_are_about_the_public_address(lab: Lab) -> None:
    for spi in (OF_A, OF_B):
        (told,) = received(lab, spi, ttl=1).icmp
        assert told.quoted is not None
        assert (told.destination, told.quoted.destination, told.quoted.spi) == (HQ, PUBLIC, spi)


def test_errors_about_no_packet_of_theirs_reach_nobody(lab: Lab) -> None:
    packet = sent(lab, A).arrival
    lab.flush_conntrack()
    assert not lab.send(Probe("eth0", ROUTER, **error(packet))).arrivals  # type: ignore[arg-type]


def test_a_reload_keeps_what_each_server_has(gateway: Gateway, lab: Lab) -> None:
    for spi, host in ((OF_A, A), (OF_B, B)):
        assert reaches(received(lab, spi), host)
    known = lab.conntrack()
    output = lab.run(["nft", "list", "table", "inet", "tunnelgate"]).stdout
    lab.load_nft("delete table inet tunnelgate\n" + output)
    for spi, host in ((OF_B, B), (OF_A, A)):
        assert reaches(received(lab, spi), host)
        assert leaves(sent(lab, host))
    assert len(lab.conntrack()) == len(known)


def test_fragments_are_told_apart_whole(lab: Lab) -> None:
    for spi, host in ((OF_A, A), (OF_B, B)):
        seen = received(lab, spi, size=2800, fragment=1000, df=False)
        assert reaches(seen, host)
        assert seen.arrival.complete


def test_clients_that_are_tracked_beside_them() -> None:
    """The SPIs of clients are learned, those of servers are known: neither has the other's."""
    text = """nat from lan to wan
allow esp from lan to wan with tracking
forward esp from hq to a with spi 0x1000-0x1fff
forward esp from hq to b with spi 0x2000-0x2fff
"""
    with loaded(ZONES + text, "nftables") as made:
        lab = made.lab
        for host, spi in ((C, 0xA0000001), (D, 0xA0000002)):
            assert leaves(sent(lab, A))
            assert leaves(sent(lab, host))
            assert leaves(sent(lab, B))
            for known, server in ((OF_A, A), (OF_B, B)):
                assert reaches(received(lab, known), server)
            assert reaches(received(lab, spi), host)
            for name in ("map claims", "set claimed-peers", "set claimants"):
                lab.run(["nft", "flush", *name.split()[:1], "inet", "tunnelgate-zones", name[4:]])
        for spi, host in ((OF_A, A), (0xA0000001, C), (OF_B, B), (0xA0000002, D)):
            assert reaches(received(lab, spi), host)
            assert leaves(sent(lab, host))
        zones = [int(one) for one in re.findall(r"zone=(\d+)", "\n".join(lab.conntrack()))]
        assert sum(zone < 4096 for zone in zones) == 2


def test_an_address_that_nobody_knows() -> None:
    text = """zone dsl {
  interface ppp0
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host a = 192.168.1.10
  host b = 192.168.1.20
}
nat from lan to dsl
forward esp from dsl to a with spi 0x1000-0x1fff
forward esp from hq  to b with spi 0x2000-0x2fff
allow esp from a, b to dsl
"""
    with loaded(text, "nftables") as made:
        (own,) = (wire.addresses[0] for wire in made.wires if wire.interface == "ppp0")
        public = own.partition("/")[0]
        for spi, host in ((OF_A, A), (OF_B, B)):
            seen = made.lab.send(Probe("ppp0", HQ, public, "esp", spi=spi))
            assert reaches(seen, host)
            assert made.lab.reply(seen, spi=FOR[host]).arrival.source == public
        assert made.lab.send(Probe("ppp0", HQ, public, "esp", spi=0x3000)).dropped
        made.lab.flush_conntrack()
        for host in (A, B):
            assert sent(made.lab, host).arrival.source == public
        for spi, host in ((OF_A, A), (OF_B, B)):
            assert reaches(made.lab.send(Probe("ppp0", HQ, public, "esp", spi=spi)), host)


def test_what_diff_says_ends_connections_in_zones_too(lab: Lab) -> None:
    assert received(lab, OF_A).arrivals
    assert "zone=" in "".join(lab.conntrack())
    lab.run(["conntrack", "-D", "-p", "50", "-d", PUBLIC])
    assert not [one for one in lab.conntrack() if "zone=" in one]


def test_servers_are_no_second_claimants_of_each_other() -> None:
    """Where `any` lets ESP through, one claimant a peer is counted: but not of those."""
    text = """nat from lan to wan
allow any from lan to hq
forward esp from hq to a with spi 0x1000-0x1fff
forward esp from hq to b with spi 0x2000-0x2fff
"""
    with loaded(ZONES + text, "nftables") as made:
        assert all(leaves(sent(made.lab, host)) for host in (A, B, C))
        assert sent(made.lab, D).dropped
        for spi, host in ((OF_A, A), (OF_B, B), (0xC7654321, C)):
            assert reaches(received(made.lab, spi), host)
