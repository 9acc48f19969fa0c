"""A proof is made once, a byte that differs is proved anew, and no mark is taken on trust."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import tunnelgate
from tunnelgate.proof import NotProved, prove_once
from tunnelgate.records import replace
from tunnelgate.source import SourceFile
from tunnelgate.target import WHOLE, Setup, find

remembered = import_module("tunnelgate.proof.remembered")

POLICY = """param port : port = 22
gateway g
zone wan {
  interface eth0
  address 203.0.113.1
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  group admins from "admins"
}
include "more.tg"
allow tcp/$port from admins to wan
"""
TARGETS = ("nftables", "iptables")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy of several files, and a cache that knows nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "more.tg").write_text("nat from lan to wan\n")
    (tmp_path / "admins").write_text("192.168.1.7\n")
    (tmp_path / "g.tg").write_text(POLICY)
    return tmp_path / "g.tg"


@pytest.fixture
def marks(path: Path) -> Path:
    """Where the marks of proofs are."""
    return path.parent / "cache" / "tunnelgate" / "proved"


@pytest.fixture
def proved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The targets whose rulesets were proved, not remembered."""
    found: list[str] = []
    plain = remembered.prove

    def prove(policy: object, target: tunnelgate.target.Target, *more: object) -> object:
        found.append(target.name)
        return plain(policy, target, *more)

    monkeypatch.setattr(remembered, "prove", prove)
    return found


def folders(path: Path) -> list[Mapping[str, str]]:
    return [one.folder for one in tunnelgate.compile_each(path, TARGETS)]


def test_a_proof_is_made_once_and_the_manifest_is_the_same(
    path: Path, marks: Path, proved: list[str]
) -> None:
    first = folders(path)
    assert proved == list(TARGETS)
    assert len(os.listdir(marks)) == 2
    assert folders(path) == first
    assert proved == list(TARGETS)
    assert '"model": 1' in first[0]["manifest.json"]


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def swap_behind_a_link(folder: Path) -> None:
    """The same texts under the same names, and another one that is asked for."""
    (folder / "other").write_text("192.168.1.8\n")
    (folder / "admins").rename(folder / "real")
    (folder / "admins").symlink_to("other")


@pytest.mark.parametrize(
    "change",
    [
        edit("g.tg", "gateway g\n", "gateway g \n"),
        edit("g.tg", "gateway g\n", "gateway h\n"),
        edit("more.tg", "nat", "# a comment\nnat"),
        edit("admins", "192.168.1.7", "192.168.1.6"),
        swap_behind_a_link,
    ],
)
def test_what_is_read_otherwise_is_proved_anew(
    path: Path, proved: list[str], change: Callable[[Path], None]
) -> None:
    tunnelgate.compile(path)
    change(path.parent)
    tunnelgate.compile(path)
    assert proved == ["nftables", "nftables"]


@pytest.mark.parametrize(
    "more",
    [{"vars": {"port": 23}}, {"layout": "shared"}, {"versions": {"nftables": "1.0.9"}}],
)
def test_what_is_asked_otherwise_is_proved_anew(
    path: Path, proved: list[str], more: Mapping[str, object]
) -> None:
    tunnelgate.compile(path)
    tunnelgate.compile(path, **more)
    assert proved == ["nftables", "nftables"]


def test_each_part_counts_where_all_else_is_equal(path: Path) -> None:
    """Mostly the output differs as well; a proof is there for where it does not, and should."""
    compiled = tunnelgate.compile(path, prove=False)
    policy, target, files = compiled.policy, find("nftables"), compiled.files
    file, library = policy.file, policy.file.library
    (port,) = policy.parameters
    other_port = replace(port, values=("23",))
    others = SimpleNamespace(asked={**library.asked, "admins": library.asked["more.tg"]})
    other_file = SourceFile(file.text, file.path, file.name, others)
    found = [
        remembered._digest(*about)
        for about in (
            (policy, target, files, WHOLE),
            (policy, find("iptables"), files, WHOLE),
            (policy, target, files, Setup("shared")),
            (policy, target, files, Setup("whole", "1.0.9")),
            (policy, target, {**files, "more": ""}, WHOLE),
            (replace(policy, name="h"), target, files, WHOLE),
            (replace(policy, files=policy.files[:-1]), target, files, WHOLE),
            (replace(policy, parameters=(other_port,)), target, files, WHOLE),
            (replace(policy, file=other_file), target, files, WHOLE),
        )
    ]
    assert len(set(found)) == len(found)


