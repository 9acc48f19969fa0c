"""What silences findings: comments, a baseline, the rules selected, and whose word counts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tunnelgate.diagnostics import Diagnostic, Label
from tunnelgate.diagnostics.silencing import GONE
from tunnelgate.silencing.baseline import Keys
from tunnelgate.source import SourceFile

SCHEMA = Path(__file__).parents[2] / "schemas" / "baseline.schema.json"
COMMENT = '  # tunnelgate: ignore[TG505] reason="it has a console"'
ZONES = "zone wan { interface eth0 }\nzone v6 {\n  interface eth2\n  network 2001:db8:9::/48\n}\n"
LEGACY = (
    "gateway old\n"
    + ZONES
    + """\
zone lan {
  interface eth1
  network 192.168.1.0/24
}
allow ssh from lan to gateway
allow https from lan to v6
allow http from lan to v6
allow ntp from lan to wan
allow ping from v6 to gateway
"""
)


@pytest.fixture(autouse=True)
def legacy(in_folder: Path) -> Path:
    path = in_folder / "legacy.tg"
    path.write_text(LEGACY)
    return path


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# Comments


def test_a_comment_silences_and_is_counted(run):
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT)
    result = run("check", "--fail-level", "advice", "mild.tg")
    assert (result.code, result.out) == (0, "")
    assert result.err == "1 policy: no findings (1 silenced)\n"
    summary = json.loads(run("check", "--format", "json", "mild.tg").out)["summary"]
    assert summary == {"errors": 0, "warnings": 0, "advice": 0, "silenced": 1}
    assert run("check", "mild.tg", "bad.tg").out.endswith("\n\n1 error (1 silenced)\n")


def test_a_machine_is_not_told_of_what_is_silenced(run):
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT)
    for format in ("sarif", "gitlab", "rdjson", "junit", "github", "concise"):
        assert "TG505" not in run("check", "--format", format, "mild.tg").out


def test_a_day_that_comes_is_not_forgotten(run, monkeypatch):
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT + " until=2001-09-09")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert run("check", "mild.tg").out == ""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000080000")
    assert "TG084" in run("check", "mild.tg").out


def test_what_several_policies_include_is_told_once(run):
    Path("zones.tg").write_text(ZONES + "# tunnelgate: nonsense\n")
    for name in ("a", "b"):
        Path(f"{name}.tg").write_text(
            f'gateway {name}\ninclude "zones.tg"\nallow ping from v6 to v6\n'
        )
    lines = run("check", "--format", "concise", "a.tg", "b.tg").out.splitlines()
    assert len([line for line in lines if "TG085" in line]) == 1


def test_an_included_comment_silences_and_need_not_be_of_use_to_all(run):
    Path("zones.tg").write_text(ZONES.replace("eth0 }", "eth0 }" + COMMENT))
    Path("a.tg").write_text('include "zones.tg"\n')
    Path("b.tg").write_text('include "zones.tg"\nallow ssh from v6 to gateway\n')
    result = run("check", "--fail-level", "advice", "a.tg", "b.tg")
    assert (result.code, result.err) == (0, "2 policies: no findings (1 silenced)\n")


def test_a_comment_is_about_its_own_file(run):
    """Not about what stands on the same line of another one."""
    Path("part.tg").write_text(
        '\n\nprotocol x = udp/1  # tunnelgate: ignore[TG505] reason="it has a console"\n'
    )
    Path("a.tg").write_text(f'include "part.tg"\n\n{ZONES}')
    assert ":3:" in (out := run("check", "--format", "concise", "a.tg").out)
    assert "TG505" in out


def test_a_comment_may_be_of_use_with_some_values_only(run):
    comment = '  # tunnelgate: ignore[TG607] reason="in May"'
    text = LEGACY.replace("allow http from lan to v6\n", "").replace("2001:db8:9::/48", "$inside")
    policy = text.replace(
        "gateway old\n", "gateway $name\nparam name : name\nparam inside : prefix\n"
    )
    Path("legacy.tg").write_text(policy.replace("to v6\n", f"to v6{comment}\n"))
    Path("a.toml").write_text('name = "a"\ninside = "10.9.0.0/16"\n')
    Path("b.toml").write_text('name = "b"\ninside = "2001:db8:9::/48"\n')
    both = run("check", "legacy.tg", "--vars", "a.toml", "--vars", "b.toml")
    assert (both.out, both.err) == ("", "1 policy: no findings (1 silenced)\n")
    assert "TG083" in run("check", "legacy.tg", "--vars", "a.toml").out


# Rules selected


@pytest.mark.parametrize(
    ("flags", "codes"),
    [
        ((), ["TG607", "TG607"]),
        (("--select", "TG6"), ["TG607", "TG607"]),
        (("--select", "TG5"), []),
        (("--select", "tg5, TG607"), ["TG607", "TG607"]),
        (("--ignore", "TG607"), []),
        (("--ignore", "TG5", "--ignore", "TG1"), ["TG607", "TG607"]),
        (("--select", "TG6", "--ignore", "TG607"), []),
    ],
)
def test_select_and_ignore(run, flags, codes):
    lines = run("check", "--format", "concise", *flags, "legacy.tg").out.splitlines()
    assert [line.partition("[")[2][:5] for line in lines] == codes


@pytest.mark.parametrize("flags", [("--ignore", "TG"), ("--select", "TG5")])
@pytest.mark.parametrize("command", ["check", "compile"])
def test_an_error_is_always_shown(run, command, flags):
    result = run(command, *flags, "bad.tg", "--format", "concise")
    assert result.code == 1
    assert "error[TG101]" in result.out + result.err


@pytest.mark.parametrize("flag", ["--select", "--ignore"])
def test_a_code_that_is_none(run, flag):
    result = run("check", flag, "TG670", "legacy.tg")
    assert result.code == 2
    assert "no rule's code begins with `TG670`" in result.err
    assert "help: did you mean `TG607`?" in result.err


# Fixes


def test_a_comment_of_no_use_is_taken_out(run):
    replace(Path("legacy.tg"), "lan to gateway\n", "lan to gateway" + COMMENT + "\n")
    assert "TG083" in run("check", "legacy.tg").out
    assert run("check", "--fix", "legacy.tg").code == 0
    assert Path("legacy.tg").read_text() == LEGACY


def test_what_is_silenced_is_not_fixed(run):
    comment = '  # tunnelgate: ignore[TG607] reason="in May"'
    replace(Path("legacy.tg"), "http from lan to v6", "http from lan to v6" + comment)
    result = run("check", "--fix", "--unsafe-fixes", "legacy.tg")
    assert result.err.count("fixed 1 finding in legacy.tg") == 1
    assert "http from lan to v6" in Path("legacy.tg").read_text()
    assert "https from lan to v6" not in Path("legacy.tg").read_text()


def test_what_the_baseline_holds_is_not_fixed(run, baseline):
    replace(Path("legacy.tg"), "allow http from", "allow ftp from lan to v6\nallow http from")
    run("check", "--fix", "--unsafe-fixes", "--baseline", "baseline.json", "legacy.tg")
    assert Path("legacy.tg").read_text() == LEGACY


# Baseline


@pytest.fixture
def baseline(run) -> Path:
    path = Path("baseline.json")
    result = run("check", "--baseline", str(path), "--write-baseline", "legacy.tg")
    assert (result.code, result.out) == (0, "")
    assert result.err == "wrote baseline.json: 2 found, 0 of other gateways\n"
    return path


def test_a_baseline_silences_what_stands_in_it(run, baseline):
    result = run("check", "--baseline", "baseline.json", "--fail-level", "advice", "legacy.tg")
    assert (result.code, result.out) == (0, "")
    assert result.err == "1 policy: no findings (2 silenced)\n"


def test_a_baseline_keeps_its_contract(baseline):
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    text = baseline.read_text()
    jsonschema.validate(json.loads(text), schema)
    assert text == (
        '{\n  "version": 1,\n  "entries": [\n'
        '    {"rule": "TG607", "object": "old", "text": "allow http from lan to v6", "count": 1},\n'
        '    {"rule": "TG607", "object": "old", "text": "allow https from lan to v6", "count": 1}\n'
        "  ]\n}\n"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gateway old\n", "gateway old\n\n# a line more\n"),
        ("allow https from lan to v6", "allow  https   from lan to v6  # a word"),
        (
            "allow ssh from lan to gateway\nallow https from lan to v6\n",
            "allow https from lan to v6\nallow ssh from lan to gateway\n",
        ),
    ],
)
def test_what_is_moved_or_laid_out_anew_stays_known(run, baseline, legacy, old, new):
    replace(legacy, old, new)
    legacy.rename("moved.tg")
    assert run("check", "--baseline", "baseline.json", "moved.tg").out == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gateway old", "gateway other"),
        ("allow https from lan to v6", "allow https, ssh from lan to v6"),
        ("allow https from lan to v6", "allow https from lan to v6\nallow https from lan to v6"),
    ],
)
def test_what_is_new_is_shown(run, baseline, legacy, old, new):
    replace(legacy, old, new)
    assert "warning[TG607]" in run("check", "--baseline", "baseline.json", "legacy.tg").out


def test_what_is_gone_is_told(run, baseline, legacy):
    replace(legacy, "allow http from lan to v6\n", "")
    result = run("check", "--baseline", "baseline.json", "--format", "concise", "legacy.tg")
    out = result.out
    assert "no findings" not in result.err
    assert out == "baseline.json:4:48: warning[TG087] TG607 in `old` is not found any more\n"
    run("check", "--baseline", "baseline.json", "--write-baseline", "legacy.tg")
    assert "allow http " not in baseline.read_text()
    assert run("check", "--baseline", "baseline.json", "legacy.tg").out == ""


def test_of_gateways_that_were_not_looked_at_nothing_is_gone(run, baseline):
    assert run("check", "--baseline", "baseline.json", "good.tg").out == ""
    assert (
        "of other gateways"
        in run("check", "--baseline", "baseline.json", "--write-baseline", "good.tg").err
    )
    assert "allow http " in baseline.read_text()


def test_a_run_over_everything_knows_of_a_gateway_that_is_no_more(run, baseline, legacy):
    Path("tunnelgate.toml").write_text('paths = ["good.tg"]\nbaseline = "baseline.json"\n')
    legacy.unlink()
    assert run("check").out.count("warning[TG087]") == 2


def test_an_error_is_part_of_no_baseline(run, baseline):
    before = baseline.read_text()
    result = run("check", "--baseline", "baseline.json", "--write-baseline", "bad.tg", "legacy.tg")
    assert (result.code, "error[TG101]" in result.out) == (1, True)
    assert baseline.read_text() == before


def test_a_baseline_that_somebody_wrote_by_hand_holds_no_error(run):
    entry = {"rule": "TG101", "object": "other", "text": "allow ah from lan to wan", "count": 1}
    Path("b.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
    result = run("check", "--baseline", "b.json", "bad.tg")
    assert (result.code, "error[TG101]" in result.out) == (1, True)


def test_a_policy_that_is_remembered_as_clean_is_looked_at(run, baseline, legacy):
    replace(legacy, "allow http from lan to v6\n", "")
    replace(legacy, "allow https from lan to v6\n", "allow https from v6 to wan\n")
    assert run("check", "legacy.tg").err == "1 policy: no findings\n"
    assert run("check", "--baseline", "baseline.json", "legacy.tg").out.count("TG087") == 2


def test_what_is_wrong_with_silencing_is_part_of_no_baseline(run):
    replace(Path("legacy.tg"), "gateway old\n", "gateway old\n# tunnelgate: nonsense\n")
    run("check", "--baseline", "b.json", "--write-baseline", "legacy.tg")
    assert "TG085" in run("check", "--baseline", "b.json", "legacy.tg").out


def test_a_finding_is_known_by_gateway_zone_and_statement():
    file = SourceFile("zone wan {\n  interface  eth0 ,eth1  # two\n}\n\n")
    places = [file.span(start, start + 1) for start in (5, 13, len(file.text) - 1)]
    keys = Keys("m")
    assert [keys.of(Diagnostic(GONE, "x", Label(place)))[1:] for place in places] == [
        ("m", "zone wan {"),
        ("m/wan", "interface eth0, eth1"),
        ("m", ""),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is no JSON"),
        ("[]", "it is no baseline of version 1"),
        ('{"version": 2, "entries": []}', "it is no baseline of version 1"),
        ('{"version": 1}', "a baseline has `version` and `entries`"),
        ('{"version": 1, "entries": [1]}', "entry 1 has not the keys rule, object, text, count"),
        ('{"version": 1, "entries": [{"rule": "TG607"}]}', "entry 1 has not the keys"),
        (
            '{"version": 1, "entries": [{"rule": 1, "object": "o", "text": "t", "count": 1}]}',
            "entry 1: rule, object and text are strings",
        ),
        (
            '{"version": 1, "entries": [{"rule": "a", "object": "o", "text": "t", "count": true}]}',
            "entry 1: count is a number from 1",
        ),
    ],
)
def test_a_file_that_is_no_baseline(run, text, said):
    Path("b.json").write_text(text)
    result = run("check", "--baseline", "b.json", "legacy.tg")
    assert (result.code, result.out) == (2, "")
    assert f"the baseline `b.json` cannot be used: {said}" in result.err


def test_a_baseline_that_is_not_there(run):
    result = run("check", "--baseline", "b.json", "legacy.tg")
    assert result.code == 2
    assert "help: write it with `--write-baseline`" in result.err
    assert run("check", "--write-baseline", "legacy.tg").code == 2


def test_a_baseline_counts_where_rulesets_are_made(run, baseline):
    flags = ("--fail-level", "warning", "legacy.tg")
    assert run("compile", *flags).code == 1
    assert run("compile", "--baseline", "baseline.json", *flags).code == 0


# The base of a change


@pytest.fixture
def git(need: Callable[[str], str], in_folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A repository of this folder, and a function that runs git in it."""
    program = need("git")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "t")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "t@example.org")

    def execute(*arguments: str) -> None:
        subprocess.run([program, *arguments], cwd=in_folder, check=True, capture_output=True)

    execute("init", "-b", "main")
    execute("add", ".")
    execute("commit", "-m", "base")
    return execute


