"""One to five mistakes in one policy: each is told once, at its place, and nothing besides."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

import tunnelgate
from tunnelgate.diagnostics import Diagnostic

ZONES = """\
gateway branch
zone wan {
  interface eth0
  address   203.0.113.1
  host hq   = 192.0.2.10
  host peer = 192.0.2.20
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  address   192.168.1.1
  host web = 192.168.1.10
}
zone dmz {
  interface eth2
  network   10.0.0.0/24
}
"""
STATEMENTS = (
    "nat from lan to wan",
    "allow ssh from lan to gateway",
    "allow ipsec-nat-t, https from lan to wan",
    "forward http from wan to web",
    "deny tcp/25 from lan to wan",
    "allow ping from dmz to gateway",
    "expect deny tcp/23 from web to hq",
    "expect deny tcp/23 from web to peer",
)


class Mistake(NamedTuple):
    """A line, the code of what is wrong with it, the word that is, and the line as it was meant."""

    line: str
    code: str
    word: str
    meant: str


MISTAKES = (
    Mistake("allow ntp from lan wan", "TG001", "wan", "allow ntp from lan to wan"),
    Mistake("alow tcp/993 from lan to wan", "TG001", "alow", "allow tcp/993 from lan to wan"),
    Mistake("allow tcp/143 from lan to wan;", "TG001", ";", "allow tcp/143 from lan to wan"),
    Mistake(
        "allow wireguad from lan to wan", "TG006", "wireguad", "allow wireguard from lan to wan"
    ),
    Mistake("allow openvpn from lan to wann", "TG006", "wann", "allow openvpn from lan to wan"),
    Mistake("allow udp/70000 from lan to dmz", "TG007", "udp/70000", ""),
    Mistake(
        "allow ssh from 010.0.0.1 to dmz", "TG007", "010.0.0.1", "allow ssh from 10.0.0.1 to dmz"
    ),
    Mistake("allow tcp/81 from lan to dmz with helper", "TG012", "helper", ""),
    Mistake("set antispof on", "TG013", "antispof", "set antispoof on"),
    Mistake("allow ah from lan to hq", "TG101", "ah", "allow ipsec-nat-t from lan to hq"),
    Mistake("allow esp from lan to peer", "TG201", "esp", "allow ipsec-nat-t from lan to peer"),
    Mistake("forward tcp/3389 from wan at 203.0.113.7 to web", "TG307", "203.0.113.7", ""),
    Mistake("forward dns from dmz to web", "TG303", "dmz", ""),
)


def told(finding: Diagnostic) -> tuple[str, str, str]:
    """The code, the line, and the word that is underlined."""
    place = finding.primary.span
    return finding.rule.code, place.file.line_text(place.position.line), place.text


def mended(finding: Diagnostic) -> str:
    """The line of a finding, as its fix makes it; empty without one."""
    if finding.fix is None:
        return ""
    [edit] = finding.fix.edits
    line = finding.primary.span.position.line
    start = edit.span.file.line_starts[line - 1]
    text = edit.span.file.line_text(line)
    return text[: edit.span.start - start] + edit.text + text[edit.span.end - start :]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("count", range(1, 6))
def test_each_is_told_once_at_its_place(count: int, seed: int) -> None:
    choose = random.Random(f"{count} {seed}")
    chosen = choose.sample(MISTAKES, count)
    lines = [*STATEMENTS, *(mistake.line for mistake in chosen)]
    choose.shuffle(lines)
    findings = tunnelgate.check(ZONES + "\n".join(lines) + "\n")
    expected = sorted((one.code, one.line, one.word) for one in chosen)
    assert sorted(map(told, findings)) == expected
    meant = {mistake.line: mistake.meant for mistake in chosen}
    for finding in findings:
        assert mended(finding) in (meant[told(finding)[1]], "")
        assert finding.help


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.line)
def test_what_was_meant_is_what_the_fix_writes(mistake: Mistake) -> None:
    text = ZONES + "\n".join([*STATEMENTS, mistake.line]) + "\n"
    [finding] = tunnelgate.check(text)
    assert mended(finding) == mistake.meant


def test_without_a_mistake_nothing_is_told() -> None:
    assert tunnelgate.check(ZONES + "\n".join(STATEMENTS) + "\n") == []
