"""The configuration of a project."""

import json
from pathlib import Path

import jsonschema
import pytest

from tunnelgate import config

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.json"
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
        ('fail-levl = "error"', ":1:1: unknown key `fail-levl`", "did you mean `fail-level`?"),
        ('fail_level = "error"', ":1:1: unknown key `fail_level`", "did you mean `fail-level`?"),
        ("\n  colour = true", ":2:3: unknown key `colour`", "known are paths, targets, layout"),
        ("[colour]\nx = 1", ":1:2: unknown key `colour`", "known are"),
        ("# colour\n'colour' = 1", ":2:1: unknown key `colour`", "known are"),
        ('fail-level = "fatal"', '`fail-level` cannot be `"fatal"`', 'write "error", "warning"'),
        (
            "fail-level = true",
            "`fail-level` cannot be `true`",
            'write "error", "warning" or "advice"',
        ),
        ('format = "xml"', ':1:1: `format` cannot be `"xml"`', 'write "full"'),
        ('targets = "nftables"', ":1:1: `targets` cannot be", 'write names, `["nftables"]`'),
        ("targets = {nftables = 1.0}", "`targets` cannot be", "write names"),
        ('layout = "half"', '`layout` cannot be `"half"`', 'write "whole" or "shared"'),
        ('targets = {nftables = "1.x"}', ":1:12: `targets.nftables`: `1.x` is no", "write it as"),
        ('targets = {nftable = "1.0.6"}', "unknown target `nftable`", "did you mean `nftables`?"),
        ('targets = {iptables = ""}', "`targets.iptables`: `` is no version of", "write it as"),
        ("paths = [1]", ":1:1: `paths` cannot be `[1]`", "write a list of files and folders"),
        ('output = ""', "`output` cannot be", "write the name of a folder"),
        ('targets = ["ipfw"]', "unknown target `ipfw`", "known are nftables"),
        ('ignore = ["TG5", "TG670"]', ":1:1: `ignore`: no rule's code begins with `TG670`", "did"),
        (
            'select = ["security"]',
            "`select`: no rule's code begins with `SECURITY`",
            "write a code",
        ),
        (
            'baseline = "missing.json"',
            "the baseline `missing.json` cannot be read",
            "write it with",
        ),
        (
            'rule-pages = "docs/rules"',
            ":1:1: `rule-pages` cannot be",
            "write the address of a folder",
        ),
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


@pytest.mark.parametrize(
    "value", ["", "full", "https://h/", 1, True, [], ["x"], [""], [1], {}, {"x": "1"}, {"x": 1}]
)
@pytest.mark.parametrize("key", config.KEYS)
def test_the_schema_for_editors_says_the_same(key, value):
    schema = json.loads(SCHEMA.read_text("utf-8"))
    is_right = jsonschema.Draft202012Validator(schema).is_valid({key: value})
    found = config.Found(Path("tunnelgate.toml"), "", {key: value})
    try:
        config.interpret(found)
    except config.ConfigError as error:
        about_words = [one for one in error.problems if " cannot be " not in one.reason]
        assert is_right is bool(about_words)  # whether a code or a target is one is no form
    else:
        assert is_right


def test_a_place_in_a_pyproject_is_in_its_table(run):
    Path("pyproject.toml").write_text(
        "[tool.other]\nfail-levl = 1\n\n[tool.tunnelgate]\nfail-levl = 2\n"
    )
    error = run("check", "good.tg").err
    assert f"error: {Path('pyproject.toml').resolve()}:5:1: unknown key `fail-levl`\n" in error


def test_rules_are_selected_by_the_project_and_flags_come_first(run):
    Path("tunnelgate.toml").write_text('ignore = ["TG5"]\n')
    assert run("check", "mild.tg").out == ""
    assert "TG505" in run("check", "mild.tg", "--ignore", "TG607").out


def test_it_says_where_values_are_and_flags_come_first(run, monkeypatch):
    policy = (
        Path("good.tg").read_text().replace("gateway branch", "gateway $name\nparam name : name")
    )
    Path("site.tg").write_text(policy)
    Path("sites").mkdir()
    for name in ("a", "b", "c"):
        Path(f"sites/{name}.toml").write_text(f'name = "{name}"\n')
    Path("tunnelgate.toml").write_text('vars = ["sites/c.toml"]\nvars-dir = "sites"\n')
    monkeypatch.chdir("sites")
    assert run("compile", "../site.tg", "../good.tg", "-o", "out").code == 0
    assert {path.name for path in Path("out").iterdir()} == {"a", "b", "c", "branch"}
    assert run("compile", "../site.tg", "--vars", "a.toml", "-o", "one").code == 0
    assert {path.name for path in Path("one").iterdir()} == {"a"}
    assert run("check", "../good.tg").code == 0  # which has no parameters, and need not


def test_its_rule_pages_are_linked_to(run):
    Path("tunnelgate.toml").write_text('rule-pages = "https://git.example/rules/"\n')
    text = run("check", "bad.tg", "--format", "rdjson").out
    assert '"url": "https://git.example/rules/TG101.md"' in text
