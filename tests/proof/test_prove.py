"""Emitted rulesets mean their policies, and the proof notices when they do not."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from generator import policy_text
from judging import is_caught, refuted
from plain import fate, packets
from sabotage import mutants
from sample_policies import MIXTURE, TWO_WANS

import tunnelgate
from tunnelgate.cli.main import main
from tunnelgate.proof import NotProved
from tunnelgate.proof.world import World
from tunnelgate.target import Layout
from tunnelgate_targets.nftables.read import read

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.tg")
    if path.parent.name not in {"broken", "ansible", "fleet"} and path.stem != "broken"
)
GENERATED = int(os.environ.get("TUNNELGATE_PROVED", "40"))


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize(
    "source",
    [*EXAMPLES, MIXTURE, TWO_WANS],
    ids=lambda one: one.stem if isinstance(one, Path) else one.split()[1],
)
def test_examples_are_proved(source: Path | str, layout: Layout) -> None:
    policy = tunnelgate.load(source)
    made = emitted(policy, layout)
    assert refuted(policy, made, layout) == []


def emitted(policy: tunnelgate.Policy, layout: Layout = "whole") -> str:
    """The ruleset of a policy, whatever the checks say of it."""
    from tunnelgate.plan import build
    from tunnelgate.target import Setup, find

    return find("nftables").emit(build(policy), Setup(layout)).files["ruleset.nft"]


@pytest.mark.parametrize("seed", range(GENERATED))
def test_policies_made_up_along_the_grammar_are_proved(seed: int) -> None:
    policy = tunnelgate.load(policy_text(random.Random(seed)))
    layout: Layout = "shared" if seed % 3 == 0 else "whole"
    assert refuted(policy, emitted(policy, layout), layout) == []


@pytest.mark.parametrize(
    "name", ["branch-office", "gateway-endpoint", "servers-by-peer", "l2tp-and-pptp"]
)
def test_mutants_are_caught_or_mean_the_same(name: str) -> None:
    """What the proof leaves alone does the same with every packet of a plain walk."""
    (path,) = (one for one in EXAMPLES if one.parent.name == name)
    policy = tunnelgate.load(path)
    text = emitted(policy)
    original = read(text)
    some = mutants(text, most=40)
    left = [one for one in some if not is_caught(policy, one.text)]
    assert len(some) == 40
    assert len(left) < 15
    world = World(policy)
    for one in left:
        changed = read(one.text)
        for facts, point in packets(policy, [original, changed], 150):
            before, after = (fate(ruleset, world, facts, point) for ruleset in (original, changed))
            assert before == after, (one.kind, one.line, facts, point)


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


def test_a_packet_is_shown_of_what_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emitter is made to forget a statement."""
    from tunnelgate_targets.nftables import emit

    whole = emit._template().render

    def forgetful(**about: object) -> str:
        return whole(**about).replace("6 . 22", "6 . 23")

    monkeypatch.setattr(
        emit, "_template", lambda: type("T", (), {"render": staticmethod(forgetful)})
    )
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

    whole = emit._template().render
    broken = {"render": staticmethod(lambda **about: whole(**about).replace("6 . 22", "6 . 23"))}
    monkeypatch.setattr(emit, "_template", lambda: type("T", (), broken))
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
