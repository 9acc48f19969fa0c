"""Emitted rulesets of pf mean their policies, and the proof notices when they do not."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from generator import PF, policy_text
from judge import policy_of, without_refused
from judging import refuted
from sabotage import mutants
from sabotage.judge import Judge, Verdict
from test_judge import EXAMPLES, MIXTURE, SABOTAGE
from test_prove import GENERATED

import tunnelgate
from tunnelgate.cli.main import main
from tunnelgate.plan import build
from tunnelgate.policy import Policy
from tunnelgate.proof import NotProved
from tunnelgate.source import SourceFile
from tunnelgate.target import Layout, Setup, find
from tunnelgate_targets.pf import Pf

TARGETS = ["pf", "pf-classic"]
LAYOUTS = ["whole", "shared"]


def emitted(policy: Policy, target: str, layout: Layout = "whole") -> dict[str, str]:
    return dict(find(target).emit(build(policy), Setup(layout)).files)


def refutations(policy: Policy, target: str, layout: Layout = "whole") -> list[object]:
    return list(refuted(policy, target, emitted(policy, target, layout), layout))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_examples_are_proved(path: Path, target: str, layout: Layout) -> None:
    policy = policy_of(without_refused(SourceFile.read(path), target))
    assert refutations(policy, target, layout) == []


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("target", TARGETS)
def test_everything_at_once_is_proved(target: str, layout: Layout) -> None:
    assert refutations(policy_of(MIXTURE), target, layout) == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(GENERATED))
def test_policies_made_up_are_proved(seed: int, target: str) -> None:
    text = policy_text(Random(seed), like=PF)
    layout: Layout = "shared" if seed % 4 == 3 else "whole"
    assert refutations(policy_of(text), target, layout) == [], text


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SABOTAGE)
def test_one_wrong_word_is_refuted(name: str, target: str) -> None:
    policy = policy_of(MIXTURE)
    files = emitted(policy, target)
    files["pf.conf"] = SABOTAGE[name](files["pf.conf"])
    assert refuted(policy, target, files, most=1)


@pytest.mark.parametrize("target", TARGETS)
def test_mutants_are_caught_or_mean_the_same(target: str) -> None:
    """What the proof leaves alone is the same to z3, and to every packet of the other model."""
    (path,) = (one for one in EXAMPLES if one.parent.name == "gateway-endpoint")
    policy = tunnelgate.load(path)
    files = emitted(policy, target)
    judge = Judge(policy, target, files)
    some = mutants(target, files, 40)
    outcomes = [judge.outcome(one) for one in some]
    for one, outcome in zip(some, outcomes, strict=True):
        assert outcome.denied_by is None, (one.kind, one.line, outcome)
    assert sum(outcome.verdict is Verdict.REFUTED for outcome in outcomes) > 15


TWO_TUNNELS = """gateway two-tunnels
zone wan {
  interface eth0
  address 203.0.113.1
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  address 192.168.1.1
}
zone site {
  ipsec over wan
  network 10.20.0.0/17
  host files = 10.20.0.5
}
zone branch {
  ipsec over wan
  network 10.20.128.0/17
}
nat from site to wan
forward https from wan at lan to files with hairpin
set antispoof off
"""


@pytest.mark.parametrize("target", TARGETS)
def test_a_forward_takes_nothing_of_another_tunnel(target: str) -> None:
    """What it took without a state would reach the gateway itself, asked by no rule (modern)."""
    policy = policy_of(TWO_TUNNELS)
    files = emitted(policy, target)
    assert refuted(policy, target, files) == []
    text = files["pf.conf"].replace(" from 10.20.0.0/17 to 192.168.1.1 ", " to 192.168.1.1 ")
    found = refuted(policy, target, {**files, "pf.conf": text})
    assert any(one.way.zone.name == "branch" for one in found) == (target == "pf")


LIMITED = """gateway limited
zone wan {
  interface eth0
  address 203.0.113.1
}
allow ssh from wan to gateway with limit 5/minute per source
"""


@pytest.mark.parametrize("wrong", ["6/60", "5/1"])
def test_limits_are_compared(wrong: str) -> None:
    policy = policy_of(LIMITED)
    files = emitted(policy, "pf")
    assert refuted(policy, "pf", files) == []
    text = files["pf.conf"].replace("max-src-conn-rate 5/60", f"max-src-conn-rate {wrong}")
    assert refuted(policy, "pf", {**files, "pf.conf": text})


BESIDE = """gateway beside
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  address 192.168.1.1
  host box = 192.168.1.10
}
nat from lan to wan
"""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "statements",
    [
        "forward any from wan to box with hairpin\n",
        "deny l2tp-ipsec from hq to gateway\nallow l2tp from wan to gateway\n",
        (
            "deny tcp/25 from gateway to wan\n"
            "allow ssh from gateway to wan with limit 6/minute per source\n"
        ),
    ],
    ids=["leases and a hairpin", "L2TP in clear", "a limit that the gateway does not need"],
)
def test_what_stands_beside_each_other(statements: str, target: str, layout: Layout) -> None:
    assert refutations(policy_of(BESIDE + statements), target, layout) == []


@pytest.mark.parametrize("target", TARGETS)
def test_translations_of_nobody_have_one_order(target: str) -> None:
    """No machine of lan has IPv6, so two are no error; `::` and link-local sources meet both."""
    text = BESIDE.replace("203.0.113.1", "203.0.113.1, 2001:db8::1, 2001:db8::2")
    nats = ["nat ipv6 from lan to wan as 2001:db8::2\n", "nat ipv6 from lan to wan\n"]
    allowed = "allow ipcomp from lan to wan\n"
    for some in (nats, nats[::-1]):
        assert refutations(policy_of(text + "".join(some) + allowed), target) == []


def test_the_line_is_told_of_each_of_many_hosts() -> None:
    """Rows of many hosts are one in the comparison; a difference still names its own line."""
    hosts = "".join(f"allow ssh from 10.0.0.{n} to 192.0.2.{n}\n" for n in range(1, 9))
    policy = policy_of(f"""gateway g
