"""The configuration of a project."""

import json
from pathlib import Path

import pytest

TWO = 'targets = ["nftables", "iptables"]\n'


def test_without_one_there_are_defaults(run):
    assert "configuration" not in run("check", "-v", "good.tg").err


@pytest.mark.parametrize(
    ("name", "head"), [("tunnelgate.toml", ""), ("pyproject.toml", "[tool.tunnelgate]\n")]
)
def test_it_is_found_upwards_and_names_what_to_compile(run, monkeypatch, name, head):
    text = 'paths = ["good.tg"]\noutput = "out"\n' + TWO
    Path(name).write_text(head + text)
    Path("deep/down").mkdir(parents=True)
    monkeypatch.chdir("deep/down")
    result = run("compile", "-v")
    assert result.code == 0
    assert f"configuration: {Path('../..').resolve() / name}" in result.err
    assert {path.name for path in Path("../../out/branch").iterdir()} == {"nftables", "iptables"}


def test_its_paths_are_shown_from_the_working_folder(run, monkeypatch):
    Path("tunnelgate.toml").write_text('paths = ["bad.tg"]\nformat = "concise"\n')
    assert run("check").out.startswith("bad.tg:")
    Path("deep").mkdir()
    monkeypatch.chdir("deep")
    assert run("check").out.startswith("../bad.tg:")


def test_it_belongs_to_the_first_path(run):
    Path("project").mkdir()
    Path("project/tunnelgate.toml").write_text('format = "concise"\n')
    Path("project/bad.tg").write_text(Path("bad.tg").read_text())
    assert len(run("check", "project/bad.tg").out.splitlines()) == 1
    assert len(run("check", "bad.tg").out.splitlines()) > 1


def test_a_pyproject_about_other_things_is_passed_by(run):
    Path("tunnelgate.toml").write_text('format = "concise"\n')
    Path("inner").mkdir()
    Path("inner/pyproject.toml").write_text("[project]\nname = 'x'\n")
    Path("inner/bad.tg").write_text(Path("bad.tg").read_text())
    assert len(run("check", "inner/bad.tg").out.splitlines()) == 1


def test_flags_come_first(run):
    Path("tunnelgate.toml").write_text('format = "json"\nfail-level = "advice"\n')
    assert run("check", "mild.tg").code == 1
    assert run("check", "mild.tg", "--fail-level", "error").code == 0
    assert run("check", "bad.tg", "--format", "concise").out.startswith("bad.tg:")


@pytest.mark.parametrize(
    ("text", "said", "way_out"),
    [
        ('fail-levl = "error"', "unknown key `fail-levl`", "did you mean `fail-level`?"),
        ('fail_level = "error"', "unknown key `fail_level`", "did you mean `fail-level`?"),
        ("colour = true", "unknown key `colour`", "known are paths, targets, layout"),
        ('fail-level = "fatal"', "`fail-level`: input should be 'error', 'warning'", "change"),
        ('targets = "nftables"', "`targets` is neither a list of names nor a table", "write"),
        ("targets = {nftables = 1.0}", "`targets` is neither a list of names nor", "write"),
        ('layout = "half"', "`layout`: input should be 'whole' or 'shared'", "change"),
        ('targets = {nftables = "1.x"}', "`targets.nftables`: `1.x` is no version", "write it as"),
        ('targets = {nftable = "1.0.6"}', "unknown target `nftable`", "did you mean `nftables`?"),
        ('targets = {iptables = ""}', "`targets.iptables`: `` is no version of", "write it as"),
        ("paths = [1]", "`paths` item 1: input should be a valid string", "change"),
        ('targets = ["ipfw"]', "unknown target `ipfw`", "known are nftables"),
        ("paths = [", "is no TOML", "mend it"),
        ('output = "\\ud800"', "is no TOML", "mend it"),
    ],
)
def test_what_it_cannot_be(run, text, said, way_out):
    Path("tunnelgate.toml").write_text(text)
    result = run("check", "good.tg")
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert f"help: {way_out}" in result.err


def test_a_table_of_targets_states_versions(run):
    Path("tunnelgate.toml").write_text(
        'paths = ["good.tg"]\noutput = "out"\n[targets]\nnftables = "1.0.6"\niptables = "any"\n'
    )
    assert run("compile").code == 0
    said = {
        path.parent.name: json.loads(path.read_text())["minimum_version"]
        for path in Path("out/branch").glob("*/manifest.json")
    }
    assert said == {"nftables": "1.0.6", "iptables": None}


@pytest.mark.parametrize("flag", [(), ("--layout", "whole")])
def test_the_layout_is_that_of_the_flag_else_of_the_project(run, flag):
    Path("tunnelgate.toml").write_text('layout = "shared"\n')
    assert run("compile", "good.tg", "-o", "out", *flag).code == 0
    manifest = json.loads(Path("out/branch/nftables/manifest.json").read_text())
    assert manifest["layout"] == ("whole" if flag else "shared")


def test_all_that_is_wrong_is_said_at_once(run):
    Path("tunnelgate.toml").write_text('fial-level = "error"\nformat = 3\n')
    error = run("check", "good.tg").err
    assert error.count("error: ") == error.count("= help: ") == 2
