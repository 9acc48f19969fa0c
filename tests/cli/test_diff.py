"""`tunnelgate diff`: files and revisions, three formats, exit codes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
OLD = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host a = 192.168.1.10
}
nat from lan to wan
allow ssh, ike from lan to wan
allow esp from a to hq
forward https from wan to a
"""
NEW = OLD.replace("ssh, ike", "ike, nat-t").replace("forward https", "forward http")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder as a repository whose first commit holds a policy in a folder."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "somebody@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git("init", "-q")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "g.tg").write_text(OLD)
    commit()
    return tmp_path


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def commit() -> None:
    git("add", "-A")
    git("commit", "-qm", "a change")


@pytest.fixture
def two(in_folder: Path) -> tuple[str, str]:
    (in_folder / "old.tg").write_text(OLD)
    (in_folder / "new.tg").write_text(NEW)
    return "old.tg", "new.tg"


TEXT = """newly allowed:
  + http from wan to 203.0.113.1
      handed to a
      by `forward http from wan to a` (new.tg:15)
  + nat-t from lan to wan
      leaves as 203.0.113.1
      by `allow ike, nat-t from lan to wan` (new.tg:13), `nat from lan to wan` (new.tg:12)
newly denied:
  - https from wan to 203.0.113.1
      nothing allows it
      was by `forward https from wan to a` (old.tg:15)
  - ssh from lan to wan
      nothing allows it
      was by `allow ssh, ike from lan to wan` (old.tg:13), `nat from lan to wan` (old.tg:12)
connections that a load leaves; these commands end them:
  conntrack -D -p tcp --orig-port-dst 443 -d 203.0.113.1
  conntrack -D -p udp --orig-port-dst 443 -d 203.0.113.1
  conntrack -D -p tcp --orig-port-dst 22 -s 192.168.1.0/24
2 newly allowed, 2 newly denied
"""


def test_text(run, two) -> None:
    shown = run("diff", *two)
    assert (shown.code, shown.out, shown.err) == (0, TEXT, "")


def test_markdown(run, two) -> None:
    shown = run("diff", *two, "--format", "markdown").out
    assert shown.startswith("### What changes for `g`\n\n2 newly allowed, 2 newly denied\n")
    assert "| + | `nat-t from lan to wan` | leaves as 203.0.113.1 | " in shown
    assert "was `forward https from wan to a` old.tg\\:15 |" in shown
    assert "```sh\nconntrack -D -p tcp" in shown


def test_markdown_of_nothing(run, two) -> None:
    shown = run("diff", two[0], two[0], "--format", "markdown").out
    assert shown == "### What changes for `g`\n\nNothing: both versions mean the same.\n"


def test_json_keeps_its_contract(run, two) -> None:
    found = json.loads(run("diff", *two, "--format", "json").out)
    jsonschema.validate(found, json.loads((ROOT / "schemas/diff.schema.json").read_text()))
    assert [change["kind"] for change in found["changes"]] == [
        "newly allowed",
        "newly allowed",
        "newly denied",
        "newly denied",
    ]
    assert found["changes"][3]["packets"] == [
        {
            "zone": "lan",
            "inside_ipsec": False,
            "source": "192.168.1.0",
            "destination": "1.0.0.0",
            "protocol": 6,
            "low": 22,
            "source_port": 40000,
            "spi": None,
        }
    ]
    assert found["connections"]["pf"] == [
        "pfctl -k 0.0.0.0/0 -k 203.0.113.1",
        "pfctl -k 192.168.1.0/24 -k 0.0.0.0/0",
    ]


def test_a_range_of_spis_that_moves(run, in_folder: Path) -> None:
    for name, spis in (("old.tg", "0x1000-0x1fff"), ("new.tg", "0x1001-0x20ff")):
        forward = f"forward esp from hq to a with spi {spis}\n"
        (in_folder / name).write_text(OLD.replace("allow esp from a to hq\n", forward))
    shown = run("diff", "old.tg", "new.tg").out
    assert "+ esp from hq to 203.0.113.1 with SPI 0x2000-0x20ff\n" in shown
    assert "- esp from hq to 203.0.113.1 with SPI 0x1000\n" in shown
    found = json.loads(run("diff", "old.tg", "new.tg", "--format", "json").out)
    jsonschema.validate(found, json.loads((ROOT / "schemas/diff.schema.json").read_text()))
    assert [change["packets"][0]["spi"] for change in found["changes"]] == [0x2000, 0x1000]


def test_exit_codes(run, two) -> None:
    assert run("diff", *two).code == 0
    assert run("diff", *two, "--exit-code").code == 1
    same = run("diff", two[0], two[0], "--exit-code")
    assert (same.code, same.out, same.err) == (0, "", "both mean the same\n")
    assert run("diff", "bad.tg", "good.tg").code == 0
    assert run("diff", "absent.tg", two[0]).code == 2


