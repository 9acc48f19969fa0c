"""Chains at hooks where no list would see what they do: nothing is said to be proved of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from judging import refuted

import tunnelgate
from tunnelgate.flows.netfilter import Unmodelled

ROOT = Path(__file__).parents[2]
DROPPED, EARLY = "a drop before destinations", "a question about a connection before"
BEHIND, HELPER = "a helper behind the translation", "a helper where none is assigned"
LATE = "a filter of what leaves, before sources"
PREROUTING = "type filter hook prerouting priority mangle; policy accept;\n"
NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT"
FILTER = "*filter\n:INPUT DROP [0:0]\n"
CT = "-A tg-lan.helpers -m set"


@pytest.fixture(scope="module")
def policy() -> tunnelgate.Policy:
    return tunnelgate.load(ROOT / "examples/branch-office/branch.tg")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (PREROUTING, PREROUTING.replace("accept", "drop"), DROPPED),
        (PREROUTING, f"{PREROUTING}\t\tct state established drop\n", DROPPED),
        (PREROUTING, f"{PREROUTING}\t\tjump spoofed.lan\n", DROPPED),
        (PREROUTING, PREROUTING.replace("mangle", "filter"), BEHIND),
        (PREROUTING, PREROUTING.replace("mangle", "raw"), HELPER),
        (PREROUTING, f"{PREROUTING.replace('mangle', 'raw')}\t\tct state new accept\n", EARLY),
        (
            "chain forward.wan {\n",
            'chain forward.wan {\n\t\tct helper set "helper.pptp.tcp"\n',
            HELPER,
        ),
        ("nat hook postrouting", "nat hook input", "a chain that translates at input"),
        ("priority srcnat", "priority raw", "a translation before connections are known"),
        ("priority 110", "priority filter", LATE),
    ],
)
def test_nftables(policy: tunnelgate.Policy, old: str, new: str, why: str) -> None:
    expect_refused(policy, "nftables", "ruleset.nft", old, new, why)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("*mangle\n:PREROUTING ACCEPT", "*mangle\n:PREROUTING DROP", DROPPED),
        ("*raw\n:PREROUTING ACCEPT", "*raw\n:PREROUTING DROP", DROPPED),
        (NAT, NAT.replace("INPUT ACCEPT", "INPUT DROP"), "a chain that translates at input"),
        (CT, CT.replace("-m set", "-m conntrack --ctstate NEW -m set"), EARLY),
        (FILTER, f"{FILTER}-A INPUT -i eth1 -j CT --helper ftp\n", HELPER),
    ],
)
def test_iptables(policy: tunnelgate.Policy, old: str, new: str, why: str) -> None:
    expect_refused(policy, "iptables", "rules.v4", old, new, why)


def expect_refused(
    policy: tunnelgate.Policy, target: str, name: str, old: str, new: str, why: str
) -> None:
    files: Mapping[str, str] = tunnelgate.compile(policy, target=target, prove=False).files
    assert old in files[name]
    changed = {**files, name: files[name].replace(old, new, 1)}
    with pytest.raises(Unmodelled, match=why):
        refuted(policy, target, changed)
