"""TG604: which names of a policy are used, and by what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.diagnostics import Severity
from tunnelgate.policy import Policy

POLICY = """\
param port : port = 8443
zone wan {
  interface eth0
  host  hq       = 192.0.2.10
  group partners = 198.51.100.0/24
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host  alice = 192.168.1.10
  group staff = 192.168.1.64/26
}
zone dmz {
  interface eth2
  network   172.16.5.0/24
}
zone hq-net {
  ipsec over wan
  network 10.20.0.0/16
}
protocol corp = udp/9443
"""
#: What uses which of the names above: `wan` carries an `ipsec over` zone in any case.
NAMES = {"port", "hq", "partners", "lan", "alice", "staff", "dmz", "hq-net", "corp"}
USES = [
    ("", set()),
    ("allow ssh from lan to gateway", {"lan"}),
    ("allow ssh from alice to gateway", {"alice", "lan"}),
    ("allow ssh from 192.168.1.77 to gateway", {"lan"}),
    ("allow ssh from any to gateway", {"lan", "dmz", "hq-net"}),
    ("allow ssh from lan except alice to gateway", {"lan", "alice"}),
    ("deny corp from lan to hq", {"corp", "lan", "hq"}),
    ("allow any except corp from lan to wan", {"corp", "lan"}),
    ("allow udp/$port from staff to wan", {"port", "staff", "lan"}),
    ("allow wireguard port $port from dmz to wan", {"port", "dmz"}),
    ("protocol other = corp + tcp/1\nallow other from dmz to wan", {"corp", "dmz"}),
    ("nat from staff to partners", {"staff", "lan", "partners"}),
    (
        "nat from lan to wan\nforward https from partners at dmz to alice",
        NAMES - {"port", "hq", "staff", "hq-net", "corp"},
    ),
    ("expect deny ssh from alice to hq-net", {"alice", "lan", "hq-net"}),
    ("nat from lan to wan\nexpect https from wan to gateway reaches alice", {"lan", "alice"}),
]


def unused(policy: Policy) -> set[str]:
    return {one.name for one in policy.unused}


@pytest.mark.parametrize(("statements", "used"), USES)
def test_what_uses_a_name(
    statements: str, used: set[str], policy_of: Callable[[str], Policy]
) -> None:
    assert unused(policy_of(POLICY + statements + "\n")) == NAMES - used


def test_a_group_uses_what_it_is_made_of(policy_of: Callable[[str], Policy]) -> None:
    zone = (
        "zone far {\n  interface eth9\n  host one = 10.1.1.1\n  group all = one, 10.2.0.0/16\n}\n"
    )
    assert unused(policy_of(zone)) == {"far", "all"}
    assert unused(policy_of(zone + "allow ssh from all to gateway\n")) == set()


def test_a_question_asked_later_uses_nothing(policy_of: Callable[[str], Policy]) -> None:
    policy = policy_of(POLICY)
    before = unused(policy)
    tunnelgate.decide(policy, "ssh from alice to hq")
    assert unused(policy) == before


def test_each_kind_is_told(check_text) -> None:
    found = [one for one in check_text(POLICY) if one.rule.code == "TG604"]
    assert {one.severity for one in found} == {Severity.ADVICE}
    assert [(one.primary.span.text, one.message) for one in found] == [
        ("param port : port = 8443", "nothing uses the parameter `port`"),
        ("hq", "nothing uses the host `hq`"),
        ("partners", "nothing uses the group `partners`"),
        ("lan", "no statement is about zone `lan`"),
        ("alice", "nothing uses the host `alice`"),
        ("staff", "nothing uses the group `staff`"),
        ("dmz", "no statement is about zone `dmz`"),
        ("hq-net", "no statement is about zone `hq-net`"),
        ("corp", "nothing uses the protocol `corp`"),
    ]


def test_names_of_an_included_file_are_there_for_others(tmp_path: Path) -> None:
    (tmp_path / "all.tg").write_text("protocol corp = udp/9443\nprotocol own = udp/9444\n")
    main = tmp_path / "main.tg"
    main.write_text(
        'include "all.tg"\nprotocol left = tcp/1\nzone lan { interface eth1 }\n'
        "allow ssh, corp from lan to gateway\n"
    )
    found = tunnelgate.check(main)
    assert [(one.rule.code, one.primary.span.text) for one in found] == [("TG604", "left")]
