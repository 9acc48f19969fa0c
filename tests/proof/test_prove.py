"""Emitted rulesets mean their policies, and the proof notices when they do not."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from generator import policy_text
from judging import refuted
from sabotage import mutants
from sabotage.judge import Judge, Verdict
from sample_policies import CROWD, L2TP, MIXTURE, NOTED, TRANSLATED, TWO_WANS

import tunnelgate
from tunnelgate.cli.main import main
from tunnelgate.proof import NotProved, prove
from tunnelgate.target import WHOLE, Layout, find

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.tg")
    if path.parent.name not in {"broken", "ansible", "fleet"} and path.stem != "broken"
)
GENERATED = int(os.environ.get("TUNNELGATE_PROVED", "40"))


TARGETS = ["nftables", "iptables"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize(
    "source",
    [*EXAMPLES, MIXTURE, TWO_WANS, L2TP, CROWD, TRANSLATED, NOTED],
    ids=lambda one: one.stem if isinstance(one, Path) else one.split()[1],
)
def test_examples_are_proved(source: Path | str, layout: Layout, target: str) -> None:
    assert_proved(tunnelgate.load(source), target, layout)


def assert_proved(policy: tunnelgate.Policy, target: str, layout: Layout) -> None:
    """Nothing is refuted of what a target makes of a policy, unless it refuses the policy."""
    files = emitted(policy, target, layout)
    if files is None:
        assert target == "iptables"
    else:
        assert refuted(policy, target, files, layout) == []


def emitted(
    policy: tunnelgate.Policy, target: str, layout: Layout = "whole"
) -> Mapping[str, str] | None:
    """The files of a policy, whatever the checks say of it; None where the target refuses it."""
    from tunnelgate.plan import build
    from tunnelgate.target import Setup

    plan, setup = build(policy), Setup(layout)
    found = find(target)
    return None if found.refuse(plan, setup) else found.emit(plan, setup).files


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(GENERATED))
def test_policies_made_up_along_the_grammar_are_proved(seed: int, target: str) -> None:
    policy = tunnelgate.load(policy_text(random.Random(seed)))
    assert_proved(policy, target, "shared" if seed % 3 == 0 else "whole")


#: Up to how many statements are rules: the modules of a target that know, and by which name.
_FEW = {
    "nftables": (("ranked", "FEW"), ("sources", "FEW"), ("translate", "FEW")),
    "iptables": (
        *((one, "FEW") for one in ("filtering", "grouping", "guards", "pairs", "statements")),
        ("translating", "FEW"),
        ("branching", "_FEW"),
    ),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(GENERATED))
def test_policies_of_which_everything_is_looked_up_are_proved(
    seed: int, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in _FEW[target]:
        found = import_module(f"tunnelgate_targets.{target}.{module}")
        monkeypatch.setattr(found, name, 1)
    policy = tunnelgate.load(policy_text(random.Random(1000 + seed)))
    assert_proved(policy, target, "shared" if seed % 3 == 0 else "whole")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "name", ["branch-office", "gateway-endpoint", "servers-by-peer", "l2tp-and-pptp"]
)
def test_mutants_are_caught_or_mean_the_same(name: str, target: str) -> None:
    """What the proof leaves alone is the same to z3, and to every packet of a plain walk."""
    (path,) = (one for one in EXAMPLES if one.parent.name == name)
    policy = tunnelgate.load(path)
    files = emitted(policy, target)
    assert files is not None
    judge = Judge(policy, target, files)
    some = mutants(target, files, 50)
    outcomes = [judge.outcome(one) for one in some]
    for one, outcome in zip(some, outcomes, strict=True):
        assert outcome.denied_by is None, (one.kind, one.line, outcome)
    told = Counter(outcome.verdict for outcome in outcomes)
    assert told.total() == 50
    assert told[Verdict.REFUTED] > 20, told
    assert all(one.is_asked_twice for one in outcomes if one.verdict is Verdict.SAME)


#: Changes of what many translations are looked up in: pattern, and what is there instead.
LOOKED_UP = {
    "nftables": {
        "another address": (r"(192.168.3.10 : 203.0.113.)4", r"\g<1>3"),
        "another host": (r"192.168.3.10( : 203)", r"192.168.3.12\1"),
        "a host left out": (r"\t192.168.3.10 : 203[^\n]*\n", ""),
        "the destination looked up": (r"snat ip to ip saddr map", "snat ip to ip daddr map"),
        "another chain": (
            r"(192.168.3.0/24 : goto )(nat[^ ,]+)([^\n]*\n[^\n]*: goto )(nat[^ ,]+)",
            r"\1\4\3\2",
        ),
        "some packets alone": (r"(snat ip to ip saddr map)", r"limit rate 1/second \1"),
        "another verdict": (r"(192.168.3.0/24 : )goto nat", r"\1jump nat.lan.wan"),
        "a set of another translation": (r"(@masquerade\S+) masquerade", r"\1 accept"),
        "the networks first": (
            r"(\n[^\n]*@nat.lan.wan.ip.source.points[^\n]*)(.*)(\n[^\n]*@ports[^\n]*)",
            r"\3\2\1",
        ),
    },
    "iptables": {
        "another address": (r"(-s 192.168.3.10 [^\n]*--to-source 203.0.113.)4", r"\g<1>3"),
        "another host": (r"(-A tg-wan.snat\S* -s )192.168.3.10 ", r"\g<1>192.168.3.12 "),
        "another branch": (r"-s 192.168.2.0/23( [^\n]* -j tg-wan.snat)", r"-s 192.168.64.0/23\1"),
    },
}


@pytest.mark.parametrize(
    ("target", "change"), [(target, one) for target, some in LOOKED_UP.items() for one in some]
)
def test_a_translation_that_is_looked_up_is_held_to_its_statement(target: str, change: str) -> None:
    assert_caught(TRANSLATED, target, LOOKED_UP[target][change])


#: The same of statements that have chains of their own.
CHAINED = {
    "nftables": {
        "a limit left out": (r"\t6 . 5500 : jump limit[^\n]*\n", ""),
        "another limit": (
            r"(\t6 . 5500 : jump )([^,\s]+)(.*\t6 . 6500 : jump )([^,\s]+)",
            r"\1\4\3\2",
        ),
        "no second limit": (r"(\t6 . 5500 : )jump", r"\1goto"),
        "other sources": (r"(\tfd00:1::)12( . 47 : jump limit)", r"\g<1>99\2"),
        "other ports": (r"(\t6 . 7)000(-7999 : jump limit)", r"\g<1>001\2"),
        "the destination looked up": (
            r"ip6 saddr( . meta l4proto vmap @limit)",
            r"ip6 daddr\1",
        ),
        "a limit for established connections": (r"(vmap @limit)", r"limit rate 1/second \1"),
        "a limit for what is not translated": (r"ct status dnat ([^\n]* vmap @limit)", r"\1"),
        "a credit that is not there": (r'limit name "limit[^"]*"', 'limit name "limit.none"'),
        "another rate": (r"rate 30/second", "rate 31/second"),
        "a log that drops": (r"(\d : )goto log.allow[^,\s]*", r"\1drop"),
        "a log that is not there": (r"(\d : goto log.allow.lan)", r"\1.none"),
        "a count that accepts": (
            r"(chain count.deny\S+ \{\n\t\tcounter)( comment)",
            r"\1 accept\2",
        ),
        "a log that drops behind its chain": (
            r"(chain log.allow.lan.wan\.\S+ \{\n[^\n]*)",
            r"\1\n\t\tdrop",
        ),
        "another host of a forward": (
            r"(203.0.113.1 . 6 . 91 : goto )(\S+)(,.*203.0.113.1 . 6 . 92 : goto )(\S+),",
            r"\1\4\3\2,",
        ),
        "another port of a forward": (r"(dnat ip to 192.168.1.7:)80", r"\g<1>81"),
        "another protocol of a forward": (
            r"meta l4proto 6 (dnat ip to 192.168.1.7)",
            r"meta l4proto 17 \1",
        ),
        "a forward of another zone": (
            r'iifname "eth0"([^\n]* vmap @forward-port)',
            r'iifname "eth2"\1',
        ),
        "a forward of every address": (
            r"fib daddr . iif type local ([^\n]* vmap @forward-port)",
            r"\1",
        ),
    },
    "iptables": {
        "a limit left out": (r"-A [^\n]*hashlimit[^\n]*tcp/5500 from lan[^\n]*\n", ""),
        "another rate": (r"--hashlimit-upto 30/second", "--hashlimit-upto 31/second"),
        "no second limit": (r"(-A tg-lan-wan -p tcp --dport [^\n]* rules\" )-j", r"\1-g"),
        "another branch": (r"(-A tg-lan-wan -p tcp --dport )8192:12287", r"\g<1>12288:16383"),
        "a limit that drops": (r"(hashlimit-name [^\n]*) -g tg-lan-wan.pass", r"\1 -j DROP"),
        "a count that drops": (r"-g tg-lan-wan.pass-count-end", "-j DROP"),
        "a count that accepts": (
            r"(tcp/25, udp/25 [^\n]*)-g tg-lan-wan.deny-count-end",
            r"\1-j ACCEPT",
        ),
        "a log that drops": (r"-j LOG --log-prefix \"a 3 \"", "-j DROP"),
        "an end that drops": (r"(-A tg-lan-wan.pass-log-end [^\n]*)ACCEPT", r"\1DROP"),
        "an end that accepts": (r"(-A tg-lan-wan.deny-log-end [^\n]*-[jg] )\S+", r"\1ACCEPT"),
    },
}


@pytest.mark.parametrize(
    ("target", "change"), [(target, one) for target, some in CHAINED.items() for one in some]
)
def test_a_chain_that_is_looked_up_is_held_to_its_statement(target: str, change: str) -> None:
    assert_caught(NOTED, target, CHAINED[target][change])


def assert_caught(text: str, target: str, change: tuple[str, str]) -> None:
    """No ruleset of a policy is proved where a pattern, found once, says something else."""
    policy = tunnelgate.load(text)
    files = emitted(policy, target)
    assert files is not None
    name = {"nftables": "ruleset.nft", "iptables": "rules.v4"}[target]
    pattern, new = change
    made = re.sub(pattern, new, files[name], count=1, flags=re.DOTALL)
    assert made != files[name]
    with pytest.raises(NotProved):
        prove(policy, find(target), {**files, name: made}, WHOLE)


POLICY = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to wan
"""


