"""ESP with many learned SPIs against the same ESP without tracking, one host for each peer."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from lab import Probe
from lab.build import build
from lab.sockets import ethernet

from .flood import compile_flood
from .measure import Row
from .network import Gateway, gateways

#: Hosts, each with a peer of its own, and SPIs of each; below what one may begin at once.
HOSTS, SPIS = 400, 25
ROUNDS = 15
#: In each turn every SPI comes up five times: what the other has displaced is soon there again.
PACKETS = 5 * HOSTS * SPIS
PUBLIC = "192.255.255.254"
#: The least throughput with tracking, as a part of that without.
LIMIT = 0.87
ZONES = f"""\
zone lan {{
  interface eth0
  network   10.0.0.0/8
}}
zone wan {{
  interface eth1
  address   {PUBLIC}
}}
nat from lan to wan
"""
#: Every host has peers of its own, so that connection tracking could tell them apart, too.
UNTRACKED = "".join(
    f"allow esp from 10.1.{number // 250}.{number % 250 + 1} "
    f"to 192.1.{number // 250}.{number % 250 + 1}\n"
    for number in range(HOSTS)
)
TRACKED = UNTRACKED.replace("\n", " with tracking\n")


def rows(folder: Path, compile_for: Callable[[Path, str, Path], Path]) -> Iterator[Row]:
    """What hosts send, and what peers do. Raises NoCompiler."""
    program = compile_flood(folder)
    outputs = []
    for name, statements in (("untracked", UNTRACKED), ("tracked", TRACKED)):
        path = folder / f"esp-{name}.tg"
        path.write_text(ZONES + statements)
        outputs.append(compile_for(path, "nftables", folder / "forwarding"))
    sent, answers = _frames("eth0"), _frames("eth1")
    with gateways(program, len(outputs)) as made:
        for gateway, output in zip(made, outputs, strict=True):
            gateway.load("nftables", output)
            for first in range(0, len(sent), HOSTS):
                some = slice(first, first + HOSTS)
                gateway.exchange(sent[some], answers[some])
        yield _row("tracked ESP of hosts", made, sent, answering=False)
        yield _row("tracked ESP of peers", made, answers, answering=True)


def _frames(wire: str) -> list[bytes]:
    """One for each SPI, those of a host far from each other; of hosts, or of their peers.

    Their sequence numbers are of tunnels in use, at random.
    """
    found = []
    choose = random.Random(1)
    for number in range(HOSTS * SPIS):
        of = number % HOSTS
        host, peer = (f"{net}.1.{of // 250}.{of % 250 + 1}" for net in (10, 192))
        ends = (host, peer) if wire == "eth0" else (peer, PUBLIC)
        sequence = choose.randrange(1, 1 << 20)
        probe = Probe(wire, *ends, "esp", spi=0x10000 + number, sequence=sequence)
        (packet,) = build(probe, b"LAB00000", 0)
        found.append(ethernet(packet))
    return found


def _row(what: str, made: list[Gateway], frames: list[bytes], *, answering: bool) -> Row:
    costs = [
        [gateway.cost(frames, PACKETS, answering=answering) for gateway in made]
        for _ in range(ROUNDS)
    ]
    without, tracked = (1e9 / statistics.median(column) for column in zip(*costs, strict=True))
    ratio = statistics.median(one / other for one, other in costs)
    return Row(what, without, tracked, ratio, LIMIT)
