"""The hooks, run by pre-commit itself from a repository of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = """\
zone wan { interface eth0 }

allow ssh from wan to gateway
"""
HEAP = GOOD.replace("allow ssh", "allow   ssh")
BAD = GOOD + "alow http from wan to gateway\n"
CONFIG = 'targets = ["nftables"]\noutput = "rulesets"\n'

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """A repository of this project as it lies here, what is not committed yet too."""
    folder = tmp_path / "tunnelgate"
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "all of it")
    return folder


def test_the_hooks(hooks: Path, tmp_path: Path) -> None:
    """All three in one run, since each run installs the project anew."""
    folder = tmp_path / "policies"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "heap.tg").write_text(HEAP)
    (folder / "bad.tg").write_text(BAD)
    (folder / "tunnelgate.toml").write_text(CONFIG)
    git(folder, "add", ".")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "--all-files"],
        cwd=folder,
        env=environment | {name: str(tmp_path / name) for name in ("PRE_COMMIT_HOME", "HOME")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    said = {
        hook: done.stdout.partition(f"hook id: tunnelgate-{hook}\n")[2].partition("hook id:")[0]
        for hook in ("check", "fmt", "compile-check")
    }
    assert "bad.tg:4:1" in said["check"]
    assert "heap.tg" not in said["check"]
    assert "files were modified by this hook" in said["fmt"]
    assert (folder / "heap.tg").read_text() == GOOD
    assert (folder / "bad.tg").read_text() == BAD
    assert "unknown statement `alow`" in said["compile-check"]
