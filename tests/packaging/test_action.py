"""The GitHub action: its own shell, run on a repository with a pull request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
GOOD = """\
zone wan { interface eth0 }
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to gateway
"""


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose last commit changes a policy."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "branch`s.tg").write_text(GOOD)
    (folder / "part.tg").write_text("allow http from lan to wan\n")
    (folder / "$(touch pwned).tg").write_text('include "part.tg"\n' + GOOD)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "base")
    (folder / "branch`s.tg").write_text(GOOD + "allow ntp from lan to wan\n")
    (folder / "part.tg").write_text("allow https from lan to wan\n")
    git(folder, "commit", "--quiet", "-am", "change")
    return folder


@pytest.fixture
def run(repository: Path, tmp_path: Path, environment):
    """Runs the shell of a step as a runner would, `tunnelgate` being that of this repository."""
    program = tmp_path / "bin" / "tunnelgate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tunnelgate "$@"\n')
    program.chmod(0o755)
    for name in ("summary", "path"):
        (tmp_path / name).touch()

    def execute(step: str, **variables: str) -> subprocess.CompletedProcess[str]:
        files = {"GITHUB_STEP_SUMMARY": "summary", "GITHUB_PATH": "path", "RUNNER_TEMP": "."}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[step]["run"]],
            cwd=repository,
            env=environment
            | {"PATH": f"{program.parent}:{os.environ['PATH']}", "GITHUB_ACTIONS": "true"}
            | {name: str(tmp_path / path) for name, path in files.items()}
            | variables,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return execute


def test_a_clean_repository_passes(run):
    done = run("Check", PATHS="", TARGETS="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "::error" not in done.stdout


def test_findings_are_annotations(run, repository):
    (repository / "bad.tg").write_text(GOOD + "allow ah from lan to wan\n")
    done = run("Check", PATHS="branch`s.tg\nbad.tg\n", TARGETS="nftables\n")
    assert done.returncode == 1
    assert "::error file=bad.tg,line=8," in done.stdout


def test_targets_and_names_are_words_whatever_is_in_them(run, repository):
    done = run("Check", PATHS="$(touch pwned).tg\n--config-from=x", TARGETS="iptables; touch pwned")
    assert done.returncode == 2
    assert "unknown target `iptables; touch pwned`" in done.stderr
    assert not (repository / "pwned").exists()


def test_the_summary_says_what_changes(run, repository, tmp_path):
    done = run("Say what changes", BASE="HEAD~1")
    assert done.returncode == 0, done.stderr
    summary = (tmp_path / "summary").read_text()
    titles = [line for line in summary.splitlines() if line.startswith("## ")]
    assert titles == ["## `$(touch pwned).tg`", "## `branchs.tg`"]
    assert "`ntp from lan to wan`" in summary
    assert "`tcp/443" in summary or "`https" in summary
    assert not (repository / "pwned").exists()


def test_values_of_the_configuration_are_those_that_policies_are_compared_with(
    run, repository, tmp_path
):
    site = "param port : port\n" + GOOD
    (repository / "sites").mkdir()
    for name, port in (("berlin", 8443), ("bonn", 8444)):
        (repository / f"sites/{name}.toml").write_text(f"port = {port}\n")
    (repository / "tunnelgate.toml").write_text('vars-dir = "sites"\n')
    (repository / "site.tg").write_text(site + "allow ntp from lan to wan\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "sites")
    (repository / "site.tg").write_text(site + "allow tcp/$port, ntp from lan to wan\n")
    git(repository, "commit", "--quiet", "-am", "a port of each site")
    done = run("Say what changes", BASE="HEAD~1")
    assert done.returncode == 0, done.stderr
    summary = (tmp_path / "summary").read_text()
    assert summary.count("## `site.tg`") == 1
    assert summary.count("### What changes for `site` with `sites/") == 2
    assert "`tcp/8443 from" in summary
    assert "`tcp/8444 from" in summary


def test_without_a_change_there_is_no_summary(run, tmp_path):
    assert run("Say what changes", BASE="HEAD").returncode == 0
    assert (tmp_path / "summary").read_text() == ""


@pytest.mark.slow
def test_it_installs_itself(run, tmp_path):
    done = run("Install tunnelgate", TUNNELGATE=str(ROOT), PYTHONPATH="")
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "path").read_text().split()
    version = subprocess.run([f"{folder}/tunnelgate", "--version"], capture_output=True, text=True)
    assert version.stdout.startswith("tunnelgate ")


def test_nothing_from_outside_stands_in_a_script():
    for step in STEPS.values():
        assert "${{" not in step["run"], step["name"]


def test_every_input_is_described_and_used():
    used = (ROOT / "action.yml").read_text("utf-8")
    for name, about in ACTION["inputs"].items():
        assert about["description"]
        assert f"inputs.{name}" in used