def forget(monkeypatch: pytest.MonkeyPatch, emit: ModuleType) -> None:
    """Have the emitter write another port than the statement's."""
    whole = emit.skeleton

    def broken(*where: object) -> object:
        made = whole(*where)

        def render(*about: object, **more: object) -> str:
            return str(made.render(*about, **more)).replace("6 . 22", "6 . 23")

        return SimpleNamespace(render=render)

    monkeypatch.setattr(emit, "skeleton", broken)


def test_a_packet_is_shown_of_what_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emitter is made to forget a statement."""
    from tunnelgate_targets.nftables import emit

    forget(monkeypatch, emit)
    with pytest.raises(NotProved) as caught:
        tunnelgate.compile(POLICY)
    first, packet, addresses, meant, said, *_ = str(caught.value).splitlines()
    assert first == "the nftables ruleset of g does not mean what the policy means:"
    assert packet == "  a packet that begins (O2) and arrives on eth1"
    assert addresses == "    192.168.1.0 to 0.0.0.0, protocol 6 0 to 22"
    allow, nat = "`allow ssh from lan to wan`", "`nat from lan to wan`"
    assert meant == f"    policy: passes to wan, as 203.0.113.1, kept if free ({allow}, {nat})"
    assert said.startswith("    ruleset: dropped (")
    assert tunnelgate.compile(POLICY, prove=False).certificate is None


def test_what_is_not_proved_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tunnelgate_targets.nftables import emit

    forget(monkeypatch, emit)
    monkeypatch.chdir(tmp_path)
    Path("g.tg").write_text(POLICY)
    assert main(["compile", "g.tg", "-o", "out"]) == 3
    assert "does not mean what the policy means" in capsys.readouterr().err
    assert not Path("out").exists()
    assert main(["compile", "g.tg", "-o", "out", "--no-prove"]) == 0
    assert '"proof": null' in Path("out/g/nftables/manifest.json").read_text()


def test_the_manifest_says_what_was_proved() -> None:
    manifest = tunnelgate.compile(POLICY).manifest
    assert '"model": 1' in manifest
    assert "O2: what begins a connection" in manifest


@pytest.mark.parametrize("target", [*TARGETS, "pf", "pf-classic"])
def test_a_gateway_without_zones_is_proved(target: str) -> None:
    assert_proved(tunnelgate.load("gateway g\n"), target, "whole")
    assert_proved(tunnelgate.load("gateway g\n"), target, "shared")


def test_a_masquerade_of_ipv6_is_no_address_of_several() -> None:
    """What is read in a ruleset: the kernel would choose by destination."""
    source = POLICY.replace("203.0.113.1", "2001:db8::1, 2001:db8::2").replace(
        "192.168.1.0/24", "fd00:1::/64"
    )
    policy = tunnelgate.load(source.replace("nat from", "nat ipv6 from"))
    files = emitted(policy, "nftables")
    assert files is not None
    text = files["ruleset.nft"]
    assert refuted(policy, "nftables", files, "whole") == []
    chosen = text.replace("snat ip6 to 2001:db8::1", "masquerade")
    assert chosen != text
    assert refuted(policy, "nftables", {**files, "ruleset.nft": chosen}, "whole")


@pytest.mark.parametrize("target", TARGETS)
def test_a_hairpin_through_a_tunnel_takes_the_address_of_another_uplink(target: str) -> None:
    """Two addresses that nobody knows, of which one alone is that of the arriving interface."""
    source = """gateway g
