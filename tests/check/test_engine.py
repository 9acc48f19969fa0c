"""The policy of the language page, the order of findings, and what many statements cost."""

from __future__ import annotations

import time
from collections.abc import Callable

from tunnelgate.check import check
from tunnelgate.diagnostics import Severity
from tunnelgate.policy import Policy

BRANCH = """\
## Branch office gateway. Doc comments (##) travel into the report.
gateway branch

zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host  hq       = 192.0.2.10, 2001:db8:51::10
  group partners = 198.51.100.0/24
}

zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host concentrator = 192.168.1.10
  host alice        = 192.168.1.20
}

zone hq-net {
  ipsec over wan                 # packets the gateway's own IPsec protects
  network 10.20.0.0/16
}

nat from lan to wan              # masquerade; `as 203.0.113.1` for a fixed address

allow   ssh         from lan to gateway
allow   ipsec-nat-t from lan to wan
allow   pptp        from lan to wan   with helper
forward ipsec       from partners to concentrator
allow   ipsec       from hq to gateway
allow   any         from lan to hq-net
allow   any         from hq-net to lan
deny    tcp/25      from lan to wan   with log

expect allow ike from alice to hq
expect deny  ah  from alice to hq
expect esp from 198.51.100.200 to 203.0.113.1 reaches concentrator
expect ike from alice to hq leaves as 203.0.113.1
"""
ZONES = """\
zone wan {
  interface eth0
  address   203.0.113.1
}
zone lan {
  interface eth1
  network   10.0.0.0/8
  address   10.0.0.1
}
nat from lan to wan
allow ssh from lan to gateway
"""
MANY = 10_000
#: A tenth of a second on a fast machine; the test is about all pairs, which would take minutes.
SECONDS = 5.0


def test_the_sample_policy_has_nothing_to_complain_of(check_text) -> None:
    assert check_text(BRANCH) == []


def test_findings_stand_in_reading_order(check_text) -> None:
    found = check_text(ZONES + "allow gre, esp, ah from lan to wan\nallow ipip from lan to wan\n")
    assert [one.rule.code for one in found if one.severity is Severity.ERROR] == [
        "TG203",
        "TG201",
        "TG101",
        "TG204",
    ]


def host(number: int) -> str:
    """An address of the LAN."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def peer(number: int) -> str:
    """An address outside."""
    return f"60.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def test_many_statements_are_never_paired(policy_of: Callable[[str], Policy]) -> None:
    numbers = range(10, MANY + 10)
    shapes = [
        [f"allow ipsec from {host(one)} to {peer(one)}" for one in numbers],
        [f"allow esp from {host(one)} to {peer(10)}" for one in numbers],
        [f"forward tcp/{one} from wan to {host(one)}" for one in numbers],
        [f"deny esp from {host(one)} to {peer(one)}" for one in numbers]
        + ["allow ipsec from lan to wan"],
    ]
    for statements in shapes:
        policy = policy_of(ZONES + "\n".join(statements) + "\n")
        start = time.process_time()
        check(policy)
        assert time.process_time() - start < SECONDS, statements[0]
