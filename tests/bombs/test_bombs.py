"""Input that is made to be too much: an answer, in bounded time and memory.

Each runs in a process with limits of the kernel on both, and is killed or fails where it goes over
them. An answer is a finding, or that there is none; never a fault of ours.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

#: Seconds of processor time, and bytes of address space.
SECONDS, MEMORY = 5, 512 << 20

ZONES = """\
zone wan {{
  interface eth0
  address   203.0.113.1
}}
zone lan {{
  interface eth1
  network   10.0.0.0/8
{items}}}
nat from lan to wan
allow ssh from lan to gateway
"""
POLICY = ZONES.format(items="")
#: So many are too many, whatever they are.
MANY = 100_000


def place(n: int) -> str:
    return f"{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def grouped(entries: str) -> dict[str, str]:
    """A policy with a group from a file."""
    items = '  group g from "entries"\n'
    return {"p.tg": ZONES.format(items=items) + "allow ssh from g to wan\n", "entries": entries}


def chained(kind: str, name: str, rest: str, count: int = 20_000) -> str:
    """Names that each stand for the next one, the last one first."""
    return "".join(f"{kind} {name}{n} = {name}{n - 1}{rest}\n" for n in range(count, 0, -1))


def ports() -> str:
    chunks = [range(low, min(low + 8000, 65536)) for low in range(1, 65536, 8000)]
    literals = ("tcp/" + ",".join(map(str, chunk)) for chunk in chunks)
    return "protocol all = " + " +\n  ".join(literals) + "\nallow all from lan to wan\n"


def everything() -> str:
    """Both halves of all addresses in one zone: what a group of /0 comes to."""
    wan = "zone wan {\n  interface eth0\n  group all = 0.0.0.0/0, ::/0\n}\n"
    return wan + "".join(
        f"allow {protocol} from all to gateway\n" for protocol in ("any", "esp", "ssh", "icmp")
    )


#: The files of each, the policy's first, and the exit codes that are an answer.
BOMBS: dict[str, tuple[Callable[[], dict[str, str]], set[int]]] = {
    "all addresses": (lambda: {"p.tg": everything()}, {0}),
    "all ports": (lambda: {"p.tg": POLICY + ports()}, {0}),
    "a statement for each port": (
        lambda: {
            "p.tg": POLICY + "".join(f"allow tcp/{n} from lan to wan\n" for n in range(1, 65536))
        },
        {1},
    ),
    "a million entries": (
        lambda: grouped("".join(f"10.{place(2 * n)}\n" for n in range(1_000_000))), {0}
    ),
    "a million prefixes of IPv6": (
        lambda: grouped("".join(f"fd00:{n >> 8:x}:{n & 255:x}::/64\n" for n in range(1_000_000))),
        {1},
    ),
    "a million entries outside": (lambda: grouped("192.0.2.1\n" * 1_000_000), {1}),
    "a million words that are no entry": (lambda: grouped("x!\n" * 1_000_000), {1}),
    "includes in a circle": (
        lambda: {"p.tg": 'include "a"\n', "a": 'include "b"\n', "b": 'include "a"\n'}, {1}
    ),
    "a thousand includes": (
        lambda: {
            "p.tg": POLICY + "".join(f'include "i{n}"\n' for n in range(1000)),
            **{f"i{n}": f"allow tcp/{n + 100} from lan to wan\n" for n in range(1000)},
        },
        {0},
    ),
    "includes of nothing": (
        lambda: {"p.tg": "".join(f'include "x{n}"\n' for n in range(30_000))}, {2}
    ),
    "10 MB of comments": (lambda: {"p.tg": POLICY + f"# {'x' * 97}\n" * MANY}, {0}),
    "10 MB of statements": (
        lambda: {"p.tg": POLICY + "".join(
            f"allow tcp/{n % 60_000 + 1} from 10.{place(n)} to 192.0.{n % 200}.{n >> 8 & 255}\n"
            for n in range(190_000)
        )},
        {1},
    ),
    "10 MB of line ends": (lambda: {"p.tg": "\n" * 10_000_000}, {1}),
    "10 MB of Windows line ends": (lambda: {"p.tg": "\r\n" * 5_000_000}, {1}),
    "10 MB of control characters": (lambda: {"p.tg": "\x01" * 10_000_000}, {1}),
    "10 MB of mistakes": (lambda: {"p.tg": "alow ssh from lan to wan\n" * 400_000}, {1}),
    "100,000 statements on a line": (
        lambda: {"p.tg": POLICY + " ".join(["allow ssh from lan to wan"] * MANY)}, {1}
    ),
    "the same unknown name": (
        lambda: {"p.tg": POLICY + "allow ssh from lan to wann\n" * MANY}, {1}
    ),
    "zones in zones": (lambda: {"p.tg": "zone a {\n" * 50_000 + "}\n" * 50_000}, {1}),
    "open braces on a line": (lambda: {"p.tg": "zone a {" * 8_000}, {1}),
    "groups in groups": (
        lambda: {"p.tg": ZONES.format(
            items=chained("  group", "g", ", 10.0.0.1") + "  group g0 = 10.0.0.2\n"
        )},
        {0},
    ),
    "groups in a circle": (
        lambda: {"p.tg": ZONES.format(items=chained("  group", "g", "") + "  group g0 = g20000\n")},
        {1},
    ),
    "protocols in protocols": (
        lambda: {"p.tg": POLICY + chained("protocol", "p", " + tcp/1")
                 + "protocol p0 = ssh\nallow p20000 from lan to wan\n"},
        {0},
    ),
    "many hosts": (
        lambda: {"p.tg": ZONES.format(
            items="".join(f"  host h{n} = 10.{place(n)}\n" for n in range(MANY))
        )},
        {0},
    ),
    "many parameters": (
        lambda: {"p.tg": "".join(f"param p{n} : port = 5\n" for n in range(30_000)) + POLICY}, {0}
    ),
    "a list of 100,000 places": (
        lambda: {"p.tg": POLICY + "deny ssh from lan to "
                 + ",\n  ".join(f"192.{place(n)}" for n in range(MANY)) + "\n"},
        {0},
    ),
}  # fmt: skip

PARAM = "param p : address...\n" + POLICY + "allow ssh from $p to wan\n"
#: Files of variables, and the exit codes that are an answer.
VARIABLES: dict[str, tuple[Callable[[], str], set[int]]] = {
    "long.toml": (lambda: f"p = {[f'10.0.{n >> 8}.{n & 255}' for n in range(50_000)]}\n", {0}),
    "long.yaml": (lambda: "p:\n" + "".join(f"- 10.{place(n)}\n" for n in range(50_000)), {0}),
    "deep.toml": (lambda: f"p = {'[' * 100_000}", {2}),
    "deep.json": (lambda: f'{{"p": {"[" * 100_000}', {2}),
    "deep.yaml": (lambda: f"p: {'[' * 100_000}", {2}),
    "large.json": (lambda: f'{{"p": "{"x" * (2 << 20)}"}}', {2}),
    "number.json": (lambda: f'{{"p": {"9" * 1_000_000}}}', {2}),
    "laughs.yaml": (
        lambda: (
            "a0: &a0 [x, x]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
            + "p: *a29\n"
        ),
        {1},
    ),
}


def answer(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program within the limits."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-m", "tunnelgate", *arguments],
        env=environment,
        capture_output=True,
        check=False,
        preexec_fn=limit,
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", BOMBS)
def test_a_policy_is_answered(name: str) -> None:
    files, codes = BOMBS[name]
    for path, text in files().items():
        Path(path).write_text(text, newline="")
    done = answer("check", "p.tg")
    assert done.returncode in codes, done.stderr.decode()[-500:]
    assert b"tunnelgate failed" not in done.stderr


@pytest.mark.parametrize("name", VARIABLES)
def test_a_file_of_variables_is_answered(name: str) -> None:
    text, codes = VARIABLES[name]
    Path("p.tg").write_text(PARAM)
    Path(name).write_text(text().replace("'", '"'))
    done = answer("check", "p.tg", "--vars", name)
    assert done.returncode in codes, done.stderr.decode()[-500:]
    assert b"tunnelgate failed" not in done.stderr


@pytest.mark.parametrize("target", ["nftables", "iptables"])
def test_a_group_of_a_hundred_thousand_is_compiled(target: str) -> None:
    for path, text in grouped("".join(f"10.{place(2 * n)}\n" for n in range(MANY))).items():
        Path(path).write_text(text)
    assert answer("compile", "p.tg", "-t", target, "-o", "out").returncode == 0