def test_a_policy_with_mistakes_is_shown_and_not_compared(run, two) -> None:
    Path("typo.tg").write_text("alow ssh from wan to lan\n")
    shown = run("diff", "typo.tg", two[0])
    assert shown.code == 1
    assert "typo.tg:1:1" in shown.out


@pytest.fixture
def fleet(in_folder: Path) -> tuple[str, str]:
    """Two policies that need a value each, one of both and one of the new one alone."""
    old = OLD.replace("gateway g\n", "param peer : address\ngateway g\n")
    old = old.replace("hq = 192.0.2.10", "hq = $peer")
    (in_folder / "old.tg").write_text(old)
    new = old.replace("param", "param more : port\nparam", 1)
    (in_folder / "new.tg").write_text(new + "allow tcp/$more from lan to hq\n")
    (in_folder / "site.toml").write_text('peer = "192.0.2.77"\nmore = 8443\n')
    return "old.tg", "new.tg"


def test_both_have_the_values_that_are_given(run, fleet) -> None:
    shown = run("diff", *fleet, "--vars", "site.toml")
    assert (shown.code, shown.err) == (0, "")
    assert "+ tcp/8443 from lan to hq" in shown.out
    assert "-d 192.0.2.77" not in shown.out
    assert "1 newly allowed\n" in shown.out
    same = run("diff", fleet[1], fleet[1], "--vars", "site.toml", "--exit-code")
    assert (same.code, same.err) == (0, "both mean the same\n")


def test_a_single_value_comes_before_that_of_the_file(run, fleet) -> None:
    shown = run("diff", *fleet, "--vars", "site.toml", "--set", "more=8080").out
    assert "+ tcp/8080 from lan to hq" in shown


def test_a_value_is_missing_or_nobodys(run, fleet) -> None:
    missing = run("diff", *fleet, "--set", "peer=192.0.2.77")
    assert missing.code == 1
    assert "new.tg:1:1" in missing.out
    assert "old.tg" not in missing.out
    nobodys = run("diff", *fleet, "--vars", "site.toml", "--set", "pear=192.0.2.77")
    assert nobodys.code == 1
    assert "`pear`" in nobodys.out
    assert "did you mean `peer`" in nobodys.out


def test_values_of_the_configuration_are_taken_one_set_after_the_other(run, fleet) -> None:
    Path("sites").mkdir()
    for site, port in (("berlin", 8443), ("`bonn`", 8444)):
        Path(f"sites/{site}.toml").write_text(f'peer = "192.0.2.77"\nmore = {port}\n')
    Path("tunnelgate.toml").write_text('vars-dir = "sites"\n')
    shown = run("diff", *fleet, "--exit-code")
    assert (shown.code, shown.err) == (1, "")
    assert [line for line in shown.out.splitlines() if line.startswith(("with", "  +"))] == [
        "with sites/`bonn`.toml:",
        "  + tcp/8444 from lan to hq",
        "with sites/berlin.toml:",
        "  + tcp/8443 from lan to hq",
    ]
    table = run("diff", *fleet, "--format", "markdown").out
    assert "### What changes for `g` with `sites/berlin.toml`\n" in table
    assert "with <code>sites/&#96;bonn&#96;.toml</code>\n" in table
    refused = run("diff", *fleet, "--format", "json")
    assert (refused.code, refused.out) == (2, "")
    assert "name it with `--vars FILE`" in refused.err
    assert "tcp/8443" in run("diff", *fleet, "--vars", "sites/berlin.toml", "--format", "json").out
    same = run("diff", fleet[1], fleet[1], "--exit-code", "--format", "markdown")
    assert same.out == "### What changes for `g`\n\nNothing: both versions mean the same.\n"


def test_defaults_are_compared_too_where_there_are_some(run, fleet) -> None:
    Path("tunnelgate.toml").write_text('vars = ["site.toml"]\n')
    for name in fleet:
        text = Path(name).read_text().replace(": address", ": address = 192.0.2.78")
        Path(name).write_text(text.replace(": port", ": port = 8080"))
    shown = run("diff", *fleet).out
    assert shown.startswith("with the defaults:\n")
    assert shown.index("+ tcp/8080") < shown.index("with site.toml:") < shown.index("+ tcp/8443")
    Path("plain.tg").write_text(OLD)
    assert run("diff", "plain.tg", "plain.tg").code == 0


def test_values_for_no_parameter_and_files_that_cannot_be_read(run, fleet) -> None:
    Path("plain.tg").write_text(OLD)
    shown = run("diff", "plain.tg", "plain.tg", "--set", "a=1")
    assert (shown.code, shown.out) == (2, "")
    assert "no policy has parameters" in shown.err
    assert run("diff", *fleet, "--vars", "absent.toml").code == 2
    assert run("diff", *fleet, "--set", "more").code == 2


