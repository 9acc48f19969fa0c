"""The rules that are shown of a ruleset are those that decide: others in their place change it."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def read(text: str) -> dict:
    target = find("nftables")
    assert isinstance(target, Readable)
    return dict(target.read({FILE: text}))


@pytest.fixture(scope="module")
def policy() -> tunnelgate.Policy:
    return tunnelgate.load(ROOT / "examples/branch-office/branch.tg")


@pytest.fixture(scope="module")
def text(policy: tunnelgate.Policy) -> str:
    return tunnelgate.compile(policy, prove=False).files[FILE]


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
def test_a_rule_that_is_shown_decides(policy: tunnelgate.Policy, text: str, question: str) -> None:
    found = Lines(policy, {FILE: text}, read(text))
    flipped = 0
    for case in tunnelgate.explain(policy, question):
        rules = found.of(case)
        assert rules
        for rule in rules:
            other = without(text, rule)
            if other is not None:
                flipped += 1
                assert verdicts(policy, other, case) != verdicts(policy, text, case), rule
    assert flipped


def without(text: str, rule: Emitted) -> str | None:
    """The ruleset that does the opposite there; None for what gives no verdict."""
    lines = text.splitlines()
    words = lines[rule.line - 1]
    assert words.strip() == rule.text
    for one, other in (("accept", "drop"), ("drop", "accept")):
        if one in rule.text.partition(" comment ")[0].split():
            lines[rule.line - 1] = words.replace(one, other, 1)
            return "\n".join(lines) + "\n"
    return None


def verdicts(policy: tunnelgate.Policy, text: str, case: Case) -> list:
    world = World(policy)
    linux = Linux(read(text)[case.family], world, case.family)
    zone = world.zones[case.arrival.zone]
    way = Way(zone, world.interfaces(zone)[0], decrypted=zone.over is not None)
    return [
        (part, rows[0].label)
        for box in case.boxes
        for part, rows in cases([linux.new(way, 0)[0]], box, final=[DROP])
    ]


def test_rules_of_each_hook_are_shown(policy: tunnelgate.Policy, text: str) -> None:
    found = Lines(policy, {FILE: text}, read(text))

    def chains(question: str) -> list[str]:
        case = next(one for one in tunnelgate.explain(policy, question) if one.fate.passes)
        return [rule.chain for rule in found.of(case)]

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


def test_what_has_no_lines_is_not_shown(text: str) -> None:
    files = {FILE: text}
    assert is_shown(files, read(text))
    assert not is_shown(files, {})
    assert not is_shown(files, {4: "another model"})
    assert not is_shown({"other": text}, read(text))
