"""VPN packets through a compiled policy, on each loader: where each arrives, and as what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gateway import LOADERS, Gateway, read
from lab import Endpoint, Lab, Probe

POLICY = """gateway branch
zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host  hq       = 192.0.2.10, 2001:db8:51::10
  host  other    = 192.0.2.20
  group partners = 198.51.100.0/24
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host concentrator = 192.168.1.10
  host alice        = 192.168.1.20, fd00:1::20
  host bob          = 192.168.1.30, fd00:1::30
  host web          = 192.168.1.40
}
zone hq-net {
  ipsec over wan
  network 10.20.0.0/16
}
nat from lan to wan

allow   ike, nat-t from lan to wan
allow   esp, gre   from lan to hq with single
allow   esp        from alice to other
allow   pptp       from lan to 192.0.2.0/24 with helper
allow   ping, ssh  from lan to wan
allow   dns        from lan to gateway
allow   any        from hq-net to lan
allow   any        from lan to hq-net
allow   ah, ssh    from alice to hq
forward ipsec      from partners to concentrator
forward tcp/8443   from wan to web port 443 with hairpin
allow   ipsec      from hq to gateway
deny    tcp/22     from bob to wan with log
"""
#: The policy above asks for AH through NAT on purpose: what is dropped, and what of IPv6 is not.
ALICE, BOB, CONCENTRATOR, WEB = "192.168.1.20", "192.168.1.30", "192.168.1.10", "192.168.1.40"
HQ, OTHER, PARTNER, PUBLIC = "192.0.2.10", "192.0.2.20", "198.51.100.7", "203.0.113.1"
ALICE6, BOB6, HQ6 = "fd00:1::20", "fd00:1::30", "2001:db8:51::10"


@pytest.fixture(scope="module", params=LOADERS)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    made = Gateway(read(POLICY))
    made.load(request.param)
    yield made
    made.close()


@pytest.fixture
def lab(gateway: Gateway) -> Lab:
    gateway.lab.flush_conntrack()
    gateway.settle()
    return gateway.lab


def out(source: str, destination: str, protocol: str | int, **rest: object) -> Probe:
    return Probe("eth1", source, destination, protocol, **rest)  # type: ignore[arg-type]


def inbound(source: str, destination: str, protocol: str | int, **rest: object) -> Probe:
    return Probe("eth0", source, destination, protocol, **rest)  # type: ignore[arg-type]


# -- ESP and GRE


@pytest.mark.parametrize("protocol", ["esp", "gre"])
def test_the_first_claimant_holds_the_peer_and_the_second_is_dropped(
    lab: Lab, protocol: str
) -> None:
    seen = lab.send(out(ALICE, HQ, protocol))
    assert (seen.arrival.wire, seen.arrival.source) == ("eth0", PUBLIC)
    assert lab.reply(seen).arrival.destination == ALICE
    assert lab.send(out(BOB, HQ, protocol)).dropped
    assert lab.send(out(ALICE, HQ, protocol)).arrival.source == PUBLIC
    assert lab.reply(seen).arrival.destination == ALICE


def test_two_peers_two_claims(lab: Lab) -> None:
    assert lab.send(out(ALICE, OTHER, "esp")).arrival.source == PUBLIC
    assert lab.send(out(BOB, HQ, "esp")).arrival.source == PUBLIC
    assert lab.send(out(BOB, OTHER, "esp")).dropped  # nothing allows it


def test_esp_of_partners_reaches_the_concentrator_and_its_answer_them(lab: Lab) -> None:
    seen = lab.send(inbound(PARTNER, PUBLIC, "esp"))
    assert (seen.arrival.wire, seen.arrival.destination) == ("eth1", CONCENTRATOR)
    answer = lab.reply(seen)
    assert (answer.arrival.source, answer.arrival.destination) == (PUBLIC, PARTNER)


@pytest.mark.parametrize("source", ["198.51.101.7", HQ, "8.8.8.8"])
def test_unsolicited_esp_reaches_nobody_inside(lab: Lab, source: str) -> None:
    seen = lab.send(inbound(source, PUBLIC, "esp"))
    assert not seen.arrivals
    assert bool(seen.local) == (source == HQ)
    assert lab.send(inbound(source, CONCENTRATOR, "esp")).dropped


def test_a_partner_who_addresses_the_inside_is_not_forwarded(lab: Lab) -> None:
    assert lab.send(inbound(PARTNER, CONCENTRATOR, "esp")).dropped
    assert lab.send(inbound(PARTNER, CONCENTRATOR, "udp", dport=500)).dropped


def test_esp_over_ipv6_is_no_business_of_nat(lab: Lab) -> None:
    for source in (ALICE6, BOB6):
        seen = lab.send(out(source, HQ6, "esp"))
        assert (seen.arrival.source, seen.arrival.destination) == (source, HQ6)
        assert lab.reply(seen).arrival.destination == source
    for extensions in (("dstopts",), ("hopopts", "dstopts")):
        assert lab.send(out(ALICE6, HQ6, "esp", extensions=extensions)).arrival.source == ALICE6


# -- AH


@pytest.mark.parametrize("inner", ["tcp", "udp", "esp"])
def test_ah_never_meets_translation(lab: Lab, inner: str) -> None:
    for destination in (HQ, OTHER, PARTNER):
        assert lab.send(out(ALICE, destination, "ah", inner=inner, dport=22)).dropped
    assert lab.send(inbound(PARTNER, PUBLIC, "ah", inner=inner, dport=500)).dropped
    assert not [line for line in lab.conntrack() if " 51 " in line]


def test_ah_of_ipv6_passes_whole(lab: Lab) -> None:
    seen = lab.send(out(ALICE6, HQ6, "ah"))
    assert seen.arrival.source == ALICE6
    assert seen.arrival.icv_ok
    answer = lab.reply(seen)
    assert answer.arrival.destination == ALICE6
    assert answer.arrival.icv_ok


def test_ah_of_ipv6_is_not_what_it_carries(lab: Lab) -> None:
    """ip6tables-legacy matches the TCP inside AH: what bob may use in the clear is not AH."""
    for inner in ("tcp", "udp"):
        assert lab.send(out(BOB6, HQ6, "ah", inner=inner, dport=500)).dropped
        assert lab.send(out(BOB6, "2001:db8:99::1", "ah", inner=inner, dport=22)).dropped
    assert lab.send(out(BOB6, HQ6, "ah", inner="esp")).dropped


# -- IKE


def test_ike_of_two_hosts_to_one_peer(lab: Lab) -> None:
    for source in (ALICE, BOB):
        seen = lab.send(out(source, HQ, "udp", sport=500, dport=500))
        assert (seen.arrival.source, seen.arrival.dport) == (PUBLIC, 500)
        assert lab.reply(seen).arrival.destination == source


def test_the_first_keeps_port_500(lab: Lab) -> None:
    assert lab.send(out(ALICE, HQ, "udp", sport=500, dport=500)).arrival.sport == 500


@pytest.mark.parametrize("port", [500, 4500])
def test_a_host_does_not_capture_the_port_that_is_forwarded_from_a_peer(
    lab: Lab, port: int
) -> None:
    seen = lab.send(out(ALICE, PARTNER, "udp", sport=port, dport=port))
    assert (seen.arrival.sport or 0) > 4500
    assert (
        lab.send(inbound(PARTNER, PUBLIC, "udp", sport=port, dport=port)).arrival.destination
        == CONCENTRATOR
    )
    assert lab.reply(seen).arrival.destination == ALICE


def test_the_forwarded_host_keeps_its_port(lab: Lab) -> None:
    seen = lab.send(out(CONCENTRATOR, PARTNER, "udp", sport=500, dport=500))
    assert seen.arrival.sport == 500


# -- spoofed, fragmented, errors


@pytest.mark.parametrize(
    "probe",
    [
        inbound(ALICE, PUBLIC, "udp", dport=500),
        inbound(ALICE, CONCENTRATOR, "esp"),
        inbound("10.20.0.5", ALICE, "tcp", dport=22),
        inbound("10.20.0.5", PUBLIC, "tcp", dport=22),
        inbound(ALICE6, BOB6, "tcp", dport=22),
        out("8.8.8.8", HQ, "udp", dport=500),
        out("10.20.0.5", HQ, "udp", dport=500),
        out("192.168.2.9", HQ, "udp", dport=500),
        out(HQ6, HQ6, "esp"),
    ],
    ids=str,
)
def test_spoofed_sources_are_dropped(lab: Lab, probe: Probe) -> None:
    assert lab.send(probe).dropped


@pytest.mark.parametrize(("protocol", "port"), [("udp", 500), ("udp", 4500), ("esp", 0)])
def test_fragments_are_judged_whole(lab: Lab, protocol: str, port: int) -> None:
    seen = lab.send(
        out(ALICE, HQ, protocol, sport=500, dport=port, size=2800, fragment=1000, df=False)
    )
    assert seen.arrival.complete
    assert seen.arrival.source == PUBLIC
    assert lab.send(
        out(ALICE, "8.8.8.8", "udp", dport=53, size=2800, fragment=1000, df=False)
    ).dropped
    inside = lab.send(
        inbound(
            PARTNER, PUBLIC, protocol, sport=500, dport=port, size=2800, fragment=1000, df=False
        )
    )
    assert inside.arrival.complete
    assert inside.arrival.destination == CONCENTRATOR


def test_errors_about_a_connection_find_their_host(lab: Lab) -> None:
    seen = lab.send(out(ALICE, HQ, "esp"))
    error = lab.send(
        inbound(
            "192.0.2.1",
            PUBLIC,
            "icmp",
            icmp_type=3,
            icmp_code=4,
            mtu=1400,
            quote=seen.arrival.packet,
        )
    )
    assert error.arrival.destination == ALICE
    assert error.arrival.quoted is not None
    assert error.arrival.quoted.source == ALICE


def test_errors_about_nothing_are_dropped(lab: Lab) -> None:
    other = lab.send(out(ALICE, HQ, "udp", sport=4500, dport=4500)).arrival.packet
    lab.flush_conntrack()
    error = inbound("192.0.2.1", PUBLIC, "icmp", icmp_type=3, icmp_code=1, quote=other)
    assert not lab.send(error).arrivals


def test_a_denial_beats_the_allow(lab: Lab) -> None:
    assert lab.send(out(BOB, HQ, "tcp", dport=22)).dropped
    assert lab.send(out(ALICE, HQ, "tcp", dport=22)).arrival.source == PUBLIC


# -- tunnels of the gateway itself


def test_nothing_leaves_in_clear_for_a_protected_network(lab: Lab) -> None:
    for protocol in ("tcp", "esp", "icmp"):
        assert lab.send(out(ALICE, "10.20.0.5", protocol, dport=22)).dropped
        assert lab.send(Probe(None, PUBLIC, "10.20.0.5", protocol, dport=22)).dropped


def test_the_peers_ipsec_reaches_the_gateway(lab: Lab) -> None:
    for probe in (
        inbound(HQ, PUBLIC, "esp"),
        inbound(HQ, PUBLIC, "udp", sport=500, dport=500),
        inbound(HQ, PUBLIC, "udp", sport=4500, dport=4500),
        inbound(HQ6, "2001:db8::1", "esp"),
    ):
        assert lab.send(probe).local
        lab.flush_conntrack()
    assert lab.send(inbound(HQ, PUBLIC, "ah")).dropped


# -- forwards


def test_a_forward_with_a_port(lab: Lab) -> None:
    seen = lab.send(inbound("8.8.8.8", PUBLIC, "tcp", dport=8443))
    assert (seen.arrival.destination, seen.arrival.dport) == (WEB, 443)
    assert lab.reply(seen).arrival.source == PUBLIC
    assert lab.send(inbound("8.8.8.8", WEB, "tcp", dport=443)).dropped


def test_a_hairpin_comes_from_the_gateway(lab: Lab, gateway: Gateway) -> None:
    seen = lab.send(out(ALICE, PUBLIC, "tcp", dport=8443))
    assert (seen.arrival.wire, seen.arrival.destination, seen.arrival.dport) == ("eth1", WEB, 443)
    assert seen.arrival.source == "192.168.1.254"
    back = lab.reply(seen)
    assert (back.arrival.source, back.arrival.destination, back.arrival.sport) == (
        PUBLIC,
        ALICE,
        8443,
    )


# -- PPTP


def test_two_clients_with_equal_call_ids_speak_pptp_to_one_server(lab: Lab) -> None:
    sessions = [
        lab.pptp(Endpoint("eth1", source, 40000), Endpoint("eth0", HQ, 1723), client_call_id=7)
        for source in (ALICE, BOB)
    ]
    for session in sessions:
        assert session.connect()
    for session in sessions:
        assert session.carries_data()
    for session in sessions:
        session.conversation.close()


def test_gre_that_no_control_connection_announced_is_dropped(lab: Lab) -> None:
    assert lab.send(out(ALICE, OTHER, "gre", call_id=7)).dropped
    assert lab.send(inbound(OTHER, PUBLIC, "gre", call_id=7)).dropped
