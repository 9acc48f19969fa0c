"""Near misses of what the gateway itself, and what stands further out, does to tunnels."""

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
"""
PLAIN = ZONES + "allow ssh from lan to gateway\n"
ROUTED = "zone tunnel {{\n  interface {}\n  network   10.20.0.0/16\n}}\n"
MASQUERADED = [
    ("allow ipsec from hq to gateway", "lan to wan", True),
    ("allow esp from wan to 203.0.113.1", "lan to wan", True),
    ("allow ike from gateway to hq", "lan to wan", True),
    ("allow ipsec from hq to gateway", "lan to wan as 203.0.113.2", True),
    ("allow ipsec from hq to gateway", "lan to wan except hq", True),
    ("allow ipsec from hq to gateway", "lan to wan except 10.20.0.0/16", False),
    ("allow ipsec from hq to gateway", "lan to partners", False),
    ("allow ipsec from hq to gateway", "lan to one", False),
    ("allow ipsec from alice to gateway", "lan to wan", False),
    ("allow ipsec from alice to hq", "lan to wan", False),
    ("forward ipsec from hq to alice", "lan to wan", False),
    ("allow any from hq to gateway", "lan to wan", False),
    ("allow wireguard, l2tp-ipsec from wan to gateway", "lan to wan", False),
    ("allow udp/1-1000 from hq to gateway", "lan to wan", False),
    ("allow ipsec from hq to gateway\ndeny ipsec from wan to gateway", "lan to wan", False),
    ("allow ipsec from hq to gateway\n" + ROUTED.format("xfrm0"), "lan to wan", False),
    ("allow ipsec from hq to gateway\n" + ROUTED.format("vti*"), "lan to wan", False),
    ("allow ipsec from hq to gateway\n" + ROUTED.format("wg0"), "lan to wan", True),
]


@pytest.mark.parametrize(("statements", "nat", "masqueraded"), MASQUERADED)
def test_tunnels_of_the_gateway(statements: str, nat: str, masqueraded: bool, codes) -> None:
    found = codes(f"{PLAIN}nat from {nat}\n{statements}\n")
    assert found.get("TG301") == ("warning" if masqueraded else None)
    over = "zone hq-net {\n  ipsec over wan\n  network    10.20.0.0/16\n}\n"
    if "tunnel" not in statements:
        assert "TG301" not in codes(f"{PLAIN}{over}nat from {nat}\n{statements}\n")


#: The outside zone with other addresses of the gateway, and what passes by them.
FURTHER_OUT = [
    ("100.64.7.20", "allow esp from alice to hq", True),
    ("192.168.9.2", "allow ipsec from lan to hq with single", True),
    ("172.31.0.2", "allow ah from gateway to hq", True),
    ("10.0.0.2", "allow ah from hq to gateway", True),
    ("10.0.0.2", "forward esp from hq to alice", True),
    ("100.64.7.20", "allow ah from alice to hq", False),
    ("100.63.7.20", "allow esp from alice to hq", False),
    ("100.64.7.20", "allow ipsec-nat-t from alice to hq", False),
    ("100.64.7.20", "allow any from alice to hq", False),
    ("100.64.7.20", "allow esp from alice to 10.1.1.1", False),
    ("100.64.7.20", "allow esp from 10.1.1.1 to gateway", False),
    ("100.64.7.20", "allow esp from 2001:db8:1::10 to hq", False),
    ("100.64.7.20", "allow esp from alice to hq\ndeny esp from lan to wan", False),
    ("100.64.7.20", "allow esp from alice to one", False),
    ("100.64.7.20", "forward esp from 10.1.1.1 to alice", False),
    ("100.64.7.20, 203.0.113.7", "allow esp from hq to 203.0.113.7", False),
    ("100.64.7.20, 203.0.113.7", "allow esp from hq to 100.64.7.20", True),
    (
        "100.64.7.20, 203.0.113.7",
        "nat from alice to hq as 203.0.113.7\nallow esp from alice to hq",
        False,
    ),
    ("2001:db8::1", "allow esp from alice to hq", False),
]


@pytest.mark.parametrize(("addresses", "statements", "further"), FURTHER_OUT)
def test_translated_further_out(addresses: str, statements: str, further: bool, codes) -> None:
    zones = ZONES.replace("203.0.113.1, 203.0.113.2, 2001:db8::1", addresses)
    policy = zones + "nat from lan to wan\n" + statements + "\n"
    assert codes(policy).get("TG310") == ("advice" if further else None)
    dynamic = "\n".join(line for line in policy.splitlines() if addresses not in line)
    if not any(one in dynamic for one in ("203.0.113.7", "100.64")):
        assert "TG310" not in codes(dynamic + "\n")


def test_source_check_off(codes) -> None:
    assert codes(ZONES + "set antispoof off\n")["TG504"] == "warning"
    assert "TG504" not in codes(ZONES + "set antispoof on\n")
    assert "TG504" not in codes("zone wan {\n  interface eth0\n}\nset antispoof off\n")


@pytest.mark.parametrize(
    ("expect", "twice"),
    [
        ("allow ssh from lan to gateway", True),
        ("allow tcp/22 from lan to gateway", True),
        ("deny ssh from lan to gateway", False),
        ("allow ssh from alice to gateway", False),
        ("tcp/22 from lan to wan leaves as untranslated", False),
    ],
)
def test_expectations_said_twice(expect: str, twice: bool, codes) -> None:
    policy = ZONES + f"expect allow ssh from lan to gateway\nexpect {expect}\n"
    assert ("TG601" in codes(policy)) is twice
