"""Many gateways in one run: the same bytes as one by one, in order, and whole whatever happens."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tunnelgate.cli.fleet import _FEW

POLICY = """\
param site : name
param host : address
gateway $site
zone wan { interface eth0 }
zone lan {
  interface eth1
  network   10.0.0.0/8
}
nat from lan to wan
allow ssh from lan to gateway
allow ipsec-nat-t from $host to wan
"""
SITES = 6
ALL = ("compile", "p.tg", "--vars-dir", "sites", "-t", "nftables", "-t", "iptables", "-o", "out")

#: Runs the program with a function of ours in the place of another one.
SCRIPT = """
import os, signal, sys, time
from tunnelgate.cli import fleet, folder
from tunnelgate.cli.main import main
{code}
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def fleet(in_folder: Path) -> None:
    for path in in_folder.glob("*.tg"):
        path.unlink()
    Path("p.tg").write_text(POLICY)
    Path("sites").mkdir()
    for n in range(SITES):
        Path(f"sites/s{n}.toml").write_text(f'site = "s{n}"\nhost = "10.0.0.{n}"\n')


def with_code(code: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT.format(code=code), *arguments]
    settings = {"capture_output": True, "text": True, "check": False, "timeout": 60, **more}
    return subprocess.run(command, env=environment, **settings)


def written(folder: str = "out") -> dict[str, bytes]:
    """All files below a folder, by their paths."""
    root = Path(folder)
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def are_whole(gateways: list[Path]) -> bool:
    """Whether each folder of each gateway holds what its manifest says, and nothing else."""
    for folder in (target for gateway in gateways for target in gateway.iterdir()):
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        manifest = json.loads(files.pop("manifest.json"))
        if {name: sha256(data).hexdigest() for name, data in files.items()} != manifest["files"]:
            return False
    return True


def test_the_same_bytes_as_one_by_one(run):
    assert SITES >= _FEW
    # in a process of its own: this one may have threads, and then it does all by itself
    seen = "real = fleet._compile\ndef seen(*job):\n"
    seen += "    with open(f'worker-{os.getpid()}', 'a') as file: file.write('.')\n"
    seen += "    return real(*job)\nfleet._compile = seen"
    assert with_code(seen, *ALL).returncode == 0
    workers = [path.read_text() for path in Path().glob("worker-*")]
    assert len("".join(workers)) == SITES
    assert len(workers) == min(len(os.sched_getaffinity(0)), SITES)
    for n in range(SITES):
        arguments = ("--vars", f"sites/s{n}.toml", "-t", "nftables", "-t", "iptables")
        assert run("compile", "p.tg", *arguments, "-o", "single").code == 0
    assert written("out") == written("single")


def test_what_is_as_it_should_be_is_not_written_again(run):
    run(*ALL)
    before = {path: path.stat().st_ino for path in Path("out").rglob("*")}
    Path("sites/s3.toml").write_text('site = "s3"\nhost = "10.0.9.9"\n')
    run(*ALL)
    after = {path: path.stat().st_ino for path in Path("out").rglob("*")}
    changed = {path.parts[1] for path in before if before[path] != after[path]}
    assert changed == {"s3"}


def test_one_error_and_nothing_is_written(run):
    Path("sites/s4.toml").write_text('site = "s4"\nhosts = "10.0.0.4"\n')
    Path("sites/s2.toml").write_text('site = "s2"\nhost = "10.0.0.300"\n')
    result = run(*ALL, "--format", "concise")
    assert result.code == 1
    assert [line.partition(" ")[0] for line in result.out.splitlines()] == [
        "p.tg:2:1:", "sites/s2.toml:2:8:", "sites/s4.toml:2:1:"
    ]  # fmt: skip
    assert not Path("out").exists()


def test_a_summary_for_programs(run):
    run(*ALL)
    Path("out/s1/nftables/ruleset.nft").unlink()
    document = json.loads(run(*ALL, "--format", "json").out)
    assert len(document["gateways"]) == 2 * SITES
    changed = [one for one in document["gateways"] if one["state"] != "unchanged"]
    assert changed == [
        {
            "gateway": "s1",
            "target": "nftables",
            "policy": "p.tg",
            "variables": "sites/s1.toml",
            "folder": "out/s1/nftables",
            "state": "written",
        }
    ]