zone wan {{
  interface eth0
}}
zone lan {{
  interface eth1
  network 10.0.0.0/24
}}
{hosts}""")
    files = emitted(policy, "pf")
    lines = files["pf.conf"].split("\n")
    (at,) = (n for n, line in enumerate(lines) if "from 10.0.0.5 to 192.0.2.5 port 22" in line)
    lines[at] = lines[at].replace("port 22", "port 23")
    found = refuted(policy, "pf", {**files, "pf.conf": "\n".join(lines)})
    causes = {row.cause for one in found for row in one.difference.other}
    assert at + 1 in causes


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_certificate_says_what_was_shown_and_left_out(layout: Layout) -> None:
    shown = tunnelgate.compile(policy_of(LIMITED), target="pf", layout=layout).certificate
    assert shown is not None
    assert {one[:2] for one in shown.obligations} == {"O1", "O2", "O3"}
    assert any("AH" in one for one in shown.caveats)
    assert tunnelgate.compile(policy_of(LIMITED), target="pf", prove=False).certificate is None


@pytest.mark.parametrize(
    "text", ["pass in user root\n", 'anchor "x"\n', "pass in from (em0:peer)\n"]
)
def test_what_is_not_modelled_is_not_proved(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Pf.emit

    def emit(self: Pf, *arguments: object) -> object:
        output = right(self, *arguments)  # type: ignore[arg-type]
        return output.__class__({"pf.conf": output.files["pf.conf"] + text}, output.requirements)

    monkeypatch.setattr(Pf, "emit", emit)
    with pytest.raises(NotProved, match=r"cannot be read back: line \d+"):
        tunnelgate.compile(policy_of(LIMITED), target="pf")


def test_nothing_is_written_that_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = Pf.emit

    def emit(self: Pf, *arguments: object) -> object:
        output = right(self, *arguments)  # type: ignore[arg-type]
        text = output.files["pf.conf"].replace("port 22", "port 23")
        return output.__class__({"pf.conf": text}, output.requirements)

    monkeypatch.setattr(Pf, "emit", emit)
    (tmp_path / "limited.tg").write_text(LIMITED)
    monkeypatch.chdir(tmp_path)
    asked = ["compile", "limited.tg", "-t", "pf", "-o", "out"]
    assert main(asked) == 3
    told = capsys.readouterr().err
    assert "protocol 6 0 to 22" in told
    assert "`allow ssh from wan to gateway" in told
    assert not (tmp_path / "out").exists()
    assert main([*asked, "--no-prove"]) == 0
    assert '"proof": null' in next((tmp_path / "out").rglob("manifest.json")).read_text()


def test_what_was_decrypted_and_is_of_no_tunnel_is_asked_about() -> None:
    source = (
        "zone wan {\n  interface eth0\n  address 203.0.113.1\n  host peer = 192.0.2.10\n}\n"
        "zone lan {\n  interface eth1\n  network 192.168.1.0/24\n  address 192.168.1.1\n}\n"
        "zone far {\n  ipsec over wan\n  network 10.20.1.0/24\n}\n"
        "allow ipsec from peer to gateway\nallow https from lan to far\n"
        "allow dns from lan to gateway\n"
    )
    policy = tunnelgate.load(source)
    text = tunnelgate.compile(policy, target="pf", prove=False).files["pf.conf"]
    told = "pass in quick on enc0 inet from {}10.20.1.0/24 no state"
    wrong = text.replace(told.format(""), told.format("! "))
    assert text != wrong
    assert refuted(policy, "pf", {"pf.conf": text}) == []
    assert refuted(policy, "pf", {"pf.conf": wrong}) != []
