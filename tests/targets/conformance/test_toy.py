"""A target out of tree: found by its entry point, and held to the suite as built-in ones are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tunnelgate
from tunnelgate import conformance
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.target import Target, find, names

TOY = Path(__file__).with_name("toy.py")
#: What docs/architecture.md tells people to write.
TEST = """
from pathlib import Path

import pytest
from tunnelgate import conformance
from tunnelgate_toy import TARGET

HERE = Path(__file__).parent

@pytest.mark.parametrize("case", conformance.CASES, ids=str)
def test_conformance(case: conformance.Case) -> None:
    assert not conformance.problems(TARGET, case, HERE / "conformance")
"""
POLICY = """zone wan {
  interface eth0
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
allow ssh from lan to wan
"""


@pytest.fixture
def distribution(tmp_path: Path) -> Path:
    """The folder of an installed distribution, and its tests beside it."""
    package, about = tmp_path / "tunnelgate_toy", tmp_path / "tunnelgate_toy-1.0.dist-info"
    package.mkdir()
    about.mkdir()
    (package / "__init__.py").write_text(TOY.read_text())
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tunnelgate-toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[tunnelgate.targets]\ntoy = tunnelgate_toy:TARGET\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_toy.py").write_text(TEST)
    return tmp_path


@pytest.fixture
def toy(distribution: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    monkeypatch.syspath_prepend(str(distribution))
    monkeypatch.delitem(sys.modules, "tunnelgate_toy", raising=False)
    return find("toy")


def test_it_is_a_target_like_others(toy: Target) -> None:
    assert toy.name in names()
    assert list(tunnelgate.compile(POLICY, "toy").files) == ["list.txt"]
    [finding] = (
        one
        for one in tunnelgate.check(POLICY.replace("to wan", "to wan with log"), ["toy"])
        if one.rule.code == "TOY001"
    )
    assert finding.is_error


def test_it_passes_with_what_people_have_reviewed(
    toy: Target, distribution: Path, environment: dict[str, str]
) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(distribution), environment["PYTHONPATH"]])
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
        return subprocess.run(
            command,
            cwd=distribution,
            env={**environment, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    nothing = run()
    assert f"{len(conformance.CASES)} failed" in nothing.stdout
    goldens = distribution / "tests" / "conformance"
    for case in conformance.CASES:
        conformance.write(toy, case, goldens)
    assert f"{len(conformance.CASES)} passed" in run().stdout
    refused = {path.parent.name for path in goldens.glob("*/refused.txt")}
    assert {case.name for case in conformance.CASES if case.feature} <= refused
    assert {"allow", "deny", "groups", "portless"}.isdisjoint(refused)


class Ignores:
    """A target that leaves out what it cannot do."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def refuse(self, *_: object) -> list[Diagnostic]:
        return []


class Forgets(Ignores):
    """A target that gives something else each time."""

    count = 0

    def emit(self, *of: Any) -> Any:
        self.count += 1
        made = self._target.emit(*of)
        return type(made)({"list.txt": str(self.count)}, made.requirements)


def problems(target: Any, name: str, goldens: Path) -> str:
    [case] = (one for one in conformance.CASES if one.name == name)
    conformance.write(target, case, goldens)
    return "\n".join(conformance.problems(target, case, goldens))


@pytest.mark.parametrize("name", ["log", "reject", "tracking", "mss", "nat-ipv6", "shared"])
def test_leaving_something_out_is_found(toy: Target, tmp_path: Path, name: str) -> None:
    assert "changes nothing, and is not refused" in problems(Ignores(toy), name, tmp_path)


def test_other_bytes_each_time_are_found(toy: Target, tmp_path: Path) -> None:
    assert "a second answer differs" in problems(Forgets(toy), "allow", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "list.txt").write_text("other"), "differs from the one"),
        (lambda folder: (folder / "more.txt").write_text(""), "the target does not give it"),
        (lambda folder: (folder / "list.txt").unlink(), "is not in"),
        (lambda folder: (folder / "always.txt").write_text("so"), "changes nothing, and it does"),
    ],
)
def test_what_is_not_as_reviewed_is_found(
    toy: Target, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    [case] = (one for one in conformance.CASES if one.name == "allow")
    conformance.write(toy, case, tmp_path)
    assert conformance.problems(toy, case, tmp_path) == []
    change(tmp_path / "allow")
    [problem] = conformance.problems(toy, case, tmp_path)
    assert said in problem


def test_a_refusal_without_a_place_or_a_way_out_is_none(toy: Target, tmp_path: Path) -> None:
    class Mutters(Ignores):
        def refuse(self, *of: Any) -> list[Diagnostic]:
            return [
                Diagnostic(one.rule, one.message, one.primary) for one in self._target.refuse(*of)
            ]

    assert "has no way out" in problems(Mutters(toy), "log", tmp_path)
