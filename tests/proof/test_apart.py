"""Zones of connection tracking are proved: each wrong range, host, zone or place is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from judging import refuted

import tunnelgate
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.plan import build
from tunnelgate.policy import Policy
from tunnelgate.target import Layout, Setup, find

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1
  host  hq       = 192.0.2.10
  group partners = 198.51.100.0/24
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  address   192.168.1.1
  host a = 192.168.1.10
  host b = 192.168.1.20
}
nat from lan to wan
allow esp from a to hq
allow esp from hq to gateway
"""
STATEMENTS = """forward esp from hq, partners to a with spi 0x1000-0x1fff
forward esp from wan to b with spi 0x2000-0x2fff
forward esp from wan to b with spi 0x3000-0x3000
"""
TWO_WANS = (
    ZONES
    + STATEMENTS
    + "zone wan2 { interface eth2 }\nforward esp from wan2 to b with spi 9999-10000\n"
)
DYNAMIC = ZONES.replace("  address   203.0.113.1\n", "") + STATEMENTS
#: What else is allowed to the host of a limited forward is nothing of what that takes.
LIMITED = (
    ZONES
    + "forward any except ah from partners to b with limit 5/second, spi 0x2000-0x2fff\n"
    + "allow udp/500 except ike from any to b\n"
)
TUNNEL = (
    ZONES
    + STATEMENTS
    + """zone site {
  ipsec over wan
  network 10.20.0.0/16
}
forward esp from site at wan to a with spi 0x5000-0x5fff
"""
)


TRACKED = ZONES + STATEMENTS + "allow esp from lan to wan with tracking\n"


def emitted(policy: Policy, layout: Layout = "whole") -> str:
    """The ruleset of a policy, whatever the checks say of it."""
    return find("nftables").emit(build(policy), Setup(layout)).files["ruleset.nft"]


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize(
    "text",
    [ZONES + STATEMENTS, TWO_WANS, DYNAMIC, LIMITED, TUNNEL, TRACKED],
    ids=["plain", "two", "dynamic", "limited", "tunnel", "tracked"],
)
def test_it_is_proved(text: str, layout: Layout) -> None:
    policy = tunnelgate.load(text)
    assert refuted(policy, "nftables", {"ruleset.nft": emitted(policy, layout)}, layout) == []


def is_caught(policy: Policy, target: str, files: Mapping[str, str]) -> bool:
    """Whether a ruleset is refuted, or refused because nobody can say what it means."""
    try:
        return bool(refuted(policy, target, files, most=1))
    except (Unmodelled, ValueError):
        return True


#: What is changed in the ruleset, each time that it stands there.
WRONG = [
    ("0x1000-0x1fff", "0x1000-0x1ffe"),
    ("0x2000-0x2fff", "0x1fff-0x2fff"),
    ("0x1000-0x1fff", "0x0fff-0x1fff"),
    ("0x1000-0x1fff", "0x1001-0x1fff"),
    (r"(?<!-)0x3000(?!-)", "0x3001"),
    (" : 3147", " : 3157"),
    (" : 3157", " : 3147"),
    (" : 3147", " : 3148"),
    (r"(?<= : )192\.168\.1\.10", "192.168.1.20"),
    (r"192\.168\.1\.20 \. ", "192.168.1.21 . "),
    (r"192\.0\.2\.10 \. ", "192.0.2.11 . "),
    (r" \. 192\.0\.2\.10", " . 192.0.2.9"),
    (r"198\.51\.100\.0/24", "198.51.100.0/25"),
    (r" \. 203\.0\.113\.1", " . 203.0.113.2"),
    ("3232235786 ", "3232235787 "),
    (" 3221225994 ", " 3221225995 "),
    (r"(?<=priority )raw", "mangle"),
    (r"(?<=priority )raw", "filter"),
    (r'(?<=iifname )"eth0"(?= ct zone)', '"eth1"'),
    (r'(?<=iifname )"eth1"(?= meta l4proto 50 ct zone set)', '"eth0"'),
    ("(?<=meta l4proto )50(?= ct zone set)", "51"),
    (r"goto about-esp", "drop"),
    ("@th,136,8 50", "@th,136,8 51"),
    ("@th,136,8 50", "@th,136,8 != 50"),
    ("@th,136,8 50", "@th,128,8 50"),
    ("@th,64,8 0x45", "@th,64,8 0x46"),
    (r"@th,192,32 \. @th,160,32(?= map)", "@th,160,32 . @th,192,32"),
    (r"@th,192,32 \. @th,224,32(?= map)", "@th,192,32 . @th,256,32"),
    (r"(?<={ )@nh,128,32 \. @th,0,32", "@nh,96,32 . @th,0,32"),
    (r"ct zone 1-4095 add", "ct zone 1-4095 accept; add"),
    (r"icmp type \{ 3, 11, 12 \}(?= @th)", "icmp type { 3, 11 }"),
]


@pytest.mark.parametrize(("what", "by"), WRONG)
def test_what_is_wrong_is_noticed(what: str, by: str) -> None:
    policy = tunnelgate.load(ZONES + STATEMENTS)
    text = emitted(policy)
    places = list(re.finditer(what, re.sub(r"#.*", lambda one: " " * len(one[0]), text)))
    assert places
    for place in places:
        if '"' in text[text.rfind("\n", 0, place.start()) : place.start()].partition("comment")[2]:
            continue  # in a comment
        changed = text[: place.start()] + by + text[place.end() :]
        line = changed[changed.rfind("\n", 0, place.start()) : changed.find("\n", place.start())]
        assert is_caught(policy, "nftables", {"ruleset.nft": changed}), line


@pytest.mark.parametrize(
    "left_out", ["keep-apart", "keep-own-errors-apart", "about-esp", "translate-destination"]
)
def test_a_chain_that_is_left_out_is_noticed(left_out: str) -> None:
    policy = tunnelgate.load(ZONES + STATEMENTS)
    text = re.sub(rf"\tchain {left_out} {{\n.*?\n\t}}\n", "", emitted(policy), flags=re.DOTALL)
    assert is_caught(policy, "nftables", {"ruleset.nft": text})


def test_the_zone_of_two_hosts_is_no_zone_of_one() -> None:
    policy = tunnelgate.load(ZONES + STATEMENTS)
    text = emitted(policy).replace(" : 3157", " : 3147")
    found = refuted(policy, "nftables", {"ruleset.nft": text})
    assert {one.obligation for one in found} == {"O5"}


def test_other_numbers_mean_the_same() -> None:
    policy = tunnelgate.load(ZONES + STATEMENTS)
    text = emitted(policy).replace(" : 3157", " : 7")
    assert refuted(policy, "nftables", {"ruleset.nft": text}) == []


@pytest.mark.parametrize("zone", ["0", "65536", "3-4"])
def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    policy = tunnelgate.load(ZONES + STATEMENTS)
    text = emitted(policy).replace(" : 3157", f" : {zone}")
    with pytest.raises(Unmodelled):
        find("nftables").read({"ruleset.nft": text})  # type: ignore[attr-defined]
