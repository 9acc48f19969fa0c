"""The rules that are shown of a ruleset are those that decide: others in their place change it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from judging import refuted

import tunnelgate
from tunnelgate.flows.fields import DROP
from tunnelgate.flows.firstmatch import cases
from tunnelgate.meaning.explain import Case
from tunnelgate.proof.emitted import Emitted, Lines, is_shown
from tunnelgate.proof.linux import Linux, Way
from tunnelgate.proof.world import World
from tunnelgate.target import Readable, find

ROOT = Path(__file__).parents[2]
FILE = "ruleset.nft"
Files = Mapping[str, str]


def read(files: Files) -> dict:
    target = find("nftables" if FILE in files else "iptables")
    assert isinstance(target, Readable)
    return dict(target.read(files))


@pytest.fixture(scope="module")
def policy() -> tunnelgate.Policy:
    return tunnelgate.load(ROOT / "examples/branch-office/branch.tg")


@pytest.fixture(scope="module", params=["nftables", "iptables"])
def files(policy: tunnelgate.Policy, request: pytest.FixtureRequest) -> Files:
    return tunnelgate.compile(policy, request.param, prove=False).files


QUESTIONS = [
    "esp from lan to wan",
    "ipsec from lan to wan",
    "tcp/25 from lan to wan",
    "ipsec from partners to gateway",
    "ssh from lan to gateway",
    "any from hq-net to lan",
    "any from lan to hq-net",
    "ping from wan to lan",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_rule_that_is_shown_decides(
    policy: tunnelgate.Policy, files: Files, question: str
) -> None:
    found = Lines(policy, files, read(files))
    flipped = 0
    asked = tunnelgate.explain(policy, question)
    for case, rules in zip(asked, found.of(asked), strict=True):
        assert rules
        for rule in rules:
            other = without(files, rule)
            if other is not None:
                flipped += 1
                assert verdicts(policy, other, case) != verdicts(policy, files, case), rule
    assert flipped


def without(files: Files, rule: Emitted) -> Files | None:
    """The ruleset that does the opposite there; None for what gives no verdict."""
    lines = files[rule.file].splitlines()
    words = lines[rule.line - 1]
    assert words.strip() == rule.text
    said = re.sub(r'comment "[^"]*"', "", rule.text).split()
    for one, other in (("accept", "drop"), ("ACCEPT", "DROP")):
        for old, new in ((one, other), (other, one)):
            if old in said:
                lines[rule.line - 1] = re.sub(rf"\b{old}\b(?=[^\"]*$|\s+comment)", new, words)
                return {**files, rule.file: "\n".join(lines) + "\n"}
    return None


def verdicts(policy: tunnelgate.Policy, files: Files, case: Case) -> list:
    world = World(policy)
    linux = Linux(read(files)[case.family], world, case.family)
    zone = world.zones[case.arrival.zone]
    way = Way(zone, world.interfaces(zone)[0], decrypted=zone.over is not None)
    return [
        (part, rows[0].label)
        for box in case.boxes
        for part, rows in cases([linux.new(way, 0)[0]], box, final=[DROP])
    ]


def test_cases_at_once_meet_what_each_meets_alone(policy: tunnelgate.Policy, files: Files) -> None:
    found = Lines(policy, files, read(files))
    zones = [zone.name for zone in policy.zones]
    asked = [
        case
        for one in zones
        for other in zones
        for case in tunnelgate.explain(policy, f"any from {one} to {other}")
    ]
    assert found.of(asked) == [found.of([case])[0] for case in asked]


def test_what_no_line_of_a_file_says_is_not_shown() -> None:
    policy = tunnelgate.load(ROOT / "examples/beside-docker/edge.tg")
    files = tunnelgate.compile(policy, "iptables", layout="shared", prove=False).files
    ((rule,),) = Lines(policy, files, read(files)).of(
        [case for case in tunnelgate.explain(policy, "tcp/25 from lan to wan") if case.family == 4]
    )
    assert rule.line and "DROP" in rule.text


def test_what_begins_nothing_meets_the_drop_of_invalid_packets(
    policy: tunnelgate.Policy, files: Files
) -> None:
    (case,) = tunnelgate.explain(policy, "icmp/echo-reply from alice to hq")
    ((rule,),) = Lines(policy, files, read(files)).of([case])
    assert "invalid" in rule.text.lower()


def test_rules_of_each_hook_are_shown(policy: tunnelgate.Policy) -> None:
    files = tunnelgate.compile(policy, prove=False).files
    found = Lines(policy, files, read(files))

    def chains(question: str) -> list[str]:
        case = next(one for one in tunnelgate.explain(policy, question) if one.fate.passes)
        return [rule.chain for rule in found.of([case])[0]]

    assert chains("esp from partners to 203.0.113.1") == ["translate-destination", "pair.wan.lan"]
    assert chains("ike from alice to hq") == ["translate-source", "pair.lan.wan"]
    assert chains("tcp/1723 from alice to hq") == [
        "give-helpers",
        "translate-source",
        "pair.lan.wan",
    ]
    assert chains("ssh from gateway to gateway") == ["input"]
    assert chains("icmpv6/135 from lan to gateway") == ["input.lan"]
    assert chains("icmpv6/1 from lan to wan") == ["forward.lan"]
    assert chains("ssh from gateway to hq") == []


def test_what_has_no_lines_is_not_shown(files: Files) -> None:
    assert is_shown(files, read(files))
    assert not is_shown(files, {})
    assert not is_shown(files, {4: "another model"})
    assert not is_shown({"other": ""}, read(files))


PF = """zone wan {
  interface em0
  address   203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface em1
  network   192.168.1.0/24
  address   192.168.1.1
  host alice = 192.168.1.20
}
zone site {
  ipsec over wan
  network 10.20.0.0/16
}
nat from lan to wan
allow ssh         from lan to gateway
allow ipsec-nat-t from lan to wan
allow any         from lan to site
allow http        from site to lan
deny  tcp/25      from lan to wan with log
forward https     from wan to alice
"""


@pytest.mark.parametrize("target", ["pf", "pf-classic"])
@pytest.mark.parametrize(
    "question",
    [
        "esp from alice to hq",
        "ike from lan to wan",
        "tcp/25 from lan to wan",
        "https from hq to 203.0.113.1",
        "https from hq to 192.168.1.1",
        "ssh from lan to gateway",
        "ssh from lan to site",
        "http from site to lan",
        "dns from gateway to hq",
    ],
)
def test_a_rule_of_pf_that_is_shown_decides(target: str, question: str) -> None:
    policy = tunnelgate.load(PF)
    files = tunnelgate.compile(policy, target, prove=False).files
    readable = find(target)
    assert isinstance(readable, Readable)
    asked = tunnelgate.explain(policy, question)
    found = Lines(policy, files, readable.read(files)).of(asked)
    for case, rules in zip(asked, found, strict=True):
        rule = rules[-1]
        said, other = ("pass", "block") if case.fate.passes else ("block", "pass")
        lines = files[rule.file].splitlines()
        assert lines[rule.line - 1].startswith(said) and not rule.chain
        opposite = re.sub(rf"^{said}", other, rule.text)
        opposite = re.sub(r" keep state( \([^)]*\))?( allow-opts)?", "", opposite)
        lines[rule.line - 1] = opposite
        assert refuted(policy, target, {rule.file: "\n".join(lines) + "\n"}, most=1)


MODERN = """ssh from lan to gateway
match in to (self) tag tg.gateway
pass in quick on em1 proto 6 to any port 22 tagged tg.gateway keep state

