"""What is built from the repository works, and holds what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: One of each kind of file that a wheel must hold.
IN_WHEEL = {
    "tunnelgate/__init__.py",
    "tunnelgate/py.typed",
    "tunnelgate/cli/commands/check.py",
    "tunnelgate/conformance/policies/allow.tg",
    "tunnelgate_grammar/policy.lark",
    "tunnelgate_grammar/py.typed",
    "tunnelgate_targets/py.typed",
    "tunnelgate_targets/nftables/templates/ruleset.nft.j2",
}
IN_SDIST = {
    "pyproject.toml",
    "LICENSE",
    "Makefile",
    "compiler/tunnelgate/__init__.py",
    "grammar/tunnelgate_grammar/policy.lark",
    "schemas/manifest.schema.json",
    "targets/tunnelgate_targets/nftables/__init__.py",
    "tests/conftest.py",
}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def _python(*arguments: str, python: str = sys.executable, cwd: Path = ROOT) -> str:
    """Run Python without the source roots that these tests themselves are run with."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [python, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with an sdist of the repository, and a wheel of that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    _python("-m", "build", "--outdir", str(folder), str(ROOT))
    return folder


def _installed(folder: Path, *what: str) -> str:
    """The Python of a new virtual environment with this installed."""
    _python("-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    _python("-m", "pip", "install", "-q", "--disable-pip-version-check", *what, python=python)
    return python


def _works(python: str, folder: Path) -> None:
    """Whether the program runs, and the types are seen, away from the repository."""
    policy = folder / "p.tg"
    policy.write_text("zone wan { interface eth0 }\nallow ssh from wan to gateway\n")
    program = str(Path(python).with_name("tunnelgate"))
    done = subprocess.run(
        [program, "compile", str(policy), "-o", "out"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "out/p/nftables/ruleset.nft").exists()


def test_the_wheel_holds_what_it_needs_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= IN_WHEEL
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "tunnelgate",
        "tunnelgate_grammar",
        "tunnelgate_targets",
    }


def test_the_sdist_holds_what_building_and_testing_need(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert names >= IN_SDIST
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


def test_the_wheel_installs(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    _works(_installed(tmp_path / "venv", str(wheel)), tmp_path)


def test_an_editable_install_follows_the_repository(tmp_path):
    python = _installed(tmp_path / "venv", "--editable", str(ROOT))
    _works(python, tmp_path)
    where = (
        "import tunnelgate, tunnelgate_grammar, tunnelgate_targets.nftables as t; print(t.__file__)"
    )
    assert _python("-c", where, python=python, cwd=tmp_path).startswith(str(ROOT))
