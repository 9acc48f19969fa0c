"""Every setting, and the MSS of zones, with packets: who is answered, what the gateway may send."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from gateway import LOADERS, Gateway, loaded
from lab import Observation, Probe

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  address   192.168.1.1, fd00:1::1
  host alice = 192.168.1.20, fd00:1::20
}
zone dmz {
  interface eth2
  network   172.16.5.0/24, fd00:2::/64
  host box = 172.16.5.10, fd00:2::10
}
nat from lan to wan
"""
ALICE, BOX, HQ, PUBLIC, INSIDE = (
    "192.168.1.20",
    "172.16.5.10",
    "192.0.2.10",
    "203.0.113.1",
    "192.168.1.1",
)
ALICE6, BOX6, HQ6, PUBLIC6, INSIDE6 = (
    "fd00:1::20",
    "fd00:2::10",
    "2001:db8:51::10",
    "2001:db8::1",
    "fd00:1::1",
)

pytestmark = pytest.mark.parametrize("loader", LOADERS)


def gateway(statements: str, loader: str) -> AbstractContextManager[Gateway]:
    return loaded(ZONES + statements, loader)


def answer(seen: Observation) -> str:
    """How a refused packet was answered: `reset`, `prohibited`, or not at all."""
    assert seen.dropped
    if any("R" in (one.flags or "") for one in seen.answers):
        return "reset"
    kinds = {(one.protocol, one.icmp_type, one.icmp_code) for one in seen.icmp}
    # RFC 1812 section 5.2.7.1; RFC 4443 section 3.1
    return "prohibited" if kinds & {("icmp", 3, 13), ("icmpv6", 1, 1)} else "silence"


# -- reject


@pytest.mark.parametrize("output", ["", "set gateway-output deny\n"], ids=["", "output-denied"])
@pytest.mark.parametrize("family", [4, 6])
def test_what_comes_from_inside_is_answered(loader: str, family: int, output: str) -> None:
    source, outside, inside, own = (
        (ALICE, HQ, BOX, INSIDE) if family == 4 else (ALICE6, HQ6, BOX6, INSIDE6)
    )
    ping = "icmp" if family == 4 else "icmpv6"
    text = f'deny tcp/25 from lan to wan with log "x"\nset reject on\n{output}'
    with gateway(text, loader) as made:
        for destination in (outside, inside, own):
            for protocol, port, expected in (
                ("tcp", 22, "reset"),
                ("tcp", 25, "reset"),
                ("udp", 500, "prohibited"),
                ("esp", 0, "prohibited"),
                (ping, 0, "prohibited"),
            ):
                made.lab.flush_conntrack()
                seen = made.lab.send(Probe("eth1", source, destination, protocol, dport=port))
                assert answer(seen) == expected, (destination, protocol, port)


def test_an_answer_is_not_what_a_gateway_may_not_send(loader: str) -> None:
    text = "deny tcp/1-65535 from gateway to lan\nset reject on\n"
    with gateway(text, loader) as made:
        assert answer(made.lab.send(Probe("eth1", ALICE, HQ, "tcp", dport=22))) == "reset"


def test_what_comes_from_outside_is_not_answered(loader: str) -> None:
    with gateway("deny tcp/25 from wan to any\nset reject on\nset log-denied on\n", loader) as made:
        for source, destination in ((HQ, PUBLIC), (HQ, ALICE), (HQ6, PUBLIC6), (HQ6, ALICE6)):
            for protocol, port in (("tcp", 22), ("tcp", 25), ("udp", 500), ("esp", 0)):
                seen = made.lab.send(Probe("eth0", source, destination, protocol, dport=port))
                assert answer(seen) == "silence"


def test_without_the_setting_nobody_is_answered(loader: str) -> None:
    with gateway("deny tcp/25 from lan to wan\n", loader) as made:
        for port in (22, 25):
            seen = made.lab.send(Probe("eth1", ALICE, HQ, "tcp", dport=port))
            assert answer(seen) == "silence"


def test_invalid_packets_and_clear_text_are_never_answered(loader: str) -> None:
    text = (
        "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"
        "allow any from lan to site\nset reject on\n"
    )
    with gateway(text, loader) as made:
        assert answer(made.lab.send(Probe("eth1", ALICE, HQ, "tcp", flags="FSR"))) == "silence"
        clear = made.lab.send(Probe("eth0", "10.20.0.5", PUBLIC, "tcp", dport=22))
        assert answer(clear) == "silence"


# -- gateway-output


def own(made: Gateway, destination: str, protocol: str, **rest: object) -> Observation:
    source = PUBLIC6 if ":" in destination else PUBLIC
    return made.lab.send(Probe(None, source, destination, protocol, **rest))  # type: ignore[arg-type]


def test_a_gateway_may_send_what_it_likes(loader: str) -> None:
    with gateway("", loader) as made:
        for destination in (HQ, HQ6):
            for protocol, port in (("tcp", 22), ("udp", 500), ("esp", 0)):
                assert not own(made, destination, protocol, dport=port).dropped


def test_a_gateway_sends_only_what_is_allowed(loader: str) -> None:
    text = (
        "allow ssh from gateway to hq\nallow ike from gateway to wan with log\n"
        "allow ssh from wan to gateway\nset gateway-output deny\n"
    )
    with gateway(text, loader) as made:
        for destination, other in ((HQ, "192.0.2.99"), (HQ6, "2001:db8:99::1")):
            assert not own(made, destination, "tcp", dport=22).dropped
            assert own(made, other, "tcp", dport=22).dropped
            assert not own(made, other, "udp", dport=500).dropped
            assert own(made, other, "udp", dport=501).send_error == "EPERM"
            assert own(made, destination, "esp").dropped


