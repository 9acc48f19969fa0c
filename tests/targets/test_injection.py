"""Every place where a policy's text reaches a ruleset, every attack, every output.

Either the policy is refused with a place, or the ruleset has exactly the lines of a harmless one:
nothing that was said has become a rule.
"""

from __future__ import annotations

import re

import pytest

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import build
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import BUILT_IN, Output, Setup, find

POLICY = """gateway @gateway@
## @doc@
zone @zone@ {
  interface "@interface@"
  address   203.0.113.1
  host @host@ = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  group @group@ = 192.168.1.16/28
}
protocol @protocol@ = udp/8443
nat from lan to @zone@
allow @protocol@, ike from @group@ to @host@ with log "@log@"
deny tcp/25 from lan to @zone@ with log
"""
PLACES = ("gateway", "doc", "zone", "interface", "host", "group", "protocol", "log")
ATTACKS = (
    '"; accept comment "',
    '" accept\n\t\taccept comment "',
    "x\n-A INPUT -j ACCEPT",
    "x\n}\ntable inet evil {\n}",
    "x\r\n-A INPUT -j ACCEPT",
    "x\\",
    "\\x22 -j ACCEPT",
    "' -j ACCEPT -m comment --comment '",
    "x -j ACCEPT",
    "x; accept",
    "x } chain evil { type filter hook input priority 0; policy accept;",
    "$(reboot)",
    "`reboot`",
    "${IFS}",
    "%s%n",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "# x",
    "x # y",
    "COMMIT",
    "*filter",
    "-j",
    "!x",
    "@x",
    "..",
    "x/../../y",
    "\u202ex",
    "x\u2028accept",
    "x\x85accept",
    "x\x00y",
    "x\x1b[2Ky",
    "é",
    "٣",
    "a" * 200,
)


def compiled(text: str, target: str, path: str = "policy.tg") -> Output | tuple[Diagnostic, ...]:
    """The files of both layouts, or what is refused."""
    parsed = parse(SourceFile(text, path))
    policy, findings = resolve(parsed.policy)
    if parsed.diagnostics or findings:
        return (*parsed.diagnostics, *findings)
    plan = build(policy)
    if refused := find(target).refuse(plan):
        return tuple(refused)
    whole, shared = (find(target).emit(plan, Setup(layout)) for layout in ("whole", "shared"))
    beside = {f"shared/{name}": text for name, text in shared.files.items()}
    return Output({**whole.files, **beside}, whole.requirements)


def filled(target: str, **values: str) -> str:
    policy = POLICY
    if target.startswith("pf") and "log" not in values:
        policy = policy.replace(' "@log@"', "")  # a log of pf has no prefix: it is refused
    return re.sub(r"@(\w+)@", lambda match: values.get(match[1], match[1]), policy)


def skeleton(output: Output) -> dict[str, list[str]]:
    """The lines of every file, without quoted text, comments and names."""
    return {
        name: sorted(
            re.sub(r'"[^"]*"|#.*|[\w.-]+', "x", line).rstrip() for line in text.splitlines()
        )
        for name, text in output.files.items()
    }


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_or_stays_text(target: str, place: str, attack: str) -> None:
    found = compiled(filled(target, **{place: attack}), target)
    if isinstance(found, tuple):
        assert all(one.primary.span.file is not None and one.help for one in found)
        return
    harmless = compiled(filled(target), target)
    assert isinstance(harmless, Output)
    assert skeleton(found) == skeleton(harmless)
    for text in found.files.values():
        assert "\x1b" not in text
        assert text.isascii()


@pytest.mark.parametrize("target", BUILT_IN)
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_name_of_the_file_stays_text(target: str, attack: str) -> None:
    found, harmless = (
        compiled(filled(target), target, f"{attack}.tg"),
        compiled(filled(target), target),
    )
    assert isinstance(found, Output)
    assert isinstance(harmless, Output)
    assert skeleton(found) == skeleton(harmless)


@pytest.mark.parametrize("target", BUILT_IN)
def test_the_harmless_policy_compiles(target: str) -> None:
    assert isinstance(compiled(filled(target), target), Output)
