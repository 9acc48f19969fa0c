"""What random packets do not show: which translation wins, what drops first."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from gateway import LOADERS, Gateway, loaded
from lab import Probe

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 203.0.113.2, 203.0.113.3
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host alice  = 192.168.1.20
  host bob    = 192.168.1.30
  group staff = 192.168.1.16/28
}
"""
ALICE, BOB, CAROL, HQ = "192.168.1.20", "192.168.1.30", "192.168.1.40", "192.0.2.10"

pytestmark = pytest.mark.parametrize("loader", LOADERS)


def gateway(statements: str, loader: str) -> AbstractContextManager[Gateway]:
    return loaded(ZONES + statements, loader)


def test_the_most_specific_source_is_translated_its_way(loader: str) -> None:
    text = (
        "nat from lan to wan as 203.0.113.1\nnat from alice to wan as 203.0.113.3\n"
        "nat from staff to wan as 203.0.113.2\nallow ssh from lan to wan\n"
    )
    with gateway(text, loader) as made:
        for source, public in (
            (ALICE, "203.0.113.3"),
            (BOB, "203.0.113.2"),
            (CAROL, "203.0.113.1"),
        ):
            seen = made.lab.send(Probe("eth1", source, HQ, "tcp", dport=22))
            assert seen.arrival.source == public


def test_a_forward_at_a_zone_takes_its_unknown_address_out_of_its_network(loader: str) -> None:
    with gateway("nat from lan to wan\nforward https from wan at lan to alice\n", loader) as made:
        taken = made.lab.send(Probe("eth0", HQ, "192.168.1.254", "tcp", dport=443))
        assert taken.arrival.destination == ALICE
        assert made.lab.send(Probe("eth0", HQ, "203.0.113.1", "tcp", dport=443)).dropped
        assert made.lab.send(Probe("eth0", HQ, BOB, "tcp", dport=443)).dropped


def test_clear_text_from_a_protected_network_is_dropped_without_the_spoof_check(
    loader: str,
) -> None:
    text = (
        "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"
        "allow any from wan to lan, gateway\nset antispoof off\n"
    )
    with gateway(text, loader) as made:
        for destination in (ALICE, "203.0.113.1"):
            clear = made.lab.send(Probe("eth0", "10.20.0.5", destination, "tcp", dport=22))
            assert clear.dropped
            other = made.lab.send(Probe("eth0", "10.21.0.5", destination, "tcp", dport=22))
            assert not other.dropped


def test_a_tunnel_of_everything_leaves_a_network_its_own_talk(loader: str) -> None:
    """Without an address yet, link-local, to a neighbour or to many: no tunnel carries it."""
    zones = ZONES.replace("192.168.1.0/24", "192.168.1.0/24, fd00:1::/64").replace(
        "  host hq", "  network 203.0.113.0/24, 192.0.2.0/24\n  host hq"
    )
    tunnel = "zone far {\n  ipsec over wan\n  network 0.0.0.0/0, ::/0\n}\n"
    text = "allow any from lan to gateway, far\n"
    with loaded(zones + tunnel + text, loader) as made:
        assert made.lab.send(Probe("eth1", "0.0.0.0", "255.255.255.255", "udp", dport=67)).local
        assert made.lab.send(Probe("eth1", "fe80::20", "ff02::1", "udp", dport=5353)).local
        assert made.lab.send(Probe("eth1", "8.8.8.8", "192.168.1.254", "udp", dport=53)).dropped
        assert made.lab.send(Probe("eth1", ALICE, "8.8.8.8", "udp", dport=53)).dropped


def test_l2tp_is_never_in_clear_under_l2tp_ipsec(loader: str) -> None:
    with gateway("allow l2tp-ipsec from wan to gateway\n", loader) as made:
        assert made.lab.send(Probe("eth0", HQ, "203.0.113.1", "udp", dport=1701)).dropped
        assert made.lab.send(Probe("eth0", HQ, "203.0.113.1", "udp", dport=4500)).local


def test_a_limit_is_one_for_all_that_a_statement_is_about(loader: str) -> None:
    text = "allow ike, nat-t, esp from lan to gateway, hq with limit 3/minute\n"
    with gateway(text, loader) as made:
        passed = 0
        for source in range(50, 58):
            for destination, protocol, port in (
                (HQ, "udp", 500),
                (HQ, "esp", 0),
                ("203.0.113.1", "udp", 4500),
            ):
                seen = made.lab.send(
                    Probe("eth1", f"192.168.1.{source}", destination, protocol, dport=port)
                )
                passed += not seen.dropped
        # the burst of five, and at most one more that a slow run has earned
        assert 5 <= passed <= 6


