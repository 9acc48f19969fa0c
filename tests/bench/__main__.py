"""How long things take, and how that stands to what they may take: `make bench`.

Numbers are of this machine and this moment; nothing is asserted here but read by people.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

Layout = Literal["whole", "shared"]

RUNS = 15
TARGETS = ("nftables", "iptables", "pf", "pf-classic")
ZONES = """\
gateway branch
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
}
nat from lan to wan
allow ssh from lan to gateway
"""
ROUTED = """\
zone left {
  interface eth0
  network   10.0.0.0/8
}
zone right {
  interface eth1
  network   192.0.0.0/8
}
"""


class Row(NamedTuple):
    """One measurement: what, how much of which unit, and how much it may be (0: no limit set)."""

    what: str
    value: float
    unit: str
    limit: float


def short_policy(lines: int = 50) -> str:
    """A policy without findings, of so many lines."""
    rules = (f"allow ipsec-nat-t from 192.168.1.{number} to hq" for number in range(1, lines))
    return "\n".join([*ZONES.splitlines(), *rules][:lines]) + "\n"


def pairs(count: int, seed: int = 1) -> str:
    """A routed gateway with so many statements about pairs of hosts."""
    choose = random.Random(seed)
    lines = (
        f"allow ike, nat-t, esp from {ip_address((10 << 24) + choose.getrandbits(24))} "
        f"to {ip_address((192 << 24) + choose.getrandbits(24))}\n"
        for _ in range(count)
    )
    return ROUTED + "".join(lines)


def tunnelgate(*arguments: str, cache: Path) -> resource.struct_rusage:
    """Run the program, and say what it took; its findings are no matter here.

    Its memory is never less than this process has had: what is large here is measured last.
    """
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    # pip compiles what it installs; without that every run would compile the program anew.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "tunnelgate", *arguments]
    nowhere = subprocess.DEVNULL
    run = subprocess.Popen(command, env=environment, stdout=nowhere, stderr=nowhere)
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    return usage


def cpu_seconds(*arguments: str, cache: Path) -> float:
    """The CPU time of a run, that of its processes included."""
    usage = tunnelgate(*arguments, cache=cache)
    return usage.ru_utime + usage.ru_stime


def median_ms(
    action: Callable[[], None], before: Callable[[], None] = lambda: None, runs: int = RUNS
) -> float:
    """The median wall time of some runs, in milliseconds."""
    times = []
    for _ in range(runs):
        before()
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def check_rows(folder: Path) -> Iterator[Row]:
    """`check` of 50 lines: the first look, and a later one at what was clean."""
    path, cache = folder / "policy.tg", folder / "cache"
    path.write_text(short_policy())
    tunnelgate("check", str(path), cache=cache)

    def forget() -> None:
        shutil.rmtree(cache / "tunnelgate" / "clean", ignore_errors=True)

    def check() -> None:
        tunnelgate("check", str(path), cache=cache)

    yield Row("python -c pass", median_ms(lambda: _run(sys.executable, "-c", "pass")), "ms", 0)
    yield Row("check, 50 lines, first look", median_ms(check, forget), "ms", 110)
    yield Row("check, 50 lines, found clean before", median_ms(check), "ms", 110)


def folder_rows(folder: Path, count: int = 200) -> Iterator[Row]:
    """`check` of a folder, never seen before: on one core, and on all."""
    policies, cache = folder / "policies", folder / "cache"
    policies.mkdir()
    for number in range(count):
        text = short_policy().replace("gateway branch", f"gateway g{number}")
        (policies / f"{number}.tg").write_text(text)

    def forget() -> None:
        shutil.rmtree(cache / "tunnelgate" / "clean", ignore_errors=True)

    def check() -> None:
        tunnelgate("check", str(policies), cache=cache)

    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)})
    one_core = median_ms(check, forget, runs=3)
    os.sched_setaffinity(0, every)
    name = f"check, {count} policies of 50 lines"
    yield Row(f"{name}, one core", one_core / 1000, "s", 0)
    # What two cores do in half of the time, and a tenth for dividing the work.
    limit = one_core / 1000 * (1 / len(every) + 0.1)
    yield Row(f"{name}, {len(every)} cores", median_ms(check, forget, runs=3) / 1000, "s", limit)


def compile_rows(folder: Path, count: int = 10_000) -> Iterator[Row]:
    """Many statements about host pairs to each target, and their load into the kernel."""
    path, small, out = folder / "pairs.tg", folder / "small.tg", folder / "out"
    path.write_text(pairs(count))
    small.write_text(short_policy())

    def compile_for(target: str, *more: str, policy: Path = path) -> tuple[float, float]:
        asked = ("compile", str(policy), "-t", target, "-o", str(out), *more)
        usage = tunnelgate(*asked, cache=folder / "cache")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    name = f"{count:,} x allow ike, nat-t, esp"
    cpu, memory = compile_for("nftables", "--no-prove")
    yield Row(f"compile {name}, CPU", cpu, "s", 2.5)
    yield Row(f"compile {name}, memory", memory, "MB", 200)
    for target in TARGETS:
        compile_for(target, policy=small)  # the tables of its grammar are kept from then on
        cpu, memory = compile_for(target)
        yield Row(f"  and proved, {target}, CPU", cpu, "s", 0)
        yield Row(f"  and proved, {target}, memory", memory, "MB", 150)
    yield Row("  and proved before, CPU", compile_for("nftables")[0], "s", 0)
    ruleset = next(out.glob("*/nftables/ruleset.nft"))
    yield Row("  its ruleset", ruleset.stat().st_size / 1e6, "MB", 0)
    if os.geteuid() == 0:
        load = median_ms(lambda: _run("unshare", "-n", "nft", "-f", str(ruleset))) / 1000
        yield Row("  loaded by nft", load, "s", 0.5)


def fleet_rows(folder: Path, count: int = 200) -> Iterator[Row]:
    """`compile` of a fleet of one policy: proved, and proved before."""
    policy = Path(__file__).parents[2] / "examples" / "branch-office" / "branch.tg"
    policies, cache = folder / "gateways", folder / "cache"
    policies.mkdir()
    for number in range(count):
        text = policy.read_text().replace("gateway branch", f"gateway branch{number}")
        (policies / f"{number}.tg").write_text(text)

    def compile_fleet(*more: str) -> float:
        return cpu_seconds(
            "compile", str(policies), "-o", str(folder / "fleet"), *more, cache=cache
        )

    name = f"compile, {count} gateways, CPU"
    yield Row(f"{name}, not proved", compile_fleet("--no-prove"), "s", 0)
    yield Row(f"{name}, proved", compile_fleet(), "s", 0)
    yield Row(f"{name}, proved before", compile_fleet(), "s", 0)
    yield Row(f"{name}, proved before, --check", compile_fleet("--check"), "s", 0)


def parse_rows(count: int = 10_000) -> Iterator[Row]:
    """Reading alone, in this process."""
    from tunnelgate.source import SourceFile
    from tunnelgate.syntax import parse

    text = pairs(count)
    began = time.process_time()
    parse(SourceFile(text))
    yield Row(f"parse {count:,} statements, CPU", time.process_time() - began, "s", 0.5)


def diff_rows(folder: Path, count: int = 10_000) -> Iterator[Row]:
    """Many statements about host pairs, three of which change."""
    old, new = folder / "pairs.tg", folder / "changed.tg"
    lines = pairs(count).splitlines(keepends=True)
    old.write_text("".join(lines))
    lines[count // 2] = lines[count // 2].replace("ike, ", "")
    new.write_text("".join([*lines[:-1], "allow ssh from left to 192.0.0.77\n"]))
    cpu = cpu_seconds("diff", str(old), str(new), cache=folder / "cache")
    yield Row(f"diff of {count:,} pairs with three changes, CPU", cpu, "s", 6)


def question_rows(folder: Path, count: int = 10_000) -> Iterator[Row]:
    """Expectations and a question about many statements, and about a group of many addresses."""
    choose = random.Random(5)
    many = "".join(f"{ip_address((10 << 24) + choose.getrandbits(24))}\n" for _ in range(100_000))
    (folder / "many").write_text(many)
    group = ROUTED.replace("10.0.0.0/8\n", '10.0.0.0/8\n  group many from "many"\n')
    asked = "".join(f"expect deny ssh from 10.0.0.{i} to 192.0.0.{i}\n" for i in range(1, 101))
    path, cache = folder / "asked.tg", folder / "cache"

    def cpu(text: str, *command: str) -> float:
        path.write_text(text)
        return cpu_seconds(command[0], str(path), *command[1:], cache=cache)

    statements = pairs(count)
    yield Row(
        f"test of 100 expectations, {count:,} pairs, CPU", cpu(statements + asked, "test"), "s", 4
    )
    about = "allow esp from many to right\nexpect allow esp from many to right\n"
    text = group + statements.removeprefix(ROUTED) + about
    yield Row("  and of a group of 100,000 addresses, CPU", cpu(text, "test"), "s", 6)
    explained = cpu(statements, "explain", "any from left to right")
    yield Row(f"explain of {count:,} pairs with their rules, CPU", explained, "s", 5)


def proof_rows() -> Iterator[Row]:
    """The proof alone, in this process: of examples the one that takes longest."""
    for target, layout in product(TARGETS, ("whole", "shared")):
        found = [
            (seconds, path.parent.name)
            for path in sorted((Path(__file__).parents[2] / "examples").glob("*/*.tg"))
            if (seconds := proof_seconds(path, target, layout)) is not None
        ]
        longest, name = max(found)
        yield Row(f"proof of {name}, {target}, {layout}, CPU", longest, "s", 0.15)
    for target, (count, limit) in product(TARGETS, ((1000, 1.5), (10_000, 8))):
        seconds = proof_seconds(pairs(count), target, "whole")
        yield Row(f"proof of {count:,} pairs, {target}, CPU", seconds or 0, "s", limit)


def proof_seconds(source: str | Path, target: str, layout: Layout) -> float | None:
    """The CPU time of the second of two proofs, which loads nothing; None where none is needed."""
    import tunnelgate
    from tunnelgate.proof import prove
    from tunnelgate.target import Readable, Setup, find

    reader = find(target)
    assert isinstance(reader, Readable)
    try:
        policy = tunnelgate.load(source)
        files = tunnelgate.compile(policy, target=target, layout=layout, prove=False).files
    except tunnelgate.PolicyError:
        return None  # a broken example, or one that the target refuses
    seconds = 0.0
    for _ in range(2):
        began = time.process_time()
        prove(policy, reader, files, Setup(layout=layout))
        seconds = time.process_time() - began
    return seconds


def print_forwarding(folder: Path) -> None:
    """What packets cost more by many statements than by few, in a table of its own."""
    sys.path.append(str(Path(__file__).parents[1] / "kernel"))
    from forwarding import measure, tracking
    from forwarding.flood import NoCompiler

    def compile_for(policy: Path, target: str, out: Path) -> Path:
        into = out / policy.stem
        asked = ("-t", target, "-o", str(into), "--no-prove")
        tunnelgate("compile", str(policy), *asked, cache=folder / "cache")
        (made,) = into.glob(f"*/{target}")
        return made

    if os.geteuid():
        print("\nforwarding is not measured: only root may make the gateways")
        return
    few, many = f"{measure.FEW:,} lines", f"{measure.MANY:,} lines"
    print(f"\n{'packets/s forwarded':<46} {few:>12} {many:>12} {'ratio':>6} {'limit':>6}")
    try:
        for row in measure.rows(folder, compile_for):
            if isinstance(row, measure.Missing):
                print(f"{row.what:<46} not loaded: {row.reason}")
                continue
            speeds = f"{row.few:>12,.0f} {row.many:>12,.0f}"
            print(f"{row.what:<46} {speeds} {row.ratio:>6.2f} {row.limit:>6.2f}", flush=True)
        spis = f"{tracking.HOSTS * tracking.SPIS:,} SPIs"
        print(f"\n{'packets/s forwarded':<46} {'untracked':>12} {spis:>12}")
        for row in tracking.rows(folder, compile_for):
            speeds = f"{row.few:>12,.0f} {row.many:>12,.0f}"
            print(f"{row.what:<46} {speeds} {row.ratio:>6.2f} {row.limit:>6.2f}", flush=True)
    except NoCompiler as error:
        print(f"not measured: {error}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'what':<50} {'measured':>12} {'limit':>10} {'ratio':>6}")
        for row in (
            *check_rows(folder),
            *folder_rows(folder),
            *parse_rows(),
            *compile_rows(folder),
            *fleet_rows(folder),
            *diff_rows(folder),
            *question_rows(folder),
            *proof_rows(),
        ):
            limit = f"{row.limit:g} {row.unit}" if row.limit else "-"
            ratio = f"{row.value / row.limit:.2f}" if row.limit else "-"
            print(f"{row.what:<50} {row.value:>9.2f} {row.unit:<2} {limit:>10} {ratio:>6}")
        print_forwarding(folder)


if __name__ == "__main__":
    main()