def test_the_base_says_how_findings_are_shown(run, git):
    Path("tunnelgate.toml").write_text('format = "concise"\nfail-level = "advice"\n')
    git("add", ".")
    git("commit", "-m", "strict")
    Path("tunnelgate.toml").write_text('ignore = ["TG"]\n')
    assert (here := run("check", "mild.tg")).code == 0
    assert here.out == ""
    base = run("check", "--config-from", "main", "mild.tg")
    assert (base.code, base.out.count("\n")) == (1, 1)


def test_a_comment_that_the_change_adds_silences_nothing(run, git):
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT)
    assert run("check", "mild.tg").out == ""
    out = run("check", "--config-from", "HEAD", "--format", "concise", "mild.tg").out
    assert [line.partition("[")[2][:5] for line in out.splitlines()] == ["TG505", "TG088"]
    git("commit", "-am", "ignore")
    assert run("check", "--config-from", "HEAD", "mild.tg").out == ""
    assert "TG088" in run("check", "--config-from", "HEAD~1", "mild.tg").out


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("zone wan", "\n# a line more\nzone wan", True),
        ("interface eth0", "interface eth1", False),
        ("it has a console", "no reason", False),
        ("[TG505]", "[TG505, TG607]", False),
    ],
)
def test_a_comment_is_known_by_its_words_and_its_statement(run, git, old, new, counts):
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT)
    git("commit", "-am", "ignore")
    replace(Path("mild.tg"), old, new)
    out = run("check", "--config-from", "main", "mild.tg").out
    assert ("TG505" not in out) is counts


