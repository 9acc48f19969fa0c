"""Values for parameters on the command line: one by one, from files, from a folder of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

POLICY = """\
param site : name   = home
param lan  : prefix = 192.168.1.0/24
gateway $site
zone wan { interface eth0 }
zone lan {
  interface eth1
  network   $lan
}
nat from lan to wan
allow ssh from lan to gateway
allow https from lan to wan
"""


@pytest.fixture(autouse=True)
def policies(in_folder: Path) -> Path:
    for path in in_folder.glob("*.tg"):
        path.unlink()
    Path("p.tg").write_text(POLICY)
    Path("sites").mkdir()
    Path("sites/bonn.toml").write_text('site = "bonn"\nlan = "10.1.0.0/24"\n')
    Path("sites/berlin.yaml").write_text("site: berlin\nlan: 10.2.0.0/24\n")
    Path("sites/README.md").write_text("What stands here.\n")
    return in_folder


def gateways() -> dict[str, list[str]]:
    """The gateways that were written, and the values of their network."""
    manifests = Path("out").glob("*/nftables/manifest.json")
    documents = [json.loads(path.read_text()) for path in manifests]
    return {one["gateway"]: one["parameters"]["lan"] for one in sorted(documents, key=str)}


def test_defaults(run):
    assert run("compile", "p.tg", "-o", "out").code == 0
    assert gateways() == {"home": ["192.168.1.0/24"]}


def test_single_values(run):
    assert run("compile", "p.tg", "-o", "out", "--set", "site=bonn").code == 0
    assert gateways() == {"bonn": ["192.168.1.0/24"]}


def test_a_file_and_single_values_which_come_first(run):
    arguments = ("--vars", "sites/bonn.toml", "--set", "lan=10.9.0.0/24")
    assert run("compile", "p.tg", "-o", "out", *arguments).code == 0
    assert gateways() == {"bonn": ["10.9.0.0/24"]}


def test_a_folder_of_files_is_a_gateway_each(run):
    result = run("compile", "p.tg", "-o", "out", "--vars-dir", "sites")
    assert result.code == 0
    assert gateways() == {"berlin": ["10.2.0.0/24"], "bonn": ["10.1.0.0/24"]}
    manifest = json.loads(Path("out/berlin/nftables/manifest.json").read_text())
    assert [one["file"] for one in manifest["policy"]] == ["p.tg", "berlin.yaml"]


def test_a_file_that_is_named_twice_is_one(run):
    arguments = ("--vars", "sites/bonn.toml", "--vars", "./sites/../sites/bonn.toml")
    assert run("compile", "p.tg", "-o", "out", *arguments).code == 0


def test_two_files_for_one_gateway(run):
    Path("sites/bonn.toml").write_text('site = "berlin"\n')
    result = run("compile", "p.tg", "-o", "out", "--vars-dir", "sites")
    assert result.code == 2
    assert (
        "`p.tg` with `sites/berlin.yaml` and `p.tg` with `sites/bonn.toml` are both about gateway "
        "`berlin`" in result.err
    )
    assert not Path("out").exists()


def test_a_list_stands_between_commas(run):
    Path("p.tg").write_text(POLICY + "param t : address...\nallow ssh from lan to $t\n")
    assert run("check", "p.tg", "--set", "t=192.0.2.1,192.0.2.2").code == 0
    result = run("check", "p.tg", "--set", "t=192.0.2.1,192.0.2.", "--format", "concise")
    assert result.out.startswith("--set:1:13: error[TG007] `192.0.2.` is no IP address")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("v.toml", 't = [\n  "10.0.0.1",\n  [["10.0.0.2"]],\n]\n', "3:3"),
        ("v.yaml", "t:\n  - 10.0.0.1\n  - {a: [10.0.0.2]}\n", "3:5"),
        ("v.json", '{"t": ["10.0.0.1",\n {"a": [1]}]}', "2:2"),
        ("v.json", '{"t": ["10.0.0.1",\n 5]}', "2:2"),
    ],
)
def test_a_wrong_type_within_a_list_is_shown_there(run, name, text, place):
    Path("p.tg").write_text(POLICY + "param t : address...\nallow ssh from lan to $t\n")
    Path(name).write_text(text)
    result = run("check", "p.tg", "--vars", name, "--format", "concise")
    assert result.code == 1
    assert result.out.startswith(f"{name}:{place}: error[TG017] `t`: ")
    assert result.out.count("\n") == 1


def test_what_was_meant_is_said_and_no_edit_of_another_file_is_offered(run):
    shown = run("check", "p.tg", "--set", "lan=10.0.0.1/8", "--format", "json").out
    (finding,) = json.loads(shown)["findings"]
    assert finding["fix"] is None
    assert finding["help"].endswith(": `10.0.0.0/8`")


def test_check_looks_at_the_defaults_and_at_each_file(run):
    """A host that is outside the default network, and outside Bonn's, but inside Berlin's."""
    Path("p.tg").write_text(POLICY.replace("  network", "  host h = 10.2.0.1\n  network"))
    with Path("p.tg").open("a") as policy:
        policy.write("allow ping from h to gateway\n")
    shown = run("check", "p.tg", "--vars-dir", "sites", "--format", "json").out
    findings = json.loads(shown)["findings"]
    (label,) = (one["labels"][-1] for one in findings)
    assert label["path"] == "sites/bonn.toml"
    assert label["text"] == "with these values, and with the defaults"


def test_what_is_found_with_all_values_is_told_once(run):
    Path("p.tg").write_text(POLICY + "allow ssh from lan to nowhere\n")
    result = run("check", "p.tg", "--vars-dir", "sites", "--format", "concise")
    assert result.out.count("\n") == 1
    assert "unknown place `nowhere`" in result.out


def test_a_policy_that_needs_values_is_not_checked_without(run):
    Path("p.tg").write_text(POLICY.replace("= home", ""))
    assert run("check", "p.tg").code == 1
    assert run("check", "p.tg", "--vars", "sites/bonn.toml").code == 0


def test_values_are_for_the_policies_that_have_parameters(run):
    Path("q.tg").write_text("zone wan { interface eth0 }\nallow ssh from wan to gateway\n")
    assert run("compile", ".", "-o", "out", "--vars-dir", "sites").code == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["berlin", "bonn", "q"]
    result = run("compile", "q.tg", "-o", "out", "--vars-dir", "sites")
    assert result.code == 2
    assert "no policy has parameters" in result.err


def test_parameters_of_an_included_file(run):
    Path("params.tg").write_text("param extra : port = 500\nallow udp/$extra from lan to wan\n")
    Path("p.tg").write_text('include "params.tg"\nzone wan { interface eth0 }\n'
                            "zone lan {\n  interface eth1\n  network 10.0.0.0/8\n}\n")  # fmt: skip
    assert run("check", "p.tg", "--set", "extra=501").code == 0
    assert run("check", "p.tg", "--set", "extra=0").code == 1


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("v.toml", "lan = ", 2, "v.toml:1:7: error[TG002] is no TOML: invalid value"),
        ("v.toml", "lan = 5\n", 1, "v.toml:1:7: error[TG017] `lan`: a number stands where a text"),
        ("v.toml", 'lam = "10.0.0.0/8"', 1, "v.toml:1:1: error[TG017] unknown parameter `lam`"),
        ("v.yaml", "lan:\n  - 10.0.0.0/8\n", 1, "v.yaml:2:3: error[TG017] `lan`: a list stands"),
        (
            "v.json",
            '{"lan": {"a": [1]}}',
            1,
            "v.json:1:9: error[TG017] `lan`: a table stands where",
        ),
        ("v.json", '{"lan": "10.0.0.1/8"}', 1, "v.json:1:9: error[TG007] `10.0.0.1/8` has bits"),
        ("v.txt", "", 2, "v.txt:1:1: error[TG002] is no file of variables by its name"),
        ("v.toml", None, 2, "v.toml:1:1: error[TG002] cannot be read: no such file"),
    ],
)
def test_a_finding_is_in_the_file_of_variables(run, name, text, code, said):
    if text is not None:
        Path(name).write_text(text)
    for command in (("check", "p.tg"), ("compile", "p.tg", "-o", "out")):
        result = run(*command, "--vars", name, "--format", "concise")
        assert (result.code, result.out.splitlines()[0][: len(said)]) == (code, said)
        assert result.out.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--set", "site"), "`site` sets nothing: write `NAME=VALUE`"),
        (("--set", "site=a", "--set", "site=b"), "`site` is given twice"),
        (("--vars-dir", "none"), "folder `none` cannot be read"),
        (("--vars-dir", "."), "no file of variables in `.`"),
    ],
)
def test_wrong_use(run, flags, said):
    result = run("check", "p.tg", *flags)
    assert result.code in (1, 2)
    assert said in result.out + result.err


def test_changed_values_are_checked(run):
    """The marks of clean policies know the values, too."""
    assert run("check", "p.tg", "--vars", "sites/bonn.toml").code == 0
    Path("sites/bonn.toml").write_text('lan = "10.0.0.0/99"\n')
    assert run("check", "p.tg", "--vars", "sites/bonn.toml").code == 1
    assert run("check", "p.tg", "--set", "lan=10.0.0.0/8").code == 0
    assert run("check", "p.tg", "--set", "lan=10.0.0.0/88").code == 1
