"""The files at the top of the repository agree with the code."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from tunnelgate.cli.main import COMMANDS
from tunnelgate.target import BUILT_IN

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_generated_files_are_fresh(environment):
    command = [sys.executable, "tools/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "", "run `make docs`"
    assert done.returncode == 0, done.stderr


def test_hooks_call_commands_that_there_are():
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")):
        program, command, *_ = hook["entry"].split()
        assert (program, command in COMMANDS) == ("tunnelgate", True)


def test_every_target_keeps_apart_from_the_others():
    (contract,) = (
        one for one in PROJECT["tool"]["importlinter"]["contracts"] if one["type"] == "independence"
    )
    assert set(contract["modules"]) == {place.partition(":")[0] for place in BUILT_IN.values()}


def test_ci_runs_what_people_run():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text("utf-8")