zone wan { interface eth0 }
zone wan2 { interface eth4 }
zone site {
  ipsec over wan
  network 10.20.0.0/16
  host fileserver = 10.20.0.5
}
nat from site to wan
nat from site to wan2
forward udp/53 from wan2 to fileserver with hairpin
"""
    assert_proved(tunnelgate.load(source), target, "whole")


def test_what_would_take_too_much_is_a_fault_and_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tunnelgate.proof import certificate, refutations

    monkeypatch.setattr(certificate, "refutations", partial(refutations, budget=10))
    monkeypatch.chdir(tmp_path)
    Path("g.tg").write_text(POLICY)
    for _ in range(2):  # and it is asked again
        assert main(["compile", "g.tg", "-o", "out"]) == 3
        said = capsys.readouterr().err
        assert "the nftables ruleset of g is too large to be proved" in said
        assert "`--no-prove` compiles without a proof" in said
        assert not Path("out").exists()


def test_the_budget_is_counted_alike_on_every_machine(environment: dict[str, str]) -> None:
    """Whatever order sets have in a process: every comparison leaves the same of it."""
    (example,) = (one for one in EXAMPLES if one.stem == "branch")
    script = f"""
from pathlib import Path
import tunnelgate
from tunnelgate.flows.firstmatch import _Comparison
plain = _Comparison.run
def run(comparison):
    found = plain(comparison)
    print(comparison.budget)
    return found
