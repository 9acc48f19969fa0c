"""Hosts and groups at addresses of the gateway's own: whose packets are never those of a zone."""

from __future__ import annotations

import pytest

ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq   = 192.0.2.10
  host self = 127.0.0.1
}
zone lan {
  interface eth1
  network   192.168.1.0/24, 203.0.113.0/28
  address   192.168.1.1, 192.168.1.2
  host alice  = 192.168.1.10
  host router = 192.168.1.1
  host edge   = 203.0.113.1
  group mixed = router, alice
  group both  = 192.168.1.1-192.168.1.2
}
zone dmz {
  interface eth2
  network   10.9.0.0/24
}
nat from lan to wan
allow ssh from lan to gateway
"""

FORWARDS = [
    ("error", "https from wan to router"),
    ("error", "https from wan to edge"),
    ("error", "tcp/8443 from hq at 203.0.113.1 to router port 443"),
    ("error", "https from wan to self"),
    ("error", "https from wan to router with hairpin"),
    (None, "https from wan to alice"),
    (None, "https from wan to 192.168.1.3"),
]


@pytest.mark.parametrize(("severity", "forward"), FORWARDS)
def test_forward(severity: str | None, forward: str, codes) -> None:
    assert codes(ZONES + f"forward {forward}\n").get("TG311") == severity


def test_a_forward_to_the_gateway_has_no_other_advice(codes) -> None:
    assert "TG303" not in codes(ZONES + "forward https from wan to self\n")


@pytest.mark.parametrize(
    ("forward", "help", "fixed"),
    [
        (
            "forward https, ssh from wan to router with log",
            "write `allow https, ssh from wan to gateway`",
            ["allow https, ssh from wan to gateway with log"],
        ),
        (
            "forward https from wan at 203.0.113.1 to router with hairpin",
            "write `allow https from wan to 203.0.113.1`",
            [],
        ),
        (
            "forward https from wan at wan to router",
            "write `allow https from wan to gateway`",
            [],
        ),
        (
            "forward tcp/8443 from wan to router port 443",
            (
                "let the gateway's own service listen on 8443, and write `allow tcp/8443 from wan "
                "to gateway`"
            ),
            [],
        ),
    ],
)
def test_what_is_said(forward: str, help: str, fixed: list[str], check_text, told) -> None:
    text = ZONES + forward + "\n"
    seen = told(text, next(one for one in check_text(text) if one.rule.code == "TG311"))
    assert seen.message == "`router` is the gateway itself"
    assert seen.primary == ("router", "192.168.1.1 is its own address")
    assert seen.help == help
    assert list(seen.fixed) == fixed


NOTHING = [
    ("warning", "allow https from wan to router"),
    ("warning", "deny https from wan to edge"),
    ("warning", "deny https from router to wan"),
    ("warning", "allow https from wan to both"),
    ("warning", "nat from router to wan"),
    (None, "allow https from wan to mixed"),
    (None, "allow https from wan to router, alice"),
    (None, "deny https from wan to 192.168.1.1"),
    (None, "allow https from wan to 192.168.1.0/30"),
]


@pytest.mark.parametrize(("severity", "statement"), NOTHING)
def test_statement(severity: str | None, statement: str, codes) -> None:
    assert codes(ZONES + statement + "\n").get("TG607") == severity


def test_what_is_said_of_a_statement(check_text, told) -> None:
    text = ZONES + "deny https from wan to router, edge\n"
    seen = told(text, next(one for one in check_text(text) if one.rule.code == "TG607"))
    assert seen.message == "`router, edge` is the gateway itself"
    assert seen.primary == ("router, edge", "its own addresses")
    assert seen.help == "write `gateway`, or the address itself"
