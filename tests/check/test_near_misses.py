"""Where the limits are: statements on both sides of each, in one policy.

`base` is masquerading behind two public addresses; a case says which code is found, and how bad.
"""

from __future__ import annotations

import pytest

ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1, 203.0.113.2, 2001:db8::1
  host  hq       = 192.0.2.10, 2001:db8:51::10
  host  hq-again = 192.0.2.10
  group partners = 198.51.100.0/24
}
zone lan {
  interface eth1
  network   192.168.1.0/24, 2001:db8:1::/64
  address   192.168.1.1, 2001:db8:1::1
  host alice       = 192.168.1.10, 2001:db8:1::10
  host alice-again = 192.168.1.10
  host bob         = 192.168.1.20, 2001:db8:1::20
}
zone one {
  interface eth2
  network   10.9.0.9/32
}
zone link {
  interface eth3
  network   10.9.1.0/30
  address   10.9.1.1
}
zone hq-net {
  ipsec over wan
  network 10.20.0.0/16
}
allow ssh from lan to gateway
"""
NAT = "nat from lan, one, link to wan\n"

FOUND = [
    # AH
    ("TG101", "error", "ah from alice to hq"),
    ("TG101", "error", "ip/51 from 192.168.1.10 to 192.0.2.10"),
    ("TG101", None, "ah from alice to hq except 192.0.2.10"),
    ("TG101", None, "ah from 2001:db8:1::10 to hq"),
    ("TG101", None, "ah from lan to hq-net"),
    ("TG101", None, "ah from alice to hq\ndeny ah from lan to wan"),
    ("TG101", None, "ah from alice to hq\ndeny any from lan to hq"),
    ("TG101", "error", "ah from alice to hq, partners\ndeny ah from lan to hq"),
    ("TG101", None, "any from alice to hq"),
    ("TG103", "advice", "any from alice to hq"),
    ("TG103", None, "any except ah from alice to hq"),
    ("TG103", None, "any from lan to hq-net"),
    # ESP of many hosts
    ("TG201", "error", "esp from lan to hq"),
    ("TG201", "error", "esp from alice, bob to hq"),
    ("TG201", None, "esp from alice to hq\nallow esp from bob to partners"),
    ("TG201", None, "esp from alice to hq\nallow esp from alice-again to hq-again"),
    ("TG201", "error", "esp from alice to hq\nallow esp from bob to hq-again"),
    ("TG201", None, "esp from one to wan"),
    ("TG201", None, "esp from link to wan"),
    ("TG201", "error", "esp from one to wan\nallow esp from link to hq"),
    ("TG201", None, "esp from lan except 192.168.1.2-192.168.1.255 to hq"),
    ("TG201", None, "esp from 2001:db8:1::/64 to hq"),
    ("TG201", None, "esp from lan to hq\ndeny esp from lan except alice to hq"),
    ("TG201", "error", "esp from lan to hq\ndeny esp from alice to hq"),
    ("TG201", None, "esp from lan to hq with single"),
    ("TG201", None, "ipsec from lan to hq with tracking"),
    ("TG201", None, "ipsec-nat-t from lan to hq"),
    ("TG201", None, "esp from lan to hq\nallow ipsec from lan to wan with single"),
    ("TG201", "error", "esp from lan to wan\nallow ipsec from lan to hq with single"),
    ("TG201", None, "esp from alice to hq\nallow esp from bob to wan except hq"),
    ("TG201", "advice", "any from lan to hq"),
    ("TG201", "advice", "esp from alice to hq\nallow any from bob to hq"),
    ("TG201", None, "any except esp from lan to wan"),
    ("TG201", None, "esp from lan to hq-net"),
    # GRE and PPTP
    ("TG203", "error", "gre from lan to hq"),
    ("TG203", None, "gre from alice to hq"),
    ("TG203", "error", "pptp from alice to hq"),
    ("TG203", None, "pptp from lan to hq with helper"),
    ("TG203", None, "pptp from lan to hq-net"),
    ("TG203", "error", "pptp from lan to hq with helper\nallow gre from lan to hq"),
    ("TG203", None, "gre from lan to hq with single"),
    ("TG203", "advice", "any from lan to hq"),
    # the others, each for itself
    ("TG204", "error", "ipip from lan to hq"),
    ("TG204", None, "ipip from alice to hq\nallow etherip from bob to hq"),
    ("TG204", "error", "ipip from alice to hq\nallow ip/4 from bob to hq"),
    ("TG204", None, "ipip, esp from alice to hq"),
    ("TG204", "advice", "any from lan to hq"),
    ("TG204", None, "any from lan to hq with single"),
    ("TG204", None, "icmp from lan to hq"),
    ("TG204", None, "ah from lan to hq"),
    # idle tunnels
    ("TG209", "advice", "esp from lan to hq-net"),
    ("TG209", None, "esp from lan to hq-net\nallow esp from hq-net to lan"),
    ("TG209", None, "esp from lan to hq-net\nallow ike from hq-net to lan"),
    ("TG209", "advice", "esp from lan to hq-net\nallow esp from hq-net to alice"),
    ("TG209", None, "any from lan to hq-net"),
    ("TG209", None, "esp from hq to gateway"),
    ("TG209", None, "esp from alice-again to hq\nforward ipsec from hq to alice"),
    ("TG209", "advice", "esp from alice to hq"),
    ("TG209", None, "esp from 192.168.1.0/24 to hq with single"),
    ("TG209", "advice", "esp from one to hq with single"),
    ("TG209", None, "esp from 192.168.1.0/24 to hq with tracking"),
    ("TG209", None, "esp from alice-again to hq\nallow esp from alice-again to wan with tracking"),
    ("TG209", "advice", "esp from alice-again to hq\nallow esp from link to wan with tracking"),
    ("TG209", "advice", "esp from lan to hq, hq-net with tracking"),
    ("TG209", "advice", "esp from 2001:db8:1::/64 to hq with single"),
    # IKE that goes on over 4500
    ("TG304", "warning", "ike from lan to hq"),
    ("TG304", "warning", "udp/500 from alice to wan"),
    ("TG304", None, "ike, nat-t from lan to hq"),
    ("TG304", None, "ike from lan to hq\nallow udp/4000-5000 from lan to wan"),
    ("TG304", None, "ike from alice-again to hq-again\nallow nat-t from alice to hq"),
    ("TG304", "warning", "ike from lan to wan\nallow nat-t from lan to hq"),
    ("TG304", "warning", "ike from lan to hq\nallow nat-t from alice to hq"),
    (
        "TG304",
        None,
        "ike from alice, bob to hq\nallow nat-t from alice to hq\nallow any from bob to hq",
    ),
    ("TG304", "warning", "ipsec-nat-t from lan to hq\ndeny nat-t from alice to hq"),
    ("TG304", None, "ike from alice to hq\ndeny ike from lan to wan"),
    ("TG304", None, "ike from lan to hq-net"),
    ("TG304", None, "ike from 2001:db8:1::10 to hq"),
    ("TG304", None, "ike from lan to gateway"),
    ("TG304", None, "any except nat-t from lan to hq"),
    ("TG304", None, "udp/1-1023 from lan to hq"),
    ("TG304", None, "ipsec-ah from lan to hq"),
    # what 4500 begins with
    ("TG305", "warning", "nat-t from lan to hq"),
    ("TG305", "warning", "udp/4500 from hq to gateway"),
    ("TG305", "warning", "nat-t from 2001:db8:1::10 to hq"),
    ("TG305", None, "nat-t from lan to hq\nallow ike from lan to wan"),
    ("TG305", "warning", "nat-t from lan to wan\nallow ike from lan to hq"),
    ("TG305", None, "nat-t from alice to hq\nallow ike from hq to alice"),
    ("TG305", None, "nat-t from alice-again to hq\nforward ike from hq to alice"),
    ("TG305", "warning", "nat-t from bob to hq\nforward ike from hq to alice"),
    ("TG305", "warning", "nat-t from alice to hq\nforward ike from wan to alice"),
    ("TG305", None, "nat-t from hq to gateway\nallow ike from gateway to hq"),
    ("TG305", "warning", "ipsec from hq to gateway\ndeny ike from wan to gateway"),
    ("TG305", None, "nat-t from lan to hq\ndeny nat-t from lan to hq"),
    ("TG305", None, "udp/1024-65535 from lan to hq"),
    ("TG305", None, "any except ike from lan to hq"),
    # PPTP
    ("TG501", "warning", "pptp from lan to hq with helper"),
    ("TG501", "warning", "pptp from hq to gateway"),
    ("TG501", "warning", "tcp/1723 from lan to hq\nallow gre from alice to hq-again with single"),
    ("TG501", None, "tcp/1723 from lan to hq"),
    ("TG501", None, "tcp/1723 from lan to hq\nallow gre from alice to partners"),
    ("TG501", None, "gre from alice to hq"),
    ("TG501", None, "tcp/1-2000, gre from alice to hq"),
    ("TG501", None, "any from lan to hq"),
    ("TG501", None, "pptp from lan to hq-net"),
    ("TG501", None, "pptp from lan to hq with helper\ndeny tcp/1723 from any to any"),
    ("TG501", "warning", "pptp from lan to hq with helper\ndeny pptp from alice to hq"),
    # tunnels that can be read
    ("TG502", "warning", "gre from alice to hq"),
    ("TG502", "warning", "ip/4 from hq to gateway"),
    ("TG502", "warning", "udp/4789 from gateway to hq"),
    ("TG502", "warning", "vxlan port 8472 from one to hq"),
    ("TG502", None, "udp/8472 from one to hq"),
    ("TG502", "warning", "l2tp from hq to gateway"),
    ("TG502", None, "l2tp-ipsec from wan to gateway"),
    ("TG502", None, "udp/1024-65535 from lan to hq"),
    ("TG502", None, "udp/1702 from lan to hq"),
    ("TG502", None, "gre from lan to link"),
    ("TG502", None, "gre, ipip, l2tp from lan to hq-net"),
    ("TG502", None, "gre from hq-net to gateway"),
    ("TG502", None, "any from lan to hq"),
    ("TG502", None, "gre from alice to hq\ndeny ip/47 from lan to wan"),
    ("TG502", None, "pptp from alice to hq"),
    ("TG502", None, "ah, esp, wireguard from 2001:db8:1::10 to hq"),
    # everything from everybody
    ("TG503", "warning", "any from wan to gateway"),
    ("TG503", "warning", "any from any to lan"),
    ("TG503", "warning", "any except ssh from wan except hq, partners to lan"),
    ("TG503", "warning", "any from wan to lan\ndeny ssh from wan to lan"),
    ("TG503", None, "any from wan to lan\ndeny any from wan to any"),
    ("TG503", None, "any from wan except 2000::/3, 0.0.0.0/1 to lan"),
    ("TG503", "warning", "any from wan except 2000::/3 to lan"),
    ("TG503", None, "any from hq, partners to lan"),
    ("TG503", None, "any from hq-net to lan"),
    ("TG503", None, "any from one to lan"),
    ("TG503", None, "any from lan to wan"),
    ("TG503", None, "tcp/1-65535 from wan to lan"),
    ("TG503", None, "any except tcp/1-65535, udp/1-65535 from wan to lan"),
    # said twice
    ("TG601", "warning", "ssh from alice to hq\nallow tcp/22 from alice to hq"),
    (
        "TG601",
        "warning",
        "ssh from alice-again to partners\nallow ssh from 192.168.1.10 to 198.51.100.0/24",
    ),
    ("TG601", None, "ssh from alice to partners\nallow ssh from alice to hq"),
    ("TG601", None, "ssh from alice to partners\nallow ssh from bob to partners"),
    ("TG601", None, "ssh from alice to hq-again\ndeny ssh from alice to hq-again"),
    ("TG601", None, "ssh from alice to hq-again\nallow ssh from hq-again to alice"),
    ("TG601", None, "ssh from alice to hq-again\nallow ssh from alice to hq-again with log"),
    (
        "TG601",
        None,
        "ssh from bob to hq with limit 5/minute\nallow ssh from bob to hq with limit 5/minute",
    ),
    ("TG601", None, "ipsec from hq to gateway\nallow l2tp-ipsec from hq to gateway"),
    ("TG601", None, "ssh from wan to lan\nallow ssh from wan to 192.168.1.0/24, 2001:db8:1::/64"),
    (
        "TG601",
        "warning",
        "dns from lan to hq\nallow udp/53, tcp/53 from lan to 192.0.2.10, 2001:db8:51::10",
    ),
    # nothing in common
    ("TG607", "warning", "https from lan except 192.168.1.0/24, 2001:db8:1::/64 to wan"),
    ("TG607", "warning", "https from alice-again to 2001:db8:51::10"),
    ("TG607", "warning", "https from one to 2001:db8:51::10"),
    ("TG607", None, "https from alice to hq"),
    ("TG607", None, "https from one to gateway"),
]


@pytest.mark.parametrize(("code", "severity", "flow"), FOUND)
def test_allow(code: str, severity: str | None, flow: str, codes) -> None:
    assert codes(ZONES + NAT + f"allow {flow}\n").get(code) == severity


LOW, HIGH = " with spi 0x1000-0x1fff", " with spi 0x2000-0x2fff"
BOB, BOB_WITHOUT = f"forward esp from hq to bob{HIGH}", "forward esp from partners to bob"
DENIED, TO_GATEWAY = "deny esp from hq to lan", "allow esp from hq to gateway"

FORWARDS = [
    ("TG102", "error", "ah from hq to alice"),
    ("TG102", None, "any from hq to alice"),
    ("TG103", "advice", "any from hq to alice"),
    # ESP to two hosts
    ("TG202", "error", "esp from wan to alice\nforward ipsec from hq to bob"),
    ("TG202", None, "esp from partners to alice\nforward esp from hq to bob"),
    ("TG202", None, "esp from wan except hq to alice\nforward esp from hq to bob"),
    ("TG202", None, "esp from wan to alice\nforward esp from hq to alice-again"),
    (
        "TG202",
        None,
        "esp from wan at 203.0.113.1 to alice\nforward esp from wan at 203.0.113.2 to bob",
    ),
    (
        "TG202",
        None,
        (
            "esp from wan to alice with spi 0x1000-0x1fff\n"
            "forward esp from wan to bob with spi 0x2000-0x2fff"
        ),
    ),
    (
        "TG202",
        "error",
        (
            "esp from wan to alice with spi 0x1000-0x2000\n"
            "forward esp from wan to bob with spi 0x2000-0x2fff"
        ),
    ),
    ("TG202", "error", f"esp from hq to alice{LOW}\nforward esp from hq to bob"),
    ("TG202", "error", f"esp from hq to alice\nforward esp from hq to bob{LOW}"),
    ("TG202", "error", f"any from hq to alice\nforward esp from hq to bob{LOW}"),
    ("TG202", None, f"esp from hq to alice{LOW}\nforward esp from partners to bob{LOW}"),
    ("TG202", None, f"esp from hq to alice{LOW}\nforward esp from hq to alice-again{HIGH}"),
    ("TG202", None, f"esp from hq to alice{LOW}\nforward esp from hq to bob{HIGH}\n{DENIED}"),
    ("TG601", None, f"esp from hq to alice{LOW}\nforward esp from hq to alice{HIGH}"),
    ("TG601", "warning", f"esp from hq to alice{LOW}\nforward esp from hq to alice-again{LOW}"),
    ("TG202", "error", "any from wan to alice\nforward esp from hq to bob"),
    ("TG202", None, "any except esp from wan to alice\nforward esp from hq to bob"),
    ("TG202", None, "esp from wan to alice\nforward esp from hq to bob\ndeny esp from hq to lan"),
    (
        "TG202",
        "error",
        "esp from wan to alice\nforward esp from hq to bob\ndeny esp from hq to bob",
    ),
    ("TG202", None, "esp from wan to alice\nforward ipv6 esp from wan to bob"),
    ("TG203", "error", "gre from wan to alice\nforward pptp from hq to bob"),
    ("TG203", None, "pptp from wan to alice with helper\nforward gre from hq to bob"),
    ("TG203", None, "pptp from hq to alice"),
    ("TG204", "error", "ipip from wan to alice\nforward ipip from hq to bob"),
    ("TG204", None, "ipip from wan to alice\nforward etherip from hq to bob"),
    # ESP of a peer, in and out
    ("TG205", "error", "esp from hq to alice\nallow esp from bob to hq"),
    ("TG205", None, "esp from hq to alice\nallow esp from alice-again to hq"),
    ("TG205", None, "esp from hq to alice\nallow esp from bob to partners"),
    ("TG205", None, "esp from hq at 203.0.113.2 to alice\nallow esp from bob to hq"),
    ("TG205", "advice", "esp from hq to alice\nallow any from bob to hq"),
    ("TG205", "advice", "any from hq to alice\nallow esp from bob to hq"),
    ("TG205", "error", "esp from hq to alice\nallow esp from bob to hq with single"),
    ("TG205", None, "esp from hq to alice\nallow esp from bob to hq\ndeny esp from bob to hq"),
    ("TG205", None, "esp from hq to alice\nallow ipsec-nat-t from lan to hq"),
    ("TG205", None, "esp from hq to alice\nallow esp from lan to hq with tracking"),
    (
        "TG205",
        "error",
        "esp from hq to alice\nallow esp from bob to hq\nallow esp from alice to hq with tracking",
    ),
    ("TG205", None, f"esp from hq to alice{LOW}\nallow esp from bob to hq"),
    ("TG205", "error", f"esp from hq to alice{LOW}\n{BOB_WITHOUT}\nallow esp from link to wan"),
    # who shares a peer with servers that are told apart by SPI
    ("TG201", None, f"esp from hq to alice{LOW}\nallow esp from alice, bob to hq"),
    ("TG201", None, f"esp from hq to alice{LOW}\n{BOB}\nallow esp from alice, bob, one to hq"),
    ("TG201", "error", f"esp from hq to alice{LOW}\n{BOB}\nallow esp from alice, link, one to hq"),
    ("TG201", "error", f"esp from hq to alice{LOW}\nallow esp from alice, bob to hq, partners"),
    ("TG207", None, f"esp from hq to alice{LOW}\nallow esp from hq to gateway"),
    ("TG207", None, f"esp from hq to alice{LOW}\nallow esp from alice to hq\n{TO_GATEWAY}"),
    ("TG207", "error", f"esp from hq to alice{LOW}\nallow esp from bob to hq\n{TO_GATEWAY}"),
    ("TG209", None, f"esp from hq to alice{LOW}\nallow esp from alice-again to hq-again"),
    ("TG209", "advice", f"esp from hq to alice{LOW}"),
    # ESP past its SPI
    ("TG211", None, f"esp from hq to alice{LOW}\nallow esp from alice to hq, partners"),
    ("TG211", None, f"esp from hq to alice{LOW}\nforward esp from partners to alice"),
    ("TG211", None, f"esp from hq to alice{LOW}\nforward esp from hq at 203.0.113.2 to bob"),
    ("TG211", "error", f"esp from hq to alice{LOW}\nforward esp from hq at 203.0.113.2 to alice"),
    ("TG211", "advice", f"esp from hq to alice{LOW}\nforward any from hq at 203.0.113.2 to alice"),
    (
        "TG211",
        None,
        f"esp from hq to alice{LOW}\nforward any except esp from hq at 203.0.113.2 to alice",
    ),
    ("TG211", "error", f"esp from hq at 203.0.113.2 to alice{LOW}\nallow esp from alice to hq"),
    ("TG211", "advice", f"esp from hq at 203.0.113.2 to alice{LOW}\nallow any from alice to hq"),
    ("TG211", None, f"esp from hq at 203.0.113.2 to alice{LOW}\nallow esp from alice to partners"),
    (
        "TG211",
        None,
        (
            f"esp from hq at 203.0.113.2 to alice{LOW}\nallow esp from alice to hq\n"
            "nat from alice to wan as 203.0.113.2"
        ),
    ),
    ("TG211", "error", f"esp from hq to alice{LOW}\nallow esp from hq to alice"),
    ("TG211", None, f"esp from hq to alice{LOW}\nallow esp from hq to bob"),
    ("TG211", None, f"esp from hq to alice{LOW}\nallow esp from partners to alice"),
    ("TG211", "error", f"esp from hq to alice{LOW}, hairpin"),
    ("TG211", "error", f"esp from hq to alice{LOW}\nnat from hq to lan"),
    ("TG211", None, f"esp from hq to alice{LOW}\nnat from partners to lan"),
    # ports
    ("TG206", "error", "tcp/80 from wan to alice\nforward tcp/80 from hq to bob"),
    ("TG206", None, "tcp/80 from wan to alice\nforward tcp/81 from hq to bob"),
    ("TG206", "error", "tcp/80 from wan to alice port 8080\nforward tcp/80 from hq to alice"),
    ("TG206", None, "tcp/80 from wan to alice port 80\nforward tcp/80 from hq to alice"),
    ("TG206", "error", "tcp/80-90 from wan to alice\nforward tcp/85 from hq to bob"),
    ("TG206", "error", "tcp/22 from wan to alice\nallow ssh from hq to gateway"),
    ("TG206", None, "tcp/22 from partners to alice\nallow ssh from hq to gateway"),
    ("TG206", None, "tcp/22 from wan at 203.0.113.2 to alice\nallow ssh from wan to 203.0.113.1"),
    ("TG206", None, "any except ssh from wan to alice\nallow ssh from wan to gateway"),
    ("TG206", "advice", "tcp/80 from hq to alice\nallow any from hq to gateway"),
    (
        "TG206",
        None,
        "tcp/22 from wan to alice\nallow ssh from hq to gateway\ndeny ssh from wan to gateway",
    ),
    ("TG206", None, "tcp/22 from wan to alice with hairpin"),
    ("TG206", "error", "tcp/80 from wan to alice with hairpin\nallow http from lan to 203.0.113.1"),
    ("TG206", "error", "ipip from hq to alice\nallow ipip from hq to gateway"),
    # the gateway's own IPsec
    ("TG207", "error", "esp from hq to alice\nallow esp from hq to gateway"),
    ("TG207", None, "esp from hq to alice\nallow esp from partners to gateway"),
    (
        "TG207",
        "error",
        "ike from hq to alice\nallow esp from alice to hq\nallow esp from hq to gateway",
    ),
    (
        "TG207",
        None,
        "ike from hq to alice\nallow esp from alice to hq\nallow esp from partners to gateway",
    ),
    (
        "TG207",
        "advice",
        "ike from hq to alice\nallow any from alice to hq\nallow esp from hq to gateway",
    ),
    (
        "TG207",
        None,
        "ike from hq to alice\nallow esp from alice to hq\nallow esp from hq to 203.0.113.2",
    ),
    ("TG208", "error", "ike from hq to alice"),
    ("TG208", None, "ike, nat-t from hq to alice"),
    ("TG208", None, "ike from hq to alice\nforward nat-t from wan to alice"),
    ("TG208", "error", "ike from wan to alice\nforward nat-t from hq to alice"),
    ("TG208", "error", "ike from hq to alice\nforward nat-t from hq to bob"),
    (
        "TG208",
        None,
        (
            "ike from hq, partners to alice\n"
            "forward nat-t from hq to alice\n"
            "forward nat-t from partners to alice"
        ),
    ),
    ("TG208", "error", "ike, nat-t from hq to alice\ndeny nat-t from hq to alice"),
    ("TG208", "error", "ike, nat-t from wan to alice\nallow ike from hq to gateway"),
    ("TG208", None, "ike, nat-t from wan except hq to alice\nallow ike from hq to gateway"),
    ("TG209", "advice", "ipsec from hq to alice"),
    ("TG209", None, "ipsec from hq to alice\nallow ike from lan to wan"),
    ("TG209", "advice", "ipsec from wan to alice\nallow ike from lan to hq"),
    ("TG209", None, "any from hq to alice"),
    # the other half of IPsec in UDP
    ("TG305", "warning", "nat-t from hq to alice"),
    ("TG305", None, "nat-t from hq to alice\nforward ike from wan to alice"),
    ("TG305", "warning", "nat-t from wan to alice\nforward ike from hq to alice"),
    ("TG305", "warning", "nat-t from hq to alice\nforward ike from hq to bob"),
    ("TG305", None, "nat-t from hq to alice\nallow ike from alice to hq"),
    ("TG305", "warning", "ike, nat-t from hq to alice\ndeny ike from wan to alice"),
    # what may come in
    ("TG501", "warning", "pptp from hq to alice with helper"),
    ("TG501", "warning", "tcp/1723 from wan to alice\nforward gre from hq to alice"),
    ("TG501", None, "tcp/1723 from wan to alice\nforward gre from hq to bob"),
    ("TG501", None, "tcp/1723 from partners to alice\nforward gre from hq to alice"),
    ("TG501", None, "pptp from hq to alice with helper\ndeny any from hq to alice"),
    ("TG502", "warning", "gre from hq to alice"),
    ("TG502", "warning", "vxlan port 8472 from hq to alice"),
    ("TG502", None, "gre from hq to alice\ndeny gre from wan to lan"),
    ("TG502", None, "any from hq to alice"),
    ("TG503", "warning", "any from wan except partners to alice"),
    ("TG503", None, "any from partners to alice"),
    ("TG503", None, "any from wan to alice\ndeny any from wan to alice"),
    (
        "TG601",
        "warning",
        "https from wan to alice\nforward tcp/443, udp/443 from wan to 192.168.1.10",
    ),
    ("TG601", "warning", "https from wan to alice\nforward https from wan to alice-again"),
    ("TG601", None, "https from wan to alice\nforward https from hq to alice"),
    ("TG601", None, "tcp/443 from wan to alice\nforward tcp/443 from wan to alice with log"),
    ("TG601", None, "tcp/80 from wan to alice\nforward tcp/80 from wan at 203.0.113.2 to alice"),
    ("TG601", "warning", "tcp/80 from wan at wan to alice\nforward tcp/80 from wan to alice"),
    (
        "TG601",
        None,
        "tcp/80 from wan to alice\nforward ipv6 tcp/80 from wan at 2001:db8::1 to alice",
    ),
    # paths and addresses
    ("TG303", None, "https from wan to alice"),
    ("TG303", "error", "ipv6 https from wan to alice"),
    ("TG303", "error", "https from one at 203.0.113.1 to alice"),
    ("TG303", "error", "https from lan at 203.0.113.1 to alice"),
    ("TG303", None, "https from lan at 203.0.113.1 to alice with hairpin"),
    ("TG303", "error", "https from hq-net to alice"),
    ("TG307", None, "https from wan at 203.0.113.2 to alice"),
    ("TG307", "error", "https from wan at 203.0.113.3 to alice"),
    ("TG307", "error", "https from wan at 2001:db8::1 to alice"),
    ("TG307", None, "https from wan at lan to alice"),
    ("TG607", "warning", "https from hq except 192.0.2.10 to alice"),
    ("TG607", "warning", "ipv6 https from partners to alice"),
]


@pytest.mark.parametrize(("code", "severity", "forward"), FORWARDS)
def test_forward(code: str, severity: str | None, forward: str, codes) -> None:
    assert codes(ZONES + NAT + f"forward {forward}\n").get(code) == severity


NATS = [
    ("TG201", None, "from alice to wan as 203.0.113.2\nnat from lan to wan", "alice, bob"),
    ("TG201", "error", "from alice to wan as 203.0.113.2\nnat from lan to wan", "lan"),
    ("TG201", "error", "from alice to wan as 203.0.113.1\nnat from lan to wan", "alice, bob"),
    ("TG201", None, "from lan to partners", "lan"),
    ("TG302", "error", "from lan to hq-net", "alice"),
    ("TG302", None, "from lan to hq-net as 10.20.0.1", "alice"),
    ("TG306", "warning", "ipv6 from lan to wan", "alice"),
    ("TG306", None, "from lan to wan", "alice"),
    ("TG308", "error", "from lan to wan as 203.0.113.3", "alice"),
    ("TG308", None, "from lan to wan as 203.0.113.2", "alice"),
    ("TG308", "error", "from one to lan, wan as 203.0.113.2", "alice"),
    ("TG308", None, "from lan to hq-net as 10.20.0.1", "alice"),
    ("TG309", "error", "from lan to wan\nnat from lan to wan", "alice"),
    ("TG309", "error", "from lan to wan\nnat from lan to wan as 203.0.113.2", "alice"),
    ("TG309", None, "from lan to wan\nnat from alice to wan as 203.0.113.2", "alice"),
    ("TG309", None, "from lan to hq\nnat from lan to partners as 203.0.113.2", "alice"),
    ("TG309", None, "from lan to hq\nnat from lan to wan as 203.0.113.1", "alice"),
    ("TG309", "error", "from lan to hq\nnat from lan to wan as 203.0.113.2", "alice"),
    ("TG309", None, "from lan to wan\nnat ipv6 from lan to wan", "alice"),
    ("TG309", None, "from lan to wan\nnat from one to wan as 203.0.113.2", "alice"),
    (
        "TG309",
        "error",
        "from 192.168.1.0/25 to wan\nnat from 192.168.1.64-192.168.1.200 to wan as 203.0.113.2",
        "alice",
    ),
]


@pytest.mark.parametrize(("code", "severity", "nats", "hosts"), NATS)
def test_nat(code: str, severity: str | None, nats: str, hosts: str, codes) -> None:
    assert codes(ZONES + f"nat {nats}\nallow esp from {hosts} to hq\n").get(code) == severity


DYNAMIC = "".join(f"zone w{one} {{\n  interface eth1{one}\n}}\n" for one in (1, 2, 3))


@pytest.mark.parametrize(
    ("at", "severity"),
    [(" at w2", "error"), (" at w1", None), ("", None), (" at 203.0.113.2", None)],
)
def test_one_unknown_address_of_three(at: str, severity: str | None, codes) -> None:
    text = f"{ZONES}{DYNAMIC}nat from lan to wan, w1, w2, w3\nforward https from w1{at} to alice\n"
    assert codes(text).get("TG307") == severity


HELPED = [
    ("allow rtsp from lan to wan with helper", "error"),
    ("allow ftp, rtsp from lan to wan with log, helper", "error"),
    ("allow rtsp port 8554 from lan to wan with helper", "error"),
    ("protocol cameras = rtsp\nallow cameras from lan to wan with helper", "error"),
    ("forward rtsp from hq to alice with helper", "error"),
    ("allow rtsp from lan to wan", None),
    ("allow ftp, tcp/554 from lan to wan with helper", None),
    ("allow ftp, rtsp except tcp/554 from lan to wan with helper", None),
]


@pytest.mark.parametrize(("statements", "severity"), HELPED)
def test_no_helper_for_rtsp(statements: str, severity: str | None, codes) -> None:
    assert codes(f"{ZONES}nat from lan to wan\n{statements}\n").get("TG403") == severity


LOCKED = [
    ("allow ssh from lan to gateway", False),
    ("allow any from lan to gateway", False),
    ("allow udp/22 from lan to gateway", True),
    ("allow ssh from lan to wan", True),
    ("allow ssh from lan to gateway\ndeny any from lan to gateway", True),
    ("allow ssh, https from lan to gateway\ndeny ssh from lan to gateway", False),
    ("allow ssh from lan to gateway\ndeny ssh from alice to gateway", False),
]


@pytest.mark.parametrize(("statements", "locked"), LOCKED)
def test_lock_out(statements: str, locked: bool, codes) -> None:
    policy = ZONES.replace("allow ssh from lan to gateway\n", "") + statements + "\n"
    assert ("TG505" in codes(policy)) is locked


EXPECTED = [
    ("allow ssh from alice to gateway", False),
    ("deny ssh from alice to gateway", True),
    ("allow esp from lan to hq", True),
    ("esp from hq to 203.0.113.1 reaches alice", True),
    ("ike from alice to 192.0.2.10 leaves as 203.0.113.1", False),
    ("ike from alice to 192.0.2.10 leaves as 203.0.113.2", True),
    ("ike from alice to 192.0.2.10 leaves as untranslated", True),
    ("ike from alice to 2001:db8:51::10 leaves as untranslated", False),
    ("allow ike from 2001:db8:1::10 to 192.0.2.10", True),
]


@pytest.mark.parametrize(("expect", "fails"), EXPECTED)
def test_expectations(expect: str, fails: bool, codes) -> None:
    policy = ZONES + NAT + f"allow ike from lan to wan\nexpect {expect}\n"
    assert ("TG701" in codes(policy)) is fails


#: The same gateway without an `ipsec over` zone.
