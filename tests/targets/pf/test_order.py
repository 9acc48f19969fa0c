"""Order and options of the file: options, normalization, translation, filter (pf.conf(5))."""

from __future__ import annotations

import re

import pytest
from emitted import SITE, ZONES, lines, output

from tunnelgate_targets.pf import emit

EVERYTHING = (
    ZONES.replace("  host box ", "  mss clamp\n  host box ")
    + SITE
    + """nat from lan to wan
forward https from wan to box
allow any   from lan to site
allow https from lan to wan
allow ssh   from lan to gateway with log
deny tcp/25 from lan to wan
"""
)
STAGES = ("set", "table", "scrub", "nat", "rdr", "block|pass")


def stage(line: str) -> int:
    for number, words in enumerate(STAGES):
        if re.match(rf"(?:{words})\b", line):
            return number
    raise AssertionError(line)


def rules(target: str) -> list[str]:
    return [line for line in lines(EVERYTHING, target) if not line.startswith((" ", "}"))]


def test_the_classic_dialect_has_the_order_that_freebsd_enforces() -> None:
    seen = [stage(line) for line in rules("pf-classic")]
    nat, rdr = STAGES.index("nat"), STAGES.index("rdr")
    seen = [nat if one == rdr else one for one in seen]  # one stage: translation
    assert seen == sorted(seen)


def test_the_modern_dialect_has_no_word_of_the_classic_one() -> None:
    words = {line.split()[0] for line in rules("pf")}
    assert words == {"set", "table", "match", "block", "pass"}
    assert not any("->" in line for line in rules("pf"))


def test_the_classic_dialect_has_no_word_of_the_modern_one() -> None:
    text = "\n".join(rules("pf-classic"))
    assert not re.search(r"\bmatch\b|nat-to|rdr-to|scrub \(", text)


def test_the_filter_is_the_same_in_both() -> None:
    def filtered(target: str) -> list[str]:
        made = rules(target)
        found = made[made.index("block all") :]
        return [re.sub(r"^(?:match|block) in (.* tag tg\.)", r"mark in \1", one) for one in found]

    assert filtered("pf") == filtered("pf-classic")


def test_fragments_are_put_together() -> None:
    assert "set reassemble yes" in lines(ZONES, "pf")  # not the default of FreeBSD 15
    assert "scrub all fragment reassemble" in lines(ZONES, "pf-classic")
    assert not any(line.startswith("scrub in") for line in lines(ZONES, "pf-classic"))


def test_loopback_is_skipped_and_states_of_esp_live_as_long_as_elsewhere(target: str) -> None:
    made = lines(ZONES, target)
    assert "set skip on lo" in made
    assert "set block-policy drop" in made  # `return` tells ESP that a port is unreachable
    assert "set timeout { other.first 600, other.single 600, other.multiple 600 }" in made


def test_antispoof_is_never_used(target: str) -> None:
    """`antispoof for` a missing interface is no rule and no error."""
    assert not any("antispoof" in line for line in lines(EVERYTHING, target))


@pytest.mark.parametrize(
    ("value", "octets"), [("clamp", {"inet": 1360, "inet6": 1340}), ("1400", {"inet": 1400})]
)
def test_segments_in_both_directions(value: str, octets: dict[str, int]) -> None:
    text = ZONES.replace("  interface em0", f"  interface em0\n  mss {value}")
    for family, size in octets.items():
        modern = f"match on em0 {family} scrub (max-mss {size})"
        classic = f"scrub on em0 {family} all max-mss {size} fragment reassemble"
        assert modern in lines(text, "pf")
        made = lines(text, "pf-classic")
        assert made.index(classic) < made.index("scrub all fragment reassemble")


def test_segments_of_a_protected_network_are_those_of_enc0() -> None:
    text = ZONES + SITE.replace("}", "  mss 1300\n}")
    made = lines(text, "pf")
    assert "match on enc0 inet from 10.20.0.0/16 scrub (max-mss 1300)" in made
    assert "match on enc0 inet to 10.20.0.0/16 scrub (max-mss 1300)" in made
    made = lines(text, "pf-classic")
    assert "scrub on enc0 inet to 10.20.0.0/16 max-mss 1300 fragment reassemble" in made


def test_every_rule_that_decides_is_quick_but_the_first(target: str) -> None:
    for line in lines(EVERYTHING, target):
        if line.startswith(("pass", "block")) and line != "block all":
            assert " quick " in line or re.search(r" tag tg[.:]\S+$", line), line


def test_forwarding_is_asked_for(target: str) -> None:
    made = output(EVERYTHING, target)
    assert made.files["sysctl.conf"] == "net.inet.ip.forwarding=1\nnet.inet6.ip6.forwarding=1\n"
    assert made.requirements.sysctls[0] == ("net.inet.ip.forwarding", "1")
    assert made.requirements.load == ("pfctl -f pf.conf",)
    assert not made.requirements.unload


def test_many_addresses_are_given_room(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = ZONES + "allow ssh from 192.168.1.5-192.168.1.9 to wan\n"
    assert not any("table-entries" in line for line in lines(text, target))
    monkeypatch.setattr(emit, "_ROOM", 8)
    size = sum(
        len(line.split("{")[1].split()) - 1 for line in lines(text, target) if "const" in line
    )
    assert f"set limit table-entries {2 * size}" in lines(text, target)
