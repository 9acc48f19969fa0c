"""Runs of the program, in a folder of their own."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tunnelgate.cli.main import main

GOOD = """\
gateway branch
zone wan { interface eth0 }
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to gateway
allow ipsec-nat-t from lan to wan
"""

#: Advice alone: nothing on tcp may reach the gateway.
MILD = "zone wan { interface eth0 }\nallow ping from wan to gateway\n"

BAD = GOOD + "allow ah from lan to wan\n"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def nothing_remembered(
    own_cache: Path,
) -> None:
    """A cache that knows parser tables and no policy: what a test runs is run."""
    for kind in ("clean", "proved"):
        shutil.rmtree(own_cache / kind, ignore_errors=True)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: policies good, mild and bad, and no word of the machine around."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "good.tg").write_text(GOOD)
    (tmp_path / "mild.tg").write_text(MILD)
    (tmp_path / "bad.tg").write_text(BAD.replace("gateway branch", "gateway other", 1))
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the program in this process: `run("check", "good.tg", stdin="…")`."""

    def execute(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        code = main(arguments)
        return Result(code, *capsys.readouterr())

    return execute


@pytest.fixture
def spawn(environment: dict[str, str]) -> Run:
    """Runs the program in a process of its own; `before` is a command to run it by."""

    def execute(*arguments: str, before: tuple[str, ...] = (), **more: object) -> Result:
        done = subprocess.run(
            [*before, sys.executable, "-m", "tunnelgate", *arguments],
            env=environment | more.pop("env", {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **more,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return execute