def test_a_limit_for_each_source(loader: str) -> None:
    with gateway("allow ssh from lan to hq with limit 3/minute per source\n", loader) as made:
        for source in (ALICE, BOB):
            fates = [
                made.lab.send(Probe("eth1", source, HQ, "tcp", sport=port, dport=22)).dropped
                for port in range(40000, 40008)
            ]
            assert fates[:5] == [False] * 5
            assert fates[-1]


SIX = "zone six {\n  interface eth2\n  network fd00:6::/64\n}\n"
SITE = "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"


@pytest.mark.parametrize(
    "statements",
    [
        f"{SIX}nat from six to wan\nallow ssh from six to wan\n",
        f"{SITE}allow h323, ftp from site to lan with helper\n",
        "nat from lan to wan\nforward ftp from wan to alice with helper, hairpin\n",
    ],
    ids=["translation", "helper of a tunnel", "helper of a forward"],
)
def test_what_one_family_has_nothing_of_loads(statements: str, loader: str) -> None:
    with gateway(statements, loader) as made:
        assert made.lab.send(Probe("eth0", HQ, ALICE, "tcp", dport=21)).dropped


def test_a_hairpin_moves_no_port(loader: str) -> None:
    """Nobody but the host itself could send to the port of IKE that its forward takes there."""
    text = (
        "nat from lan to wan\nforward ike, nat-t from wan at 203.0.113.1 to alice with hairpin\n"
        "allow ike, nat-t from alice to wan\n"
    )
    with gateway(text, loader) as made:
        for port in (500, 4500):
            seen = made.lab.send(
                Probe("eth1", BOB, "203.0.113.1", "udp", sport=port, dport=port)
            ).arrival
            assert (seen.destination, seen.sport) == (ALICE, port)


SIX_OUTSIDE = """zone out {
  interface eth3
  address   2001:db8::1
}
zone six {
  interface eth2
  network   fd00:6::/64
  host box = fd00:6::10
}
nat ipv6 from six to out
"""


def test_no_forward_takes_discovery_or_errors_of_no_connection(loader: str) -> None:
    text = f"{SIX_OUTSIDE}forward ipv6 any from out to box\n"
    with loaded(text, loader) as made:
        for kind in (2, 135):
            probe = Probe("eth3", "2001:db8:9::9", "2001:db8::1", "icmpv6", icmp_type=kind, ttl=255)
            seen = made.lab.send(probe)
            assert (len(seen.arrivals), len(seen.local)) == (0, 1)
        ping = made.lab.send(Probe("eth3", "2001:db8:9::9", "2001:db8::1", "icmpv6"))
        assert ping.arrival.destination == "fd00:6::10"


def test_without_the_errors_of_rfc_4890_a_statement_may_allow_them(loader: str) -> None:
    text = f"{SIX_OUTSIDE}set icmp none\nallow icmpv6/packet-too-big from out to six\n"
    with loaded(text, loader) as made:
        for kind, is_dropped in ((1, True), (2, False), (3, True)):
            error = Probe("eth3", "2001:db8:9::9", "fd00:6::10", "icmpv6", icmp_type=kind)
            assert made.lab.send(error).dropped is is_dropped


def test_of_two_unknown_addresses_a_forward_takes_the_one_it_names(loader: str) -> None:
    text = """zone wan {
  interface eth0
}
zone wan2 {
  interface eth4
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host box = 192.168.1.10
}
nat from lan to wan, wan2
forward https from wan at wan2 to box
"""
    with loaded(text, loader) as made:
        own = [wire.addresses[0].partition("/")[0] for wire in made.wires[:2]]
        fates = [made.lab.send(Probe("eth0", HQ, one, "tcp", dport=443)) for one in own]
        assert fates[0].dropped
        assert fates[1].arrival.destination == "192.168.1.10"


def test_of_several_ipv6_addresses_the_first_is_the_source_whatever_the_destination(
    loader: str,
) -> None:
    """A masquerade would be the latest, or the one that is most like the destination."""
    zones = """zone wan {
  interface eth0
  address   2001:db8::1, 2001:db8:77::1, 2001:db8::2
}
zone lan {
  interface eth1
  network   fd00:1::/64
}
"""
    with loaded(zones + "nat ipv6 from lan to wan\nallow any from lan to wan\n", loader) as made:
        for peer in ("2001:db8:99::8", "2001:db8:77::8", "2600::1"):
            seen = made.lab.send(Probe("eth1", "fd00:1::10", peer))
            assert seen.arrival.source == "2001:db8::1"