def test_the_other_way_round_is_the_opposite(run, two) -> None:
    shown = run("diff", *reversed(two)).out
    assert "2 newly allowed, 2 newly denied" in shown
    assert "+ ssh from lan to wan" in shown


@pytest.mark.parametrize("name", ["HEAD:site/g.tg", "HEAD:./site/g.tg", "@:site/g.tg"])
def test_a_revision_is_compared_with_the_work_tree(run, repository: Path, name: str) -> None:
    (repository / "site" / "g.tg").write_text(NEW)
    shown = run("diff", name, "site/g.tg")
    assert (shown.code, shown.err) == (0, "")
    assert "+ nat-t from lan to wan" in shown.out
    assert f"({name.partition(':')[0]}:site/g.tg:13)" in shown.out


def test_a_path_may_begin_in_the_current_folder(
    run, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "site")
    assert run("diff", "HEAD:./g.tg", "g.tg").err == "both mean the same\n"


def test_what_a_revision_includes_is_of_the_revision(run, repository: Path) -> None:
    site = repository / "site"
    (site / "g.tg").write_text(OLD + 'include "parts/more.tg"\n')
    (site / "parts").mkdir()
    (site / "real.tg").write_text("allow ntp from lan to wan\n")
    (site / "parts" / "more.tg").symlink_to("../real.tg")
    commit()
    (site / "real.tg").write_text("allow ping from lan to wan\n")
    shown = run("diff", "HEAD:site/g.tg", "site/g.tg").out
    assert "+ ping from lan to wan" in shown
    assert "- ntp from lan to wan" in shown
    assert "`allow ntp from lan to wan` (HEAD:site/real.tg:1)" in shown


@pytest.mark.parametrize(
    ("link", "code"), [("../secret.tg", 1), ("/etc/hostname", 1), ("more.tg", 2)]
)
def test_links_of_a_revision_stay_in_the_folder(
    run, repository: Path, link: str, code: int
) -> None:
    site = repository / "site"
    (repository / "secret.tg").write_text("allow ntp from lan to wan\n")
    (site / "g.tg").write_text(OLD + 'include "more.tg"\n')
    (site / "more.tg").symlink_to(link)
    commit()
    shown = run("diff", "HEAD:site/g.tg", "site/g.tg")
    assert shown.code == code
    assert "HEAD:site/g.tg:16:9" in shown.out
    assert "ntp" not in shown.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere:site/g.tg", "git knows no revision `nowhere` here"),
        ("HEAD:absent.tg", "`HEAD:absent.tg` is not in revision `HEAD`"),
        ("HEAD:site", "`HEAD:site` is a folder, not a file"),
        ("--output=x:site/g.tg", "`--output=x` is no revision"),
        ("HEAD:../g.tg", "is not in revision `HEAD`"),
    ],
)
def test_what_is_no_revision_is_said(run, repository: Path, name: str, said: str) -> None:
    shown = run("diff", "--", name, "site/g.tg")
    assert shown.code == 2
    assert said in shown.err
    assert "help:" in shown.err
    assert sorted(one.name for one in repository.iterdir()) == sorted(
        [".git", "bad.tg", "good.tg", "mild.tg", "site"]
    )


def test_outside_a_repository(run, two) -> None:
    shown = run("diff", "HEAD:old.tg", "new.tg")
    assert shown.code == 2
    assert "git knows no revision `HEAD` here" in shown.err


def test_names_do_no_harm_in_markdown(run, in_folder: Path) -> None:
    name = "a|b`<img>`.tg"
    (in_folder / name).write_text(OLD)
    (in_folder / "n.tg").write_text(OLD + 'allow ping from lan to wan with log "<b>|`x`"\n')
    for old, new in ((name, "n.tg"), ("n.tg", name)):
        shown = run("diff", old, new, "--format", "markdown").out
        assert "<img>" not in shown
        assert "<b>" not in shown
        assert all(
            len(line.replace("\\|", "").split("|")) == 6
            for line in shown.splitlines()
            if line.startswith("|")
        )


def test_commands_are_those_of_conntrack(run, two, need: Callable[[str], str]) -> None:
    """Each is run where there is nothing to delete: 0 or 1, and 2 for what it does not know."""
    conntrack, unshare = need("conntrack"), need("unshare")
    commands = json.loads(run("diff", *two, "--format", "json").out)["connections"]["conntrack"]
    assert commands
    for one in commands:
        program, *arguments = shlex.split(one)
        assert program == "conntrack"
        done = subprocess.run(
            [unshare, "-rn", conntrack, *arguments], capture_output=True, text=True, check=False
        )
        assert "0 flow entries have been deleted" in done.stderr, done
