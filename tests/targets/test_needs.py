"""What a ruleset needs of its gateway: tables, held to rulesets and to the running kernel."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from tunnelgate import conformance
from tunnelgate.plan import Plan, build, connections
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import Output, Setup, find
from tunnelgate_targets.iptables import needs as iptables
from tunnelgate_targets.kernel import Row
from tunnelgate_targets.nftables import needs as nftables

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.0.0/16
  host box = 192.168.1.10
}
nat from lan to wan
"""
CONFIG = Path("/proc/config.gz")
ROWS = {"nftables": nftables.ROWS, "iptables": iptables.ROWS}


def plan(text: str) -> Plan:
    parsed = parse(SourceFile(text, "policy.tg"))
    policy, findings = resolve(parsed.policy)
    assert not parsed.diagnostics and not findings, (*parsed.diagnostics, *findings)
    return build(policy)


def output(text: str, target: str, setup: Setup | None = None) -> Output:
    return find(target).emit(plan(text), setup or Setup())


@pytest.mark.parametrize("target", ROWS)
def test_every_row_is_of_something_that_is_emitted(target: str) -> None:
    texts = [case.text for case in conformance.CASES]
    # what no case has: many rows of each kind of set, an odd ICMP type, and a chain of claims
    kinds = (
        *("esp from 192.168.1.{n} to hq", "esp from 192.168.1.{n} to 198.18.{n}.0/24"),
        *("esp from 192.168.{n}.0/24 to 198.18.{n}.0/24", "esp from 192.168.1.{n} to wan"),
        *("esp from 192.168.{n}.0/24 to wan", "ping from 192.168.{n}.0/24 to 198.18.{n}.0/24"),
        *("any from 192.168.2.{n} to wan", "any from 192.168.{n}.0/24 to wan"),
    )
    many = [f"allow {kind}\n".replace("{n}", str(n)) for kind in kinds for n in range(1, 41)]
    texts.append(ZONES + "".join(many))
    texts.append(ZONES + "allow icmp/255, ip/0 from lan to wan\n")
    found: set[str] = set()
    for text in texts:
        made = plan(text)
        if not find(target).refuse(made):
            found.update(find(target).emit(made).requirements.autoloaded)
    assert {row.module for row in ROWS[target]} <= found


@pytest.mark.parametrize("target", ROWS)
def test_words_of_a_policy_ask_for_no_module(target: str) -> None:
    innocent = ZONES.replace("eth0", "masq").replace("nat from lan to wan\n", "")
    plain = output(innocent + "allow ssh from lan to wan\n", target).requirements.autoloaded
    text = innocent.replace("zone wan", "# -j MASQUERADE, masquerade, -m u32 \nzone wan")
    text += 'allow ssh from lan to wan with log "x -j MASQUERADE masquerade -m u32 "\n'
    logged = output(text, target).requirements.autoloaded
    assert {one for one in logged if "log" not in one.lower() and "limit" not in one} == set(plain)


@pytest.mark.parametrize("target", ROWS)
def test_what_nothing_loads_is_apart_from_what_the_kernel_loads(target: str) -> None:
    needs = output(ZONES + "allow pptp, ftp from lan to wan with helper\n", target).requirements
    assert needs.modules == ("nf_nat_ftp", "nf_nat_pptp")
    assert {"nf_conntrack_ftp", "nf_conntrack_pptp"} <= set(needs.autoloaded)
    assert not set(needs.modules) & set(needs.autoloaded)


def test_versions_are_those_of_what_is_used() -> None:
    def versions(text: str, target: str, setup: Setup | None = None) -> dict[str, str]:
        return dict(output(ZONES + text, target, setup).requirements.versions)

    few, pairs = "allow ssh from lan to wan\n", "allow ssh from 192.168.1.0/24 to hq\n"
    assert versions(few, "nftables") == {"linux": "5.10", "nft": "0.9.4"}
    assert versions(pairs, "nftables") == {"linux": "5.10", "nft": "0.9.5"}
    for zones in (
        "allow esp from lan to wan with tracking\n",
        "forward esp from hq to box with spi 0x100-0x1ff\n",
    ):
        assert versions(zones, "nftables") == {"linux": "6.1", "nft": "1.0.6"}
    assert versions(few, "iptables") == {"iptables": "1.6.0"}
    assert versions(few, "iptables", Setup("shared")) == {"iptables": "1.6.2"}
    many = "".join(f"allow esp from 192.168.1.{n} to hq\n" for n in range(20))
    assert versions(many, "iptables") == {"iptables": "1.6.0", "ipset": "7.5"}
    assert versions(few, "pf") == {"openbsd": "5.0", "freebsd": "15"}


def test_connections_are_counted_by_the_hosts_that_are_named() -> None:
    assert connections(plan(ZONES + "allow ssh from lan to wan\n")) == 1
    assert connections(plan(ZONES + "allow ssh from 192.168.2.0/25 to hq\n")) == 128
    assert connections(plan(ZONES + "allow ssh from 192.168.2.0/23 to hq\n")) == 1
    twice = "allow ssh from box to hq\nallow ntp from box to hq\nallow ssh from box to wan\n"
    assert connections(plan(ZONES + twice)) == 2


# -- the running kernel


@pytest.fixture(scope="module")
def config() -> dict[str, bool]:
    """Which options the kernel was built with; it tells only if it was built to."""
    if not CONFIG.exists():
        pytest.skip("this kernel does not tell how it was built")
    lines = gzip.decompress(CONFIG.read_bytes()).decode().splitlines()
    return {
        line.removeprefix("# ").removeprefix("CONFIG_").split("=")[0].split()[0]: "=" in line
        for line in lines
        if "CONFIG_" in line
    }


@pytest.mark.parametrize("row", [row for rows in ROWS.values() for row in rows], ids=str)
def test_options_are_the_kernels(row: Row, config: dict[str, bool]) -> None:
    assert row.option in config


@pytest.mark.parametrize(
    "row", [row for row in iptables.ROWS if row.module.startswith("ip_set_")], ids=str
)
def test_a_kernel_without_the_option_does_not_take_it(row: Row, config: dict[str, bool]) -> None:
    kind = row.sign.split()[-1]
    asked = subprocess.run(
        ["unshare", "-rn", "ipset", "create", "some", kind], capture_output=True, check=False
    )
    assert (asked.returncode == 0) == config[row.option]
