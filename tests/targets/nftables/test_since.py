"""A stated version of nft: what needs a newer one is found, at its statement, and nothing else is.

Which construct came when was measured with these versions of nft; here the output is held to it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.target import Layout

#: Each example whose output is committed.
EXAMPLES = [
    policy
    for folder in sorted((Path(__file__).parents[3] / "examples").glob("*/expected"))
    for policy in folder.parent.glob("*.tg")
    if policy.stem != "broken"
]
ZONES = """zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host box = 192.168.1.10
}
nat from lan to wan
"""
#: The statement of the one example that needs more.
BY_SPI = "forward esp from branches to test with spi 0xc3000000-0xc3ffffff"
TRACKING = "allow ipsec from lan to wan with tracking"
LISTS = "203.0.113.0/28, 198.51.100.1, 198.51.100.7"


def found(policy: str | Path, stated: str, layout: Layout = "whole") -> set[str]:
    """The versions that are asked for, and the text of the place."""
    findings = tunnelgate.check(policy, ["nftables"], layout=layout, versions={"nftables": stated})
    texts = set()
    for one in findings:
        if one.rule.code == "TG405":
            span = one.primary.span
            place = " ".join(span.file.text[span.start : span.end].split())
            texts.add(f"{one.message.split()[-1]}: {place}")
    return texts


@pytest.mark.parametrize(
    ("statement", "needed", "before"),
    [
        ("allow ssh from lan to gateway", "0.9.4", "0.9.3"),
        ("allow tcp/80-90 from lan to hq", "0.9.5", "0.9.4"),
        ("allow ssh from 192.168.1.64/26 to hq", "0.9.5", "0.9.4"),
        ("forward tcp/80 from 198.51.100.0/24 to box", "0.9.7", "0.9.6"),
        ("forward tcp/80-90 from hq to box", "0.9.7", "0.9.6"),
        ("forward esp from hq to box with spi 0x1000-0x1fff", "1.0.6", "1.0.5"),
        ("allow ssh, ike from lan to hq with limit 3/minute", "0.9.2", "0.9.1"),
        ("allow ssh, udp/5-9 from lan to hq with limit 3/minute", "0.9.5", "0.9.4"),
        ("allow esp from lan to hq with tracking", "1.0.6", "1.0.5"),
    ],
)
def test_a_statement_needs_a_version(statement: str, needed: str, before: str) -> None:
    assert f"{needed}: {statement}" in found(ZONES + statement, before)
    assert found(ZONES + statement, needed) == set()


@pytest.mark.parametrize(
    ("statement", "enough"),
    [
        ("forward tcp/80 from hq to box", "0.9.4"),
        (
            "allow ike-alone from lan to hq with limit 3/minute\nprotocol ike-alone = udp/500",
            "0.9.1",
        ),
        ("forward tcp/8080 from 198.51.100.0/24 to box port 80", "0.9.5"),
        ("allow ip/60-70 from lan to wan", "0.9.4"),
    ],
)
def test_what_looks_like_it_does_not(statement: str, enough: str) -> None:
    assert found(ZONES + statement, enough) == set()


def test_a_ruleset_without_statements_is_there_for_its_first_zone() -> None:
    assert found(ZONES, "0.9.0") == {"0.9.1: wan"}


def test_without_a_version_nothing_is_asked_for() -> None:
    policy = ZONES + "forward tcp/80 from 198.51.100.0/24 to box"
    findings = tunnelgate.check(policy, ["nftables"])
    assert not [one for one in findings if one.rule.code == "TG405"]


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize("policy", EXAMPLES, ids=lambda path: path.stem)
def test_examples_load_with_the_oldest_that_is_supported(policy: Path, layout: Layout) -> None:
    newer = {"bare-esp": TRACKING, "servers-by-spi": BY_SPI}
    named = newer.get(policy.parent.name)
    assert found(policy, "0.9.7", layout) == ({f"1.0.6: {named}"} if named else set())
    assert found(policy, "0.9.3", layout)
