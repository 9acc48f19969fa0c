"""Rulesets on standard output and in folders."""

import json
from pathlib import Path

import pytest

from tunnelgate.plan import Plan
from tunnelgate.target import Validation
from tunnelgate_targets.nftables import Nftables

FOLDER = Path("out/branch/nftables")
RULESET = FOLDER / "ruleset.nft"


def _state() -> dict[str, tuple[int, int]]:
    """Every file below the working folder: changed where it was written again."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in Path().rglob("*")
        if path.is_file()
    }


def test_one_ruleset_goes_to_standard_output(run):
    result = run("compile", "good.tg")
    run("compile", "good.tg", "-o", "out")
    assert result.code == 0
    assert result.out == RULESET.read_text()
    assert "the gateway needs net.ipv4.ip_forward = 1" in result.err


@pytest.mark.parametrize("way", [(), ("-o", "out")], ids=["print", "write"])
def test_what_a_gateway_may_lack_is_said_where_no_file_brings_it(run, way):
    hosts = "\n".join(f"10.{n >> 7}.{n & 127}.{host}" for n in range(300) for host in range(1, 255))
    Path("staff.txt").write_text(hosts + "\n")
    policy = Path("good.tg").read_text()
    Path("large.tg").write_text(
        policy.replace(
            "zone lan {",
            "zone staff {\n  interface eth7\n  network 10.0.0.0/8\n"
            '  group all from "staff.txt"\n}\nzone lan {',
        )
        + "allow ssh from all to lan\n"
    )
    said = "needs net.netfilter.nf_conntrack_max above 76,"
    assert said not in run("compile", "good.tg", *way).err
    assert said in run("compile", "large.tg", "--no-prove", *way).err


def test_kinds_of_sets_that_small_kernels_lack_are_said(run):
    statements = "".join(
        f"allow ssh from 192.168.1.{n}/31 to 198.18.{n}.0/24\n" for n in range(0, 80, 2)
    )
    Path("nets.tg").write_text(Path("good.tg").read_text() + statements)
    result = run("compile", "nets.tg", "-t", "iptables", "-o", "out")
    assert "branch needs a kernel with ip_set_hash_netportnet" in result.err


def test_findings_never_stand_in_a_ruleset(run):
    result = run("compile", "bad.tg")
    assert (result.code, result.out) == (1, "")
    assert "error[TG101]" in result.err
    assert "error[TG101]" in run("compile", "bad.tg", "-o", "out").out


@pytest.mark.parametrize("arguments", [["good.tg", "mild.tg"], ["good.tg", "-t", "iptables"]])
def test_several_files_need_a_folder(run, arguments):
    result = run("compile", *arguments)
    assert (result.code, result.out) == (2, "")
    assert "-o DIR" in result.err


def test_a_folder_holds_what_the_manifest_says(run):
    result = run("compile", "good.tg", "-o", "out", "-t", "nftables", "-t", "iptables")
    assert result.code == 0
    for target in ("nftables", "iptables"):
        folder = Path("out/branch") / target
        manifest = json.loads((folder / "manifest.json").read_text())
        assert {path.name for path in folder.iterdir()} == {*manifest["files"], "manifest.json"}
        assert f"wrote {folder / 'manifest.json'}" in result.err


def test_what_is_as_it_should_be_is_not_written_again(run):
    run("compile", "good.tg", "-o", "out")
    before = _state()
    result = run("compile", "good.tg", "-o", "out")
    assert (result.code, _state()) == (0, before)
    assert result.err == "nothing to write: the folder is as it should be\n"


def test_a_new_line_rewrites_no_rule(run):
    run("compile", "good.tg", "-o", "out")
    before = _state()
    Path("good.tg").write_text("# a remark\n" + Path("good.tg").read_text())
    run("compile", "good.tg", "-o", "out")
    changed = {path for path, state in _state().items() if before.get(path) != state}
    assert changed == {"good.tg", str(FOLDER / "manifest.json")}


def test_files_that_are_no_more_are_removed_and_others_are_let_be(run):
    policy = Path("good.tg").read_text()
    Path("good.tg").write_text(policy + "allow pptp from lan to wan with helper\n")
    run("compile", "good.tg", "-o", "out")
    (FOLDER / "notes.txt").write_text("mine")
    assert (FOLDER / "modules.conf").exists()
    Path("good.tg").write_text(policy)
    assert (
        f"{FOLDER / 'modules.conf'}: stale" in run("compile", "good.tg", "-o", "out", "--check").err
    )
    assert f"removed {FOLDER / 'modules.conf'}" in run("compile", "good.tg", "-o", "out").err
    assert not (FOLDER / "modules.conf").exists()
    assert (FOLDER / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("old", ["no JSON", "{}", '{"files": {"../../../good.tg": "0"}}'])
def test_a_manifest_that_is_not_ours_removes_nothing(run, old):
    FOLDER.mkdir(parents=True)
    (FOLDER / "manifest.json").write_text(old)
    assert run("compile", "good.tg", "-o", "out").code == 0
    assert Path("good.tg").exists()


def test_check_writes_nothing_and_names_what_differs(run):
    result = run("compile", "good.tg", "-o", "out", "--check")
    assert result.code == 1
    assert f"{RULESET}: missing" in result.err
    assert not Path("out").exists()
    run("compile", "good.tg", "-o", "out")
    assert run("compile", "good.tg", "-o", "out", "--check").code == 0
    RULESET.write_text(RULESET.read_text().replace("accept", "drop", 1))
    before = _state()
    result = run("compile", "good.tg", "-o", "out", "--check")
    assert (result.code, _state()) == (1, before)
    assert result.err == f"{RULESET}: differs\n"
    assert "\n+++ " in run("compile", "-v", "good.tg", "-o", "out", "--check").err


def test_one_error_anywhere_and_nothing_is_written(run):
    result = run("compile", "good.tg", "bad.tg", "-o", "out")
    assert result.code == 1
    assert not Path("out").exists()


def test_a_failed_level_writes_nothing_either(run):
    assert run("compile", "mild.tg", "-o", "out", "--fail-level", "advice").code == 1
    assert not Path("out").exists()
    assert run("compile", "mild.tg", "-o", "out").code == 0


def test_two_policies_of_one_gateway(run):
    Path("again.tg").write_text(Path("good.tg").read_text())
    result = run("compile", "good.tg", "again.tg", "-o", "out")
    assert result.code == 2
    assert "`good.tg` and `again.tg` are both about gateway `branch`" in result.err
    assert not Path("out").exists()


def test_hash_seeds_change_no_byte(spawn):
    for seed in ("0", "1", "2"):
        env = {"PYTHONHASHSEED": seed}
        assert spawn("compile", "good.tg", "-o", seed, "-t", "nftables", env=env).code == 0
    texts = [
        {path.name: path.read_bytes() for path in Path(seed).rglob("*.*") if path.is_file()}
        for seed in ("0", "1", "2")
    ]
    assert texts[0] == texts[1] == texts[2]


def test_the_kernel_is_asked(run, need):
    need("nft")
    result = run("compile", "--kernel", "good.tg", "-o", "out")
    assert result.code == 0
    assert "branch: the kernel takes it, asked through " in result.err


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Validation("line 3: no such thing"), 3, "line 3: no such thing"),
        (OSError("neither python3-nftables nor nft is installed"), 2, "could not be asked"),
    ],
)
def test_a_kernel_that_says_no(run, monkeypatch, answer, code, said):
    def validate(*_):
        raise answer

    monkeypatch.setattr(Nftables, "validate", validate)
    result = run("compile", "--kernel", "good.tg", "-o", "out")
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert not Path("out").exists()


def test_a_refusal_of_any_target_stops_all(run, monkeypatch, tmp_path):
    seen: list[Plan] = []
    monkeypatch.setattr(Nftables, "emit", lambda _, plan, *__: seen.append(plan))
    (tmp_path / "tracking.tg").write_text(
        Path("good.tg").read_text() + "allow esp from lan to 192.0.2.10 with tracking\n"
    )
    targets = ("-t", "nftables", "-t", "iptables", "-t", "pf")
    result = run("compile", "tracking.tg", "-o", "out", *targets)
    assert (result.code, seen) == (1, [])
    assert result.out.count("error[TG402]") == 2


def test_it_is_said_where_tracking_ends(run, tmp_path):
    (tmp_path / "tracking.tg").write_text(
        Path("good.tg").read_text() + "allow esp from lan to 192.0.2.10 with tracking\n"
    )
    notes = "ESP is told apart by SPI"
    assert notes in run("compile", "tracking.tg").err
    assert run("compile", "tracking.tg", "-o", "out").err.count(notes) == 1
    (manifest,) = Path("out").glob("*/nftables/manifest.json")
    told = json.loads(manifest.read_text())
    assert notes in told["notes"][0]
    assert any("not proved" in caveat for caveat in told["caveats"])
    assert told["unload"][-1] == "nft delete table inet tunnelgate-zones"
    assert notes not in run("compile", "good.tg").err