@pytest.mark.parametrize("way", [(), ("--check",)], ids=["write", "check"])
def test_gateways_that_no_policy_is_about_are_mentioned_and_stay(run, way):
    run(*ALL)
    Path("sites/s0.toml").unlink()
    Path("out/mine").mkdir()
    Path("out/mine/manifest.json").write_text("{}")
    result = run(*ALL, *way)
    assert result.code == 0
    assert "out/s0/nftables: of a gateway that no policy of this run is about" in result.err
    assert "mine" not in result.err
    assert Path("out/s0/nftables/ruleset.nft").exists()


def test_many_gateways_of_other_runs_are_counted(run):
    manifest = Path("out/s0/nftables/manifest.json")
    run(*ALL)
    Path("sites/s0.toml").unlink()
    for number in range(100, 109):
        other = Path(f"out/g{number}/nftables/manifest.json")
        other.parent.mkdir(parents=True)
        other.write_text(manifest.read_text().replace('"gateway": "s0"', f'"gateway": "g{number}"'))
    result = run(*ALL)
    assert result.err.count("of a gateway that no policy of this run is about") == 3
    assert "and 8 more of such gateways; `-v` names them" in result.err


SIGNALS = pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])

#: Sends a signal to the program itself when it calls a function for the nth time; its workers may.
AT_CALL = """
real, calls, program = os.{function}, [], os.getpid()
def call(*arguments):
    calls.append(arguments)
    if len(calls) == {nth} and os.getpid() == program:
        os.kill(program, signal.{name})
    return real(*arguments)
os.{function} = call
"""


@SIGNALS
@pytest.mark.parametrize("nth", [4, 30])
def test_a_signal_while_files_are_replaced_leaves_whole_gateways(name, code, nth):
    stopped = with_code(AT_CALL.format(function="replace", nth=nth, name=name), *ALL)
    gateways = sorted(Path("out").iterdir())
    done = [one for one in gateways if any(one.iterdir())]
    assert stopped.returncode == code
    assert are_whole(done)
    assert f"{len(done)} of {SITES} gateways were written, each as a whole" in stopped.stderr
    assert not [name for name in written() if "/." in name]
    assert 1 <= len(done) < SITES or nth == 30


@SIGNALS
def test_a_signal_while_files_are_prepared_leaves_nothing(name, code):
    stopped = with_code(AT_CALL.format(function="fsync", nth=5, name=name), *ALL)
    assert stopped.returncode == code
    assert "nothing was changed" in stopped.stderr
    assert not Path("out").exists()


@SIGNALS
def test_a_signal_before_old_files_are_replaced_keeps_them(run, name, code):
    run(*ALL)
    before = written()
    Path("p.tg").write_text(POLICY + "deny tcp/25 from lan to wan\n")
    stopped = with_code(AT_CALL.format(function="fsync", nth=5, name=name), *ALL)
    assert stopped.returncode == code
    assert written() == before


@SIGNALS
def test_a_signal_while_others_compile_ends_them(name, code):
    """Each worker says who it is, tells its parent again and again, and would go on for long."""
    slow = f"""
parent = os.getpid()
def compile(*_, **__):
    open(f"worker-{{os.getpid()}}", "w").close()
    while os.getppid() == parent:
        os.kill(parent, signal.{name})
    time.sleep(600)
fleet.api.compile_each = compile
"""
    stopped = with_code(slow, *ALL)
    assert stopped.returncode == code
    workers = [int(path.name.partition("-")[2]) for path in Path().glob("worker-*")]
    assert workers
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
    assert not Path("out").exists()


def test_a_worker_that_dies_is_a_fault_and_nothing_is_written():
    died = with_code("fleet.api.compile_each = lambda *_, **__: os._exit(9)", *ALL)
    assert died.returncode == 3
    assert "BrokenProcessPool" in died.stderr
    assert not Path("out").exists()


@pytest.mark.parametrize(("patience", "shown"), [(-1.0, True), (3600.0, False)])
def test_a_bar_on_a_terminal_where_it_takes_long(patience, shown):
    master, terminal = pty.openpty()
    done = with_code(
        f"fleet._PATIENCE = {patience}", *ALL, capture_output=False, stderr=terminal,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(terminal)
    said = os.read(master, 65536).decode()
    os.close(master)
    assert done.returncode == 0
    assert ("compiling" in said) == shown


def test_no_bar_elsewhere():
    assert "compiling" not in with_code("fleet._PATIENCE = -1.0", *ALL).stderr
