"""TG606: what makes a zone reached, and what does not."""

from __future__ import annotations

import pytest

ZONES = """\
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
zone dmz {
  interface eth2
  network 172.16.5.0/24
  address 172.16.5.1
  host box = 172.16.5.10
}
allow ssh from lan to gateway
allow https from lan to wan
"""
SIX = "zone six {\n  interface eth3\n  network 2001:db8:6::/64\n}\n"
SEVEN = 'zone seven {\n  interface eth4\n  group nobody from "nobody"\n}\n'
FAR = "zone far {\n  ipsec over dmz\n  network 10.20.0.0/16\n}\n"
FOUND = [
    ("nat from dmz to wan", ["dmz"]),
    ("deny any from dmz to any", ["dmz"]),
    ("allow ssh from dmz to lan\ndeny ssh from box to any", []),
    ("allow ssh from dmz to lan\ndeny tcp/1-100 from dmz to any", ["dmz"]),
    (
        "allow http, ssh from lan to dmz\ndeny http from lan to dmz\ndeny ssh from any to dmz",
        ["dmz"],
    ),
    ("allow ssh from dmz to gateway", []),
    ("allow ntp from gateway to dmz", []),
    ("allow ssh from dmz to dmz", []),
    ("allow any from any to any", []),
    ("allow any from any except dmz to any except dmz\nnat from dmz to wan", ["dmz"]),
    # through a forward, whose port is that of the host
    ("forward http from wan to box port 8080", []),
    ("forward http from wan to box port 8080\ndeny tcp/8080 from wan to box", ["dmz"]),
    ("forward http from wan to box port 8080\ndeny http from wan to box", []),
    # what no packet can match is TG607's
    (f"{SIX}allow ssh from lan to six", []),
    (f"{SIX}allow ssh from lan to six, dmz", ["six"]),
    ("allow ssh from lan to dmz except 172.16.5.0/24", []),
    (f"{SEVEN}allow ssh from nobody to gateway", []),
    # what says `any` is about each zone
    (f"{SIX}deny tcp/25 from lan to any", ["dmz", "six"]),
    # the carrier of a tunnel is reached by what the tunnel carries
    (f"{FAR}deny any from dmz to lan\nallow any from lan to far", []),
    (
        f"{FAR}deny any from dmz to lan\nallow any from lan to far\ndeny any from any to far",
        ["dmz", "far"],
    ),
    ("allow l2tp-ipsec from dmz to gateway", []),
]


@pytest.mark.parametrize(("statements", "zones"), FOUND)
def test_unreached(statements: str, zones: list[str], check_text) -> None:
    findings = check_text(f"{ZONES}{statements}\n", [("nobody", "# yet\n")])
    found = [one.primary.span.text for one in findings if one.rule.code == "TG606"]
    assert found == zones
    named = [one.primary.span.text for one in findings if one.rule.code == "TG604"]
    assert not set(named) & set(found)


@pytest.mark.parametrize("output", ["allow", "deny"])
def test_what_the_gateway_sends_by_itself_is_said(output: str, check_text) -> None:
    text = f"{ZONES}nat from dmz to wan\nset gateway-output {output}\n"
    (found,) = (one for one in check_text(text) if one.rule.code == "TG606")
    assert ("only the gateway itself may send there" in found.help) == (output == "allow")
