"""Numbers of hosts that are told apart by SPI: nobody's who has been another's before."""

from __future__ import annotations

import tunnelgate
from tunnelgate.plan import LAST_APART, build
from tunnelgate.plan.apart import numbers
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import find

ZONES = """zone wan {
  interface eth0
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 10.0.0.0/8
HOSTS
}
nat from lan to wan
"""


def numbered(*addresses: str) -> dict[str, int]:
    """The number of each host, and the policy has no mistake."""
    hosts = "\n".join(f"  host h{at} = {one}" for at, one in enumerate(addresses))
    forwards = "".join(
        f"forward esp from hq to h{at} with spi {4096 + at * 16}-{4111 + at * 16}\n"
        for at in range(len(addresses))
    )
    policy, findings = resolve(parse(SourceFile(ZONES.replace("HOSTS", hosts) + forwards)).policy)
    assert not findings
    found = numbers(policy)
    assert {one.number for one in build(policy).apart} == set(found.values())
    return dict(zip(sorted(addresses), (found[key] for key in sorted(found)), strict=True))


def test_a_host_keeps_its_number_whoever_comes_and_goes() -> None:
    alone = numbered("10.0.5.20")
    assert numbered("10.0.5.10", "10.0.5.20", "10.0.5.30")["10.0.5.20"] == alone["10.0.5.20"]
    assert len(set(numbered("10.0.5.10", "10.0.5.20", "10.0.5.30").values())) == 3


def test_hosts_with_the_same_rest_have_different_numbers() -> None:
    # 4095 addresses further on
    found = numbered("10.0.5.20", "10.0.21.19", "10.0.37.18")
    assert len(set(found.values())) == 3
    assert all(1 <= one <= LAST_APART for one in found.values())


def test_the_last_number_is_followed_by_the_first_ones() -> None:
    last = "10.0.15.244"
    assert numbered(last) == {last: LAST_APART}
    twice = numbered(last, "10.0.31.243")
    assert sorted(twice.values()) == [1, LAST_APART]


def test_more_hosts_than_numbers_are_refused() -> None:
    many = [f"10.1.{at // 256}.{at % 256}" for at in range(1, LAST_APART + 2)]
    hosts = "\n".join(f"  host h{at} = {one}" for at, one in enumerate(many))
    forwards = "".join(
        f"forward esp from hq to h{at} with spi {4096 + at * 16}-{4111 + at * 16}\n"
        for at in range(len(many))
    )
    text = ZONES.replace("HOSTS", hosts) + forwards
    policy, findings = resolve(parse(SourceFile(text)).policy)
    assert not findings
    found = find("nftables").refuse(build(policy))
    assert [one.message for one in found] == ["more than 4095 hosts are told apart by SPI"]


def test_ipv6_is_refused() -> None:
    text = ZONES.replace("HOSTS", "  host a = fd00::1").replace("10.0.0.0/8", "fd00::/64")
    text = text.replace("192.0.2.10", "2001:db8::10").replace("nat from", "nat ipv6 from")
    text += "forward ipv6 esp from hq to a with spi 0x1000-0x1fff\n"
    found = [one for one in tunnelgate.check(text, ["nftables"]) if one.rule.code == "TG402"]
    assert [one.message for one in found] == ["`spi` cannot be done for IPv6 with nftables"]