def test_replies_discovery_and_errors_go_out_all_the_same(loader: str) -> None:
    text = "allow ssh from wan to gateway\nallow ssh from lan to hq\nset gateway-output deny\n"
    with gateway(text, loader) as made:
        for source, destination in ((HQ, PUBLIC), (HQ6, PUBLIC6)):
            # nobody listens, so that the gateway's reply is a reset
            seen = made.lab.send(Probe("eth0", source, destination, "tcp", dport=22))
            assert [(one.destination, one.flags) for one in seen.answers] == [(source, "RA")]
        for source, destination in ((ALICE, HQ), (ALICE6, HQ6)):
            late = made.lab.send(Probe("eth1", source, destination, "tcp", dport=22, ttl=1))
            assert [one.destination for one in late.icmp] == [source]
        for kind in (133, 134, 135, 136, 143):
            sent = own(made, HQ6, "icmpv6", icmp_type=kind, ttl=255)
            assert sent.send_error is None, kind
        assert own(made, HQ6, "icmpv6").send_error == "EPERM"
        assert own(made, HQ, "icmp").send_error == "EPERM"


def test_a_denial_holds_for_the_gateway_too(loader: str) -> None:
    with gateway("deny tcp/25, esp from gateway to wan except hq\n", loader) as made:
        assert own(made, "192.0.2.99", "tcp", dport=25).dropped
        assert own(made, "192.0.2.99", "esp").dropped
        assert not own(made, "192.0.2.99", "tcp", dport=26).dropped
        assert not own(made, HQ, "tcp", dport=25).dropped


# -- antispoof and icmp


def test_without_the_spoof_check_a_source_may_live_elsewhere(loader: str) -> None:
    statements = "allow ssh from wan to dmz\n"
    text = ZONES.replace("nat from lan to wan\n", "") + statements
    for setting, is_dropped in (("", True), ("set antispoof off\n", False)):
        with loaded(text + setting, loader) as made:
            for source, destination in ((ALICE, BOX), (ALICE6, BOX6)):
                seen = made.lab.send(Probe("eth0", source, destination, "tcp", dport=22))
                assert seen.dropped is is_dropped


def test_errors_of_nobodys_pass_unless_they_are_not_wanted(loader: str) -> None:
    for setting, is_dropped in (("", False), ("set icmp none\n", True)):
        with gateway(setting, loader) as made:
            error = Probe("eth0", HQ6, ALICE6, "icmpv6", icmp_type=2, mtu=1280, quote=bytes(48))
            assert made.lab.send(error).dropped is is_dropped


# -- mss


def announced(made: Gateway, wire: str, source: str, destination: str, **rest: object) -> int:
    probe = Probe(wire, source, destination, "tcp", dport=22, **rest)  # type: ignore[arg-type]
    found = made.lab.send(probe).arrival
    assert found.checksum_ok
    assert found.mss is not None
    return found.mss


def with_mss(zone: str, value: str) -> str:
    return ZONES.replace(f"zone {zone} {{", f"zone {zone} {{\n  mss {value}")


@pytest.mark.parametrize(
    ("source", "destination", "least"), [(ALICE, HQ, 536), (ALICE6, HQ6, 1220)]
)
def test_a_zone_has_the_mss_it_says_in_both_directions(
    loader: str, source: str, destination: str, least: int
) -> None:
    text = with_mss("wan", "1300") + "allow ssh from lan to wan, dmz\n"
    with loaded(text, loader) as made:
        lab = made.lab
        seen = lab.send(Probe("eth1", source, destination, "tcp", dport=22, mss=1460))
        assert seen.arrival.mss == 1300
        assert lab.reply(seen, mss=1460).arrival.mss == 1300
        # what is smaller already stays: a larger one would be a lie
        lab.flush_conntrack()
        assert announced(made, "eth1", source, destination, mss=least) == least
        inside = BOX6 if ":" in source else BOX
        assert announced(made, "eth1", source, inside, mss=1460) == 1460


def test_the_smaller_of_two_zones_counts(loader: str) -> None:
    text = with_mss("wan", "1300").replace("zone lan {", "zone lan {\n  mss 1200")
    with loaded(text + "allow ssh from lan, wan to any\n", loader) as made:
        assert announced(made, "eth1", ALICE, HQ, mss=1460) == 1200
        assert announced(made, "eth0", HQ, BOX, mss=1460) == 1300
        assert announced(made, "eth1", ALICE, BOX, mss=1460) == 1200


@pytest.mark.parametrize(("source", "destination", "header"), [(ALICE, HQ, 40), (ALICE6, HQ6, 60)])
def test_a_clamped_zone_has_the_mss_of_its_path(
    loader: str, source: str, destination: str, header: int
) -> None:
    text = with_mss("wan", "clamp") + "allow ssh from lan, dmz to wan\n"
    with loaded(text, loader) as made:
        made.lab.run(["ip", "link", "set", "eth0", "mtu", "1400"])
        assert announced(made, "eth1", source, destination, mss=1460) == 1400 - header
        assert announced(made, "eth1", source, destination, mss=1300) == 1300