def test_another_program_proves_anew(
    path: Path, proved: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tunnelgate.compile(path)
    monkeypatch.setattr(remembered, "_program", lambda: "another")
    tunnelgate.compile(path)
    assert proved == ["nftables", "nftables"]


def test_a_program_is_what_its_files_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same size, and changed at the same time: no stamp tells them apart."""
    file = tmp_path / "room.py"
    monkeypatch.setattr(
        remembered, "import_module", lambda _: type("", (), {"__path__": [tmp_path]})
    )
    found = set()
    for text in ("budget = 1", "budget = 2"):
        file.write_text(text)
        os.utime(file, (1, 1))
        found.add(remembered._program.__wrapped__())
    assert len(found) == 2


def test_a_ruleset_that_differs_in_any_byte_is_read_again_and_refused(path: Path) -> None:
    """The mark of the right one is there, and is of no use to a wrong one."""
    compiled = tunnelgate.compile(path)
    text = compiled.files["ruleset.nft"]
    about = compiled.policy, find("nftables")
    assert prove_once(*about, compiled.files, WHOLE) == compiled.certificate
    wrong = text.replace("6 . 22", "6 . 23")
    assert sum(one != other for one, other in zip(text, wrong, strict=True)) == 1
    for _ in range(2):  # what fails is not remembered
        with pytest.raises(NotProved):
            prove_once(*about, {**compiled.files, "ruleset.nft": wrong}, WHOLE)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data[:-2] + b"_\n",
        lambda data: b"proved\n",
    ],
)
def test_a_mark_that_says_something_else_is_not_believed(
    path: Path, marks: Path, proved: list[str], change: Callable[[bytes], bytes]
) -> None:
    tunnelgate.compile(path)
    (mark,) = marks.iterdir()
    whole = mark.read_bytes()
    mark.write_bytes(change(whole))
    tunnelgate.compile(path)
    assert proved == ["nftables", "nftables"]
    assert mark.read_bytes() == whole


def test_the_mark_of_another_proof_is_not_believed(
    path: Path, marks: Path, proved: list[str]
) -> None:
    tunnelgate.compile(path)
    (mark,) = marks.iterdir()
    data = mark.read_bytes()
    tunnelgate.compile(path, "iptables")
    (other,) = (one for one in marks.iterdir() if one != mark)
    other.write_bytes(data)
    tunnelgate.compile(path, "iptables")
    assert proved == ["nftables", "iptables", "iptables"]


def test_what_others_may_write_to_is_not_believed(
    path: Path, marks: Path, proved: list[str]
) -> None:
    tunnelgate.compile(path)
    (mark,) = marks.iterdir()
    mark.chmod(0o666)
    tunnelgate.compile(path)
    mark.rename(marks.parent / "elsewhere")
    mark.symlink_to(marks.parent / "elsewhere")
    tunnelgate.compile(path)
    marks.chmod(0o777)
    tunnelgate.compile(path)
    assert proved == ["nftables"] * 4


def test_a_policy_that_its_text_may_not_tell_is_proved_each_time(
    path: Path, marks: Path, proved: list[str]
) -> None:
    policy = tunnelgate.load(path)
    for _ in range(2):
        tunnelgate.compile(policy)
    assert not marks.exists()
    tunnelgate.compile(path)
    changed = replace(policy, rules=())
    with pytest.raises(NotProved):
        remembered.prove(changed, find("nftables"), tunnelgate.compile(path).files, WHOLE)
    with pytest.raises(NotProved):
        tunnelgate.api._prover(changed)(
            changed, find("nftables"), tunnelgate.compile(path).files, WHOLE
        )


def test_a_target_of_another_distribution_is_proved_each_time(
    path: Path, marks: Path, proved: list[str]
) -> None:
    class Foreign(type(find("nftables"))):
        """It has the name of a built-in one, and might read otherwise."""

    compiled = tunnelgate.compile(path, prove=False)
    for _ in range(2):
        prove_once(compiled.policy, Foreign(), compiled.files, Setup())
    assert proved == ["nftables", "nftables"]
    assert not marks.exists()


def test_many_at_once_leave_one_mark_each(
    path: Path, marks: Path, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "tunnelgate", "compile", "-t", "nftables", "-t", "iptables"]
    running = [
        subprocess.Popen(
            [*command, "-o", str(path.parent / f"out{number}"), str(path)],
            env={**environment, "XDG_CACHE_HOME": str(path.parent / "cache")},
            stdout=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    assert [one.wait() for one in running] == [0] * 4
    assert sorted(len(one.name) for one in marks.iterdir()) == [64, 64]
    outputs = [
        sorted((one.name, one.read_text()) for one in (path.parent / f"out{number}").rglob("*.*"))
        for number in range(4)
    ]
    assert outputs[0] and all(one == outputs[0] for one in outputs)
