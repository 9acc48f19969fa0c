"""One mistake is one finding, all else is still in the tree, and it takes no time to speak of."""

from __future__ import annotations

import random

import pytest

from tunnelgate.source import SourceFile
from tunnelgate.syntax import Parsed, ast, parse
from tunnelgate.syntax.lengths import LONGEST_LINE
from tunnelgate.syntax.reader import MANY

#: A line of the sample, a mistake made of it, and what is underlined then.
SEEDS = [
    ("gateway branch", "gatway branch", "gatway"),
    ("  interface eth0", "  interfaces eth0", "interfaces"),
    ("  address   203.0.113.1, 2001:db8::1", "  address   203.0.113.1 2001:db8::1", "2001:db8::1"),
    ("  group partners = 198.51.100.0/24", "  group partners 198.51.100.0/24", "198.51.100.0/24"),
    ("zone lan {", "zone 1an {", "1an"),
    ("  host concentrator = 192.168.1.10", "  host to = 192.168.1.10", "to"),
    ("nat from lan to wan ", "nat form lan to wan ", "form"),
    ("allow   ssh         from lan to gateway", "allow   ssh  from lan gateway", "gateway"),
    ("allow   pptp        from lan to wan   with helper", "permit pptp from lan to wan", "permit"),
    ("allow   any         from lan to hq-net", "allow any from lan to hq-net-", "hq-net-"),
    ("deny    tcp/25      from lan to wan   with log", "deny tcp / 25 from lan to wan", "tcp / 25"),
    ("expect deny  ah  from alice to hq", "expect deny  ah  from alice to hq;", ";"),
    ("expect ike from alice to hq leaves as 203.0.113.1", "expect ike from alice to hq leaves", ""),
]


@pytest.mark.parametrize("seed", range(40))
def test_seeded_mistakes(sample: str, seed: int) -> None:
    chosen = random.Random(seed).sample(SEEDS, k=seed % 5 + 1)
    text = sample
    for line, mistake, _ in chosen:
        assert text.count(line) == 1
        text = text.replace(line, mistake)
    parsed = parse(SourceFile(text))
    expected = sorted(
        (text.index(mistake) + (mistake.index(word) if word else len(mistake)), word)
        for _, mistake, word in chosen
    )
    found = [finding.primary.span for finding in parsed.diagnostics]
    assert [(span.start, span.text) for span in found] == expected
    assert outside(parsed) == outside(parse(SourceFile(sample)), without=chosen)


def outside(parsed: Parsed, without: list[tuple[str, str, str]] | None = None) -> list[ast.Node]:
    """The statements but zones, then the members of zones, but those of some lines."""
    lines = [line.strip() for line, _, _ in without or []]
    zones = [node for node in parsed.policy.statements if isinstance(node, ast.Zone)]
    members = [member for zone in zones for member in zone.members]
    if any("zone lan" in line for line in lines):
        members = [member for member in members if not in_zone(member, "lan")]
    others = [node for node in parsed.policy.statements if not isinstance(node, ast.Zone)]
    return [node for node in (*others, *members) if node.span.text.strip() not in lines]


def in_zone(member: ast.Member, name: str) -> bool:
    before = member.span.file.text[: member.span.start]
    return before.rsplit("zone ", 1)[1].startswith(name)


def statements(text: str) -> list[str]:
    return [type(node).__name__ for node in parse(SourceFile(text)).policy.statements]


def test_statements_behind_an_unclosed_zone_survive() -> None:
    text = "zone a {\n  interface eth0\n\nallow esp from a to b\nzone b {\n  interface eth1\n}\n"
    parsed = parse(SourceFile(text))
    (finding,) = parsed.diagnostics
    assert finding.message == "the zone `a` has no closing `}`"
    assert finding.primary.span.text == "zone a {"
    assert statements(text) == ["Zone", "Allow", "Zone"]
    zone = parsed.policy.statements[0]
    assert isinstance(zone, ast.Zone)
    assert len(zone.members) == 1


def test_the_zone_of_a_bad_head_is_kept_by_its_name() -> None:
    text = "zon wan {\n  interface eth0\n  hots x\n  mss clamp\n}\nallow esp from a to b\n"
    parsed = parse(SourceFile(text))
    assert len(parsed.diagnostics) == 2
    zone = parsed.policy.statements[0]
    assert isinstance(zone, ast.Zone)
    assert [type(member) for member in zone.members] == [ast.Interfaces, ast.Mss]
    assert zone.name.span.text == "wan"


