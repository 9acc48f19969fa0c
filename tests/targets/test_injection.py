"""Every place where a policy's text reaches a ruleset, every attack, every output.

Either the policy is refused with a place, or the ruleset has exactly the lines of a harmless one:
nothing that was said has become a rule.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import tunnelgate
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import build
from tunnelgate.policy import resolve
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse
from tunnelgate.target import BUILT_IN, Output, Setup, find
from tunnelgate.variables import from_settings

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


def skeleton(output: Output | tunnelgate.Compilation) -> dict[str, list[str]]:
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


# What comes from outside a policy: values, their names, group files, names of included files

WITH_PARAMETERS = """param name    : name         = wan
param site    : name         = site
param word    : name         = word
param proto   : name         = ipsec-nat-t
param own     : address      = 203.0.113.1
param net     : prefix       = 192.168.1.0/24
param range   : range        = 192.168.1.16-192.168.1.31
param card    : interface    = eth1
param port    : port         = 8443
param number  : number       = 8
param many    : address...   = 192.0.2.10, 192.0.2.11
param cards   : interface... = eth0
gateway $site
zone wan {
  interface $cards
  address   $own
  group many = $many
}
zone lan {
  interface $card
  network   $net
  group range = $range
}
nat from lan to wan
allow $proto, udp/$port, icmp/$number from range to many with log $word
deny tcp/25 from lan to $name with log
"""
PARAMS = {
    "name": False, "site": False, "word": False, "proto": False, "own": False, "net": False,
    "range": False, "card": False, "port": False, "number": False, "many": True, "cards": True,
}  # fmt: skip
TARGETS = [name for name in BUILT_IN if name in ("nftables", "iptables")]


def with_values(target: str, **values: object) -> tunnelgate.Compilation | None:
    """The rulesets; None where something is refused, which has to be with a place and a help."""
    found = tunnelgate.check(WITH_PARAMETERS, [target], vars=values)
    if any(one.is_error for one in found):
        assert all(one.help for one in found)
        return None
    return tunnelgate.compile(WITH_PARAMETERS, target, vars=values)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("param", PARAMS)
def test_a_value_is_refused_or_stays_a_word(target: str, param: str) -> None:
    harmless = with_values(target)
    assert harmless is not None
    for attack in (*ATTACKS, "", " ", "wan lan", "8443,22", "eth0 eth1", 22, True, None, [], {}):
        for value in (attack, [attack]) if PARAMS[param] else (attack,):
            found = with_values(target, **{param: value})
            if found is not None:
                assert skeleton(found) == skeleton(harmless), (param, value)
                assert all(text.isascii() for text in found.files.values())


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_name_of_a_parameter_is_refused(attack: str) -> None:
    assert with_values("nftables", **{attack: "x"}) is None


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_setting_of_the_command_line_is_refused(attack: str) -> None:
    settings = from_settings([f"many={attack}"])
    with pytest.raises(tunnelgate.PolicyError):
        tunnelgate.compile(WITH_PARAMETERS, vars=settings)


GROUP = """zone wan {
  interface eth0
  group g from "entries"
}
allow ssh from g to gateway
"""


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_entry_of_a_group_is_refused_or_a_comment(tmp_path: Path, attack: str) -> None:
    (tmp_path / "p.tg").write_text(GROUP)
    (tmp_path / "entries").write_text("192.0.2.1\n")
    harmless = tunnelgate.compile(tmp_path / "p.tg")
    (tmp_path / "entries").write_text(f"192.0.2.1\n{attack}\n", "utf-8", newline="")
    errors = [one for one in tunnelgate.check(tmp_path / "p.tg") if one.is_error]
    if errors:
        assert {Path(one.primary.span.file.path).name for one in errors} == {"entries"}
    else:
        assert attack.startswith("#")
        assert tunnelgate.compile(tmp_path / "p.tg").files == harmless.files


@pytest.mark.parametrize("attack", [one for one in ATTACKS if not set(one) & set('"\n\r\x00/')])
def test_the_name_of_an_included_file_is_a_name(tmp_path: Path, attack: str) -> None:
    """Where it may stand in a policy at all, the file of that name is read, and nothing else is."""
    if attack == "..":
        pytest.skip("the folder above, which test_folder.py is about")
    (tmp_path / "p.tg").write_text(GROUP + f'include "{attack}"\n', "utf-8")
    (tmp_path / "entries").write_text("192.0.2.1\n")
    (tmp_path / attack).write_text("deny ping from wan to gateway\n")
    errors = [one for one in tunnelgate.check(tmp_path / "p.tg") if one.is_error]
    if errors:
        assert "TG003" in {one.rule.code for one in errors}  # then no file has that name
        return
    found = tunnelgate.compile(tmp_path / "p.tg")
    manifest = json.loads(found.manifest)
    assert attack in [one["file"] for one in manifest["policy"]]
    assert attack not in found.files["ruleset.nft"]
