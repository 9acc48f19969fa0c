"""examples/gateway-endpoint: a tunnel between two networks, and a LAN that is masqueraded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lab import Observation, Probe
from tunnels import Tunnel, TunnelLab

from conftest import Opened

ALICE, PRINTER, FILESERVER = "192.168.1.20", "192.168.1.60", "10.20.0.5"
WEBSITE, HQ, GATEWAY, INNER = "198.51.100.80", "192.0.2.10", "203.0.113.1", "192.168.1.1"
LAN, HQ_NET = "192.168.1.0/24", "10.20.0.0/16"


@pytest.fixture
def office(opened: Opened) -> TunnelLab:
    return opened("office", Tunnel("hq", HQ, LAN, HQ_NET))


def smb(lab: TunnelLab) -> Observation:
    return lab.send(Probe("eth1", ALICE, FILESERVER, "tcp", dport=445))


def ends(seen: Observation) -> list[tuple[str | None, str, str]]:
    """Where the packet came out: wire, source and destination of each copy."""
    return [(one.wire, one.source, one.destination) for one in (*seen.arrivals, *seen.local)]


def test_what_goes_there_is_encrypted_and_the_answer_comes_in(office: TunnelLab) -> None:
    office.up()
    asked = smb(office)
    assert ends(asked) == [("hq", ALICE, FILESERVER)]
    assert ends(office.reply(asked)) == [("eth1", FILESERVER, ALICE)]


def test_what_hq_begins_is_judged(office: TunnelLab) -> None:
    office.up()
    for destination, port, wire in (
        (ALICE, 22, "eth1"),
        (ALICE, 445, "nowhere"),
        (PRINTER, 9100, "eth1"),
        (ALICE, 9100, "nowhere"),
        (INNER, 22, None),
        (INNER, 80, "nowhere"),
        (WEBSITE, 443, "nowhere"),
    ):
        seen = office.send(Probe("hq", FILESERVER, destination, "tcp", dport=port))
        reached = [] if wire == "nowhere" else [(wire, FILESERVER, destination)]
        assert ends(seen) == reached, (destination, port)


def test_the_gateway_answers_through_the_tunnel(office: TunnelLab) -> None:
    office.up()
    asked = office.send(Probe("hq", FILESERVER, INNER, "tcp", dport=22))
    assert [(one.wire, one.destination) for one in asked.answers] == [("hq", FILESERVER)]


def test_the_lan_is_masqueraded_and_what_is_for_hq_is_not(office: TunnelLab) -> None:
    office.up()
    https = office.send(Probe("eth1", ALICE, WEBSITE, "tcp", dport=443))
    assert ends(https) == [("eth0", GATEWAY, WEBSITE)]
    assert ends(office.reply(https)) == [("eth1", WEBSITE, ALICE)]
    assert ends(smb(office)) == [("hq", ALICE, FILESERVER)]


def test_before_the_tunnel_is_up_nothing_leaves(office: TunnelLab) -> None:
    assert smb(office).dropped
    office.up()
    assert ends(smb(office)) == [("hq", ALICE, FILESERVER)]


@pytest.mark.parametrize("end", ["down", "expire"])
def test_a_tunnel_that_ends_in_mid_connection_uncovers_nothing(office: TunnelLab, end: str) -> None:
    office.up()
    asked = smb(office)
    answered = office.reply(asked)
    assert answered.arrivals
    getattr(office, end)()
    assert smb(office).dropped
    assert office.reply(answered).dropped  # the next segment of alice
    clear = office.reply(asked, wire="eth0")
    assert clear.dropped, "an answer from outside, in clear"
    if end == "expire":
        office.down()
    office.up()
    assert ends(office.reply(answered)) == [("hq", ALICE, FILESERVER)]
    assert ends(office.reply(asked)) == [("eth1", FILESERVER, ALICE)]


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("destination", [ALICE, PRINTER, INNER, GATEWAY])
def test_what_claims_to_be_of_hq_in_clear_is_dropped(
    office: TunnelLab, destination: str, is_up: bool
) -> None:
    if is_up:
        office.up()
    for protocol, port in (("tcp", 22), ("tcp", 9100), ("icmp", 0), ("udp", 500)):
        seen = office.send(Probe("eth0", FILESERVER, destination, protocol, dport=port))
        assert seen.dropped and not seen.answers, (protocol, port)


def test_what_the_gateway_asked_is_not_answered_in_clear(office: TunnelLab) -> None:
    answer = Probe("hq", FILESERVER, INNER, "udp", sport=53, dport=4000)
    office.up()
    assert [one.wire for one in office.own(INNER, FILESERVER, 53, sport=4000)] == ["hq"]
    assert ends(office.send(answer)) == [(None, FILESERVER, INNER)]
    office.down()
    assert office.send(replace(answer, wire="eth0")).dropped


def test_what_was_decrypted_and_is_not_of_hq_is_dropped(opened: Opened) -> None:
    """In clear the peer may speak IKE; out of a tunnel it is nobody's."""
    lab = opened("office", Tunnel("open", HQ, LAN, HQ_NET, is_open=True))
    lab.up()
    assert not lab.send(Probe("open", FILESERVER, INNER, "tcp", dport=22)).dropped
    ike = Probe("eth0", HQ, GATEWAY, "udp", sport=500, dport=500)
    assert ends(lab.send(replace(ike, wire="open"))) == []
    assert ends(lab.send(ike)) == [(None, HQ, GATEWAY)]
    for source, destination in (("10.77.0.5", ALICE), ("10.77.0.5", INNER), (ALICE, PRINTER)):
        assert lab.send(Probe("open", source, destination, "tcp", dport=22)).dropped


def test_esp_of_nobody_who_may_is_dropped(opened: Opened) -> None:
    lab = opened("office", Tunnel("stranger", WEBSITE, LAN, HQ_NET))
    lab.up()
    assert lab.send(Probe("stranger", FILESERVER, ALICE, "tcp", dport=22)).dropped


def test_the_gateway_itself_sends_nothing_there_in_clear(office: TunnelLab) -> None:
    assert office.own(INNER, FILESERVER, 53) == office.own(GATEWAY, FILESERVER, 53) == []
    office.up()
    assert [one.wire for one in office.own(INNER, FILESERVER, 53)] == ["hq"]
    assert office.own(GATEWAY, FILESERVER, 53) == [], "of no source that IPsec takes"
    assert [one.wire for one in office.own(GATEWAY, WEBSITE, 53)] == ["eth0"]
    office.down()
    assert office.own(INNER, FILESERVER, 53) == []


def test_segments_fit_through(office: TunnelLab) -> None:
    """`mss clamp`: ESP takes room."""
    office.up()
    syn = office.send(Probe("eth1", ALICE, FILESERVER, "tcp", dport=445, mss=1460))
    assert syn.arrival.mss == 1398
    large = office.send(Probe("eth1", ALICE, FILESERVER, "tcp", dport=445, flags="A", size=1460))
    assert large.dropped
    assert [(one.icmp_type, one.icmp_code, one.mtu) for one in large.icmp] == [(3, 4, 1438)]