https from hq to 203.0.113.1
match in on em0 inet proto { 6 17 } to 203.0.113.1 port 443 rdr-to 192.168.1.20 tag tg:wan:forward
pass in quick on em0 inet proto { 6 17 } to 192.168.1.20 port 443 tagged tg:wan:forward keep state
pass out quick on em1 tagged tg:wan:forward keep state

nat-t from alice to hq
pass in quick on em1 no state tag tg:lan
match out on em0 inet proto 17 from any port 500 tagged tg:lan nat-to (em0:0) static-port
match out on em0 inet tagged tg:lan nat-to (em0:0) tag tg:lan:nat
match out all tagged tg:lan:nat tag tg:lan
pass out quick on em0 proto 17 to any port { 500 4500 } tagged tg:lan keep state

dns from gateway to hq
pass out quick all keep state allow-opts

http from hq to alice
pass in quick on em0 no state tag tg:wan
block out quick all tagged tg:wan
"""
CLASSIC = """ssh from lan to gateway
block in to (self) tag tg.gateway
pass in quick on em1 proto 6 to any port 22 tagged tg.gateway keep state

https from hq to 203.0.113.1
rdr on em0 inet proto { 6 17 } to 203.0.113.1 port 443 tag tg:wan:forward -> 192.168.1.20
pass in quick on em0 inet proto { 6 17 } to 192.168.1.20 port 443 tagged tg:wan:forward keep state
pass out quick on em1 tagged tg:wan:forward keep state

nat-t from alice to hq
pass in quick on em1 no state tag tg:lan
nat on em0 inet proto 17 from any port 500 tagged tg:lan -> (em0:0) static-port
nat on em0 inet tagged tg:lan -> (em0:0)
pass out quick on em0 proto 17 to any port { 500 4500 } tagged tg:lan keep state
"""


@pytest.mark.parametrize(("target", "told"), [("pf", MODERN), ("pf-classic", CLASSIC)])
def test_rules_of_pf_are_told_as_they_are_asked(target: str, told: str) -> None:
    policy = tunnelgate.load(PF)
    files = tunnelgate.compile(policy, target, prove=False).files
    readable = find(target)
    assert isinstance(readable, Readable)
    found = Lines(policy, files, readable.read(files))
    for question, *lines in map(str.splitlines, told.split("\n\n")):
        (case,) = tunnelgate.explain(policy, question)
        texts = [rule.text for rule in found.of([case])[0]]
        assert [
            re.sub(r" label .*|(?<=static-port) tag .*", "", text) for text in texts
        ] == lines, question
