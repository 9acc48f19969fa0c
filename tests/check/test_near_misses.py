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
