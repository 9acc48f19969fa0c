"""TG312: an allow that no packet from the internet can make use of, and where one could."""

from __future__ import annotations

import pytest

ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq        = 192.0.2.10, 2001:db8:51::10
  host intranet  = 10.50.0.1
  group nets     = 192.0.2.0/24, 198.51.100.0/24
  group six      = 2001:db8:51::/64
  group partners = 198.51.100.0/24, 10.60.0.0/16
}
zone dsl {
  interface ppp0
}
zone lan {
  interface eth1
  address   192.168.1.1
  network   192.168.1.0/24
  host alice = 192.168.1.10
  group some = 192.168.1.64/26
}
zone dual {
  interface eth2
  network   192.168.2.0/24, 2001:db8:2::/64
  host box  = 192.168.2.10, 2001:db8:2::10
  host old  = 192.168.2.11
}
zone dmz {
  interface eth3
  network   198.18.0.0/24, 10.9.0.0/24
  host web  = 198.18.0.10
}
zone plant {
  interface eth4
  network   10.70.0.0/16
}
nat from lan, dual, dmz to wan, dsl
allow ssh from lan to gateway
"""
TUNNEL = "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"

FOUND = [
    (True, "allow https from wan to alice"),
    (True, "allow https from hq to alice"),
    (True, "allow https from wan, hq to alice, some"),
    (True, "allow any from wan to lan"),
    (True, "allow https from hq to old"),
    (True, "allow https from wan to old"),
    (True, "allow https from nets to dual except box, 2001:db8:2::/64"),
    (True, "allow https from wan to alice\nforward ssh from wan to alice"),
    (True, "allow https from wan to alice\nforward https from wan to 192.168.1.11"),
    (True, f"{TUNNEL}allow esp, ike from hq to gateway\nallow https from hq to alice"),
    # the other family
    (False, "allow https from wan to box"),
    (False, "allow https from wan to dual"),
    (False, "allow https from six to box"),
    # addresses of the internet, or not all are private
    (False, "allow https from wan to web"),
    (False, "allow https from wan to dmz"),
    # networks that are routed without the internet
    (False, "allow https from intranet to alice"),
    (False, "allow https from partners to alice"),
    (False, "allow https from wan except 10.0.0.0/8 to alice"),
    (False, "allow https from dsl to alice"),
    (False, "allow https from plant to alice"),
    (False, "allow https from lan to old"),
    (False, "allow https from wan to plant"),
    (False, "nat from plant except 10.70.0.0/24 to wan\nallow https from wan to plant"),
    # some of it works
    (False, "allow https from any to alice"),
    (False, "allow https from wan, plant to alice"),
    (False, "allow https from wan to alice, gateway"),
    (False, "allow https from wan to alice, web"),
    # it stands beside a forward, or the gateway decrypts
    (False, "allow https from wan to alice\nforward https from wan to alice"),
    (False, "allow tcp/443 from hq to alice\nforward tcp/8443 from wan to alice port 443"),
    (False, "allow https from hq to alice\nallow ike, esp from hq to gateway"),
    (False, "allow https from hq to alice\nallow nat-t from gateway to wan"),
    (False, f"{TUNNEL}allow https from site to alice"),
    (False, "deny https from wan to alice"),
    (False, "allow https from alice to wan"),
]


@pytest.mark.parametrize(("found", "statements"), FOUND)
def test_allow(found: bool, statements: str, codes) -> None:
    assert codes(f"{ZONES}{statements}\n").get("TG312") == ("advice" if found else None)


@pytest.mark.parametrize("address", ["10.1.1.1", "100.64.7.7", "203.0.113.1, 10.1.1.1"])
def test_a_gateway_behind_another_one_may_be_sent_to(address: str, codes) -> None:
    text = ZONES.replace("203.0.113.1", address)
    assert "TG312" not in codes(f"{text}allow https from wan to alice\n")


def test_a_gateway_without_nat_routes(codes) -> None:
    text = ZONES.replace("nat from lan, dual, dmz to wan, dsl\n", "")
    assert "TG312" not in codes(f"{text}allow https from wan to alice\n")


@pytest.mark.parametrize(
    ("statement", "message", "fixed"),
    [
        (
            "allow https from wan to alice with log",
            "nobody in `wan` can send to 192.168.1.10",
            ["forward https from wan to alice with log"],
        ),
        ("allow ipsec-ah from hq to alice", "nobody in `wan` can send to 192.168.1.10", []),
        ("allow https from hq to some", "nobody in `wan` can send to `some`", []),
    ],
)
def test_what_is_said(statement: str, message: str, fixed: list[str], check_text, told) -> None:
    text = f"{ZONES}{statement}\n"
    seen = told(text, next(one for one in check_text(text) if one.rule.code == "TG312"))
    assert (seen.message, list(seen.fixed)) == (message, fixed)
    assert seen.labels == (
        ("nat from lan, dual, dmz to wan, dsl", "leaves by the gateway's address"),
    )
