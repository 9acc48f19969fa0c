"""A folder of many policies is checked by several processes, and nobody can tell."""

import os

import pytest

from tunnelgate.cli import pool
from tunnelgate.cli.commands import check

ZONES = """\
zone wan { interface eth0 }
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to gateway
"""
MANY = check._FEW + 4


@pytest.fixture(autouse=True)
def two_cores_and_one_thread(monkeypatch):
    """Whatever the machine and the runner of the tests have."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(pool, "_is_alone", lambda: True)


@pytest.fixture
def folder(in_folder):
    """Policies of which every third has a mistake; one that a worker gets includes a file."""
    for path in in_folder.glob("*.tg"):
        path.unlink()
    for number in range(MANY):
        text = f"gateway g{number}\n{ZONES}" + ("allow ah from lan to wan\n" * (number % 3 == 2))
        (in_folder / f"p{number:02}.tg").write_text(text)
    (in_folder / "part.tg").write_text("allow ntp from lan to wan\n")
    with (in_folder / f"p{MANY - 3:02}.tg").open("a") as file:
        file.write('include "part.tg"\n')
    return in_folder


def test_several_processes_say_what_one_says(run, folder, monkeypatch):
    together = run("check", "--format", "concise")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    alone = run("check", "--format", "concise")
    assert together == alone
    assert together.code == 1
    assert together.out.count("TG101") == MANY // 3


def test_it_is_several_processes(run, folder, monkeypatch):
    seen = folder / "seen"
    plain = check._review

    def review(*arguments):
        with seen.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return plain(*arguments)

    monkeypatch.setattr(check, "_review", review)
    run("check")
    pids = seen.read_text().split()
    assert len(pids) == MANY
    assert pids[0] == str(os.getpid())
    assert len(set(pids)) > 1


def test_what_a_worker_found_clean_is_looked_at_again_when_an_included_file_changes(run, folder):
    run("check")
    (folder / "part.tg").write_text("allow ah from lan to wan\n")
    again = run("check", "--format", "concise")
    assert again.out.count("part.tg:1:7: error[TG101]") == 1