def test_a_brace_inside_a_statement_does_not_swallow_the_next() -> None:
    assert statements("allow esp from a to b {\nallow ah from c to d\n") == ["Allow"]


def test_stops_after_so_many() -> None:
    parsed = parse(SourceFile("alow esp from a to b\n" * (MANY + 50)))
    assert len(parsed.diagnostics) == MANY + 1
    last = parsed.diagnostics[-1]
    assert last.message == f"stopped after {MANY} mistakes; the rest of the file was not read"
    assert last.primary.span.position == (MANY + 1, 1)


def test_stops_within_a_zone() -> None:
    parsed = parse(SourceFile("zone a {\n" + "  hots x\n" * (MANY + 50) + "}\n"))
    assert len(parsed.diagnostics) == MANY + 1
    assert parsed.diagnostics[-1].message.startswith("stopped after")
    assert parsed.diagnostics[-1].primary.span.position == (MANY + 2, 3)


def test_exactly_so_many_are_all_of_them() -> None:
    parsed = parse(SourceFile("alow esp from a to b\n" * MANY + "# the end\n"))
    assert len(parsed.diagnostics) == MANY


def test_empty_policy() -> None:
    for text in ("", "\n\n", "# to do\n", "## doc\n"):
        (finding,) = parse(SourceFile(text)).diagnostics
        assert finding.rule.code == "TG004"
        assert finding.message == "the policy has no statement"
        assert "zone wan { interface eth0 }" in finding.help


def test_line_without_end_is_refused() -> None:
    text = "allow esp from a to b\nallow " + "a, " * LONGEST_LINE + "\nallow ah from a to b\n"
    parsed = parse(SourceFile(text))
    (finding,) = parsed.diagnostics
    assert finding.message == "the line has 196,614 characters, more than 65,536"
    assert finding.primary.span.position == (2, 1)
    assert len(parsed.policy.statements) == 2


def test_long_names() -> None:
    text = "zone {0} {{\n  interface {0}\n}}\nallow ${0} from {0} to b\n".format("n" * 32)
    found = [finding.primary.span.text for finding in parse(SourceFile(text)).diagnostics]
    assert found == ["n" * 32, "$" + "n" * 32, "n" * 32]


PLAIN = "allow ike, nat-t, esp from 10.0.0.1 to 192.0.2.1\n"
MONSTERS = {
    "one line": "a" * 10_000_000,
    "one line of words": "allow " + "a, " * 3_300_000,
    "braces": "{" * 10_000_000,
    "closing lines": "}\n" * 1_000_000,
    "opening lines": "zone a {\n" * 500_000,
    "unclosed zones": "zone a {\n interface eth0\n" * 20_000,
    "commas": ",\n" * 1_000_000,
    "quotes": '"\n' * 1_000_000,
    "mistakes": "alow ike from a to b\n" * 5_000,
    "a mistake at the end": PLAIN * 20_000 + "alow\n",
    "a mistake at the beginning": "zone a {\n" + PLAIN * 20_000,
    "mistakes far apart": (PLAIN * 200 + "alow\n") * 100,
    "long zone": "zone a {\n" + "host h = 10.0.0.1\n" * 10_000 + "host h\n" * 50 + "}\n",
    "controls": "\a" * 1_000_000,
}


@pytest.mark.parametrize("text", MONSTERS.values(), ids=MONSTERS.keys())
def test_a_monster_gets_an_answer(text: str) -> None:
    """Quadratic work would make this suite hang: each is a hundred times what people write."""
    assert parse(SourceFile(text)).diagnostics


def test_a_bad_item_before_a_joining_word_behind_the_zone() -> None:
    """The zone ends before the line that begins with `to`, and reading goes on behind it."""
    text = "zone wan {\n  interface eth0\nfe80::1%eth0\nto lan {\n  interface eth1\n}\n"
    found = [one.message for one in parse(SourceFile(text)).diagnostics]
    assert found == [
        "the zone `wan` has no closing `}`",
        "unknown item `fe80::1%eth0` in a zone",
        "no line begins with `to`",
    ]