def test_a_comment_of_another_file_is_no_comment_of_this_one(run, git):
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT)
    git("commit", "-am", "ignore")
    Path("copy.tg").write_text(Path("mild.tg").read_text())
    assert run("check", "--config-from", "main", "mild.tg").out == ""
    assert "TG088" in run("check", "--config-from", "main", "mild.tg", "copy.tg").out


def test_a_file_outside_of_the_repository_is_none_of_its_base(run, git, in_folder, monkeypatch):
    """To git, `REV:../mild.tg` is relative to the current folder."""
    replace(Path("mild.tg"), "eth0 }", "eth0 }" + COMMENT)
    Path("sub").mkdir()
    Path("sub/good.tg").write_text(Path("good.tg").read_text())
    git("add", ".")
    git("commit", "-m", "ignore")
    outside = in_folder.parent / "mild.tg"
    outside.write_text(Path("mild.tg").read_text())
    monkeypatch.chdir("sub")
    assert run("check", "--config-from", "main", "good.tg", "../mild.tg").out == ""
    assert "TG088" in run("check", "--config-from", "main", "good.tg", "../../mild.tg").out


def test_a_baseline_that_the_change_lengthens(run, git, baseline):
    git("add", ".")
    git("commit", "-m", "baseline")
    replace(Path("legacy.tg"), "allow http from", "allow ftp from lan to v6\nallow http from")
    run("check", "--baseline", "baseline.json", "--write-baseline", "legacy.tg")
    assert run("check", "--baseline", "baseline.json", "legacy.tg").out == ""
    flags = ("--baseline", "baseline.json", "--config-from", "main", "--format", "concise")
    lines = run("check", *flags, "legacy.tg").out.splitlines()
    assert lines == [
        "baseline.json:4:48: warning[TG088] the change adds TG607 in `old` to the baseline",
        "legacy.tg:13:23: warning[TG607] `lan` and `v6` have no address family in common",
    ]