_Comparison.run = run
tunnelgate.compile(tunnelgate.load(Path({str(example)!r})))
"""
    found = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert len(set(found[0])) > 10
    assert found[0] == found[1]


@pytest.mark.parametrize("target", ["nftables", "pf", "pf-classic"])
@pytest.mark.parametrize("network", ["", "  network 192.168.1.0/24\n"])
def test_a_forward_goes_to_the_zone_of_its_host(network: str, target: str) -> None:
    """Of two zones that may hold the address, the host is in one."""
    source = f"""gateway g
zone wan {{
  interface eth0
  address 203.0.113.1
  host barred = 192.0.2.9
  host peer   = 198.51.100.7
}}
zone lan {{
  interface eth1
{network}  host box = 192.168.1.10
}}
nat from lan to wan
forward ike from wan to box
deny ike from barred to box
allow any from wan to wan
expect ike from peer to 203.0.113.1 reaches box
expect deny ike from barred to 203.0.113.1
"""
    assert_proved(tunnelgate.load(source), target, "whole")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("number", [0, 43, 44, 60])
def test_an_extension_header_is_the_protocol_of_ipv4_alone(number: int, target: str) -> None:
    source = POLICY.replace("allow ssh", f"allow ip/{number}")
    assert_proved(tunnelgate.load(source), target, "whole")


@pytest.mark.parametrize("target", ["nftables", "iptables", "pf", "pf-classic"])
@pytest.mark.parametrize(
    "network", ["192.168.0.0/16", "192.168.1.0/25, 192.168.1.128/25", "0.0.0.0/1", "192.168.1.0/25"]
)
def test_an_unknown_address_is_excepted_with_all_of_its_network(network: str, target: str) -> None:
    source = POLICY.replace("nat from", f"allow ssh from wan to gateway except {network}\nnat from")
    assert_proved(tunnelgate.load(source), target, "whole")


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize("target", ["nftables", "iptables", "pf", "pf-classic"])
@pytest.mark.parametrize("network", ["0.0.0.0/0, ::/0", "192.168.0.0/16", "192.168.1.0/25"])
def test_the_networks_of_other_zones_are_not_the_tunnels(
    network: str, target: str, layout: Layout
) -> None:
    """What is more specific elsewhere goes there in clear, be it all that a tunnel says."""
    source = f"""gateway g
zone wan {{
  interface eth0
  address 203.0.113.1
  network 203.0.113.0/24
  host hq = 203.0.113.7
}}
zone lan {{
  interface eth1
  network 192.168.1.0/26, 192.168.1.64/26, 192.168.1.0/24, fd00:1::/64
}}
zone far {{
  ipsec over wan
  network {network}
}}
allow ipsec from hq to gateway
allow any from lan to far
allow ssh, dhcp from lan to gateway
"""
    assert_proved(tunnelgate.load(source), target, layout)


@pytest.mark.parametrize("target", ["nftables", "iptables", "pf", "pf-classic"])
def test_a_port_that_is_told_again_changes_nothing(target: str) -> None:
    """A forward to the port it arrives at does what another does that keeps it."""
    source = POLICY.replace("  address 203", "  host hq = 192.0.2.10\n  address 203") + (
        "forward tcp/80 from wan to 192.168.1.10 port 80\nforward tcp/80 from hq to 192.168.1.10\n"
    )
    assert_proved(tunnelgate.load(source), target, "whole")


def test_all_icmp_but_one_type_beside_other_protocols_lets_no_other_pass() -> None:
    """ip6tables matches no packet by the number of an extension header: none must be left over."""
    source = POLICY + "allow icmp, ipsec, ssh port 2222 except ping from lan to wan with single\n"
    assert_proved(tunnelgate.load(source), "iptables", "whole")