def test_a_baseline_that_the_change_shortens_is_fine(run, git, baseline, legacy):
    git("add", ".")
    git("commit", "-m", "baseline")
    replace(legacy, "allow http from lan to v6\n", "")
    run("check", "--baseline", "baseline.json", "--write-baseline", "legacy.tg")
    flags = ("--baseline", "baseline.json", "--config-from", "main")
    assert run("check", *flags, "legacy.tg").out == ""


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("--upload-pack=touch owned", "is no revision"),
        ("-h", "is no revision"),
        ("a\nb", "is no revision"),
        ("nowhere", "git knows no revision `nowhere` here"),
        ("main:legacy.tg", "git knows no revision `main:legacy.tg` here"),
        ("", "git knows no revision `` here"),
    ],
)
def test_what_is_no_revision(run, git, revision, said):
    result = run("check", f"--config-from={revision}", "good.tg")
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert not Path("owned").exists()


def test_outside_of_a_repository(run, in_folder, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(in_folder.parent))
    result = run("check", "--config-from", "main", "good.tg")
    assert result.code == 2
    assert "git knows no revision `main` here" in result.err


def test_without_git(run, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    result = run("check", "--config-from", "main", "good.tg")
    assert (result.code, "git cannot be run" in result.err) == (2, True)
