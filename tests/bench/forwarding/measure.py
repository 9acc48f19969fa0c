"""Many statements against few: what a packet costs more, by what loads them and what they say."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from lab import Probe
from lab.build import build
from lab.sockets import ethernet

from .flood import compile_flood
from .network import Gateway, NotLoaded, gateways

FEW, MANY = 10, 10_000
ROUNDS = 21
PACKETS = 5_000
FLOWS = 250
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
BEHIND_NAT = """\
zone wan {
  interface eth0
  address   10.255.255.254
}
zone lan {
  interface eth1
  network   192.0.0.0/8
}
nat from lan to wan
"""
OUTSIDE = "10.255.255.254"
#: What sources are translated to; as many as an uplink has.
PUBLIC = tuple(f"192.255.255.{number}" for number in range(224, 240))
BEHIND_NATS = f"""\
zone lan {{
  interface eth0
  network   10.0.0.0/8
}}
zone wan {{
  interface eth1
  address   {", ".join(PUBLIC)}
}}
nat from lan to wan
allow nat-t from lan to wan
allow esp from lan to wan with single
"""
#: The least throughput with many statements, as a part of that with few.
LIMITS = {"nftables": 0.93, "iptables-nft": 0.85, "iptables-legacy": 0.85}


class Row(NamedTuple):
    """One comparison: packets per second with few and with many statements, and their ratio."""

    what: str
    few: float
    many: float
    ratio: float
    limit: float


class Missing(NamedTuple):
    """What could not be compared, and why."""

    what: str
    reason: str


class Ends(NamedTuple):
    """Two hosts of a statement: one on the side of the client, one on that of the peer."""

    client: str
    peer: str


class Shape(NamedTuple):
    """A kind of statement, and how its packets look."""

    name: str
    zones: str
    statement: Callable[[Ends], str]
    dialled: Callable[[Ends], str]
    """The address that the client sends to."""
    answered: Callable[[Ends], str]
    """The address that the peer answers to."""
    protocols: tuple[str, ...] = ("udp", "esp")
    answering: int = 4500
    """The port that the peer answers from."""


def _public(ends: Ends) -> str:
    return PUBLIC[int(ip_address(ends.client)) // 256 % len(PUBLIC)]


def _with_option(option: str, ends: Ends) -> str:
    return f"allow ike, nat-t, esp from {ends.client} to {ends.peer} with {option}"


SHAPES = (
    Shape(
        "hosts",
        ROUTED,
        lambda ends: f"allow ike, nat-t, esp from {ends.client} to {ends.peer}",
        lambda ends: ends.peer,
        lambda ends: ends.client,
    ),
    Shape(
        "networks",
        ROUTED,
        lambda ends: f"allow ike, nat-t, esp from {_network(ends.client)} to {_network(ends.peer)}",
        lambda ends: ends.peer,
        lambda ends: ends.client,
    ),
    Shape(
        "to networks",
        ROUTED,
        lambda ends: f"allow ike, nat-t, esp from {ends.client} to {_network(ends.peer)}",
        lambda ends: ends.peer,
        lambda ends: ends.client,
    ),
    Shape(
        "forwards",
        BEHIND_NAT,
        lambda ends: f"forward ike, nat-t, esp from {ends.client} to {ends.peer}",
        lambda ends: OUTSIDE,
        lambda ends: ends.client,
    ),
    Shape(
        "to ports",
        BEHIND_NAT,
        lambda ends: f"forward nat-t from {ends.client} to {ends.peer} port 4501",
        lambda ends: OUTSIDE,
        lambda ends: ends.client,
        protocols=("udp",),
        answering=4501,
    ),
    *(
        Shape(
            what,
            ROUTED,
            partial(_with_option, option),
            lambda ends: ends.peer,
            lambda ends: ends.client,
        )
        for what, option in (
            ("logs", 'log "bench "'),
            ("counters", "counter"),
            ("limits", "limit 1000000/second"),
            ("limits each", "limit 1000000/second per source"),
        )
    ),
    Shape(
        "nats",
        BEHIND_NATS,
        lambda ends: f"nat from {ends.client} to wan as {_public(ends)}",
        lambda ends: ends.peer,
        _public,
        # of ESP, claims of a peer would count connections that are over a moment longer
        protocols=("udp",),
    ),
)


def _network(address: str) -> str:
    return f"{address.rpartition('.')[0]}.0/24"


def ends(count: int) -> list[Ends]:
    """Pairs of hosts, no two of them in one network of 256 addresses."""
    choose = random.Random(1)
    clients, peers = (
        [
            str(ip_address(network + (number << 8) + 7))
            for number in choose.sample(range(1 << 15), count)
        ]
        for network in (10 << 24, 192 << 24)
    )
    return [Ends(*both) for both in zip(clients, peers, strict=True)]


class Traffic(NamedTuple):
    """Frames of the client, and what the peer answers to each."""

    frames: list[bytes]
    answers: list[bytes]


def traffic(shape: Shape, some: Sequence[Ends], protocol: str) -> Traffic:
    """Flows between these hosts: ESP one for each pair, UDP many by their source ports."""
    flows = (
        [(pair, 0) for pair in some]
        if protocol == "esp"
        else [(some[number % len(some)], 20_000 + number) for number in range(FLOWS)]
    )
    return Traffic(
        [
            _frame("eth0", pair.client, shape.dialled(pair), protocol, port, 4500)
            for pair, port in flows
        ],
        [
            _frame("eth1", pair.peer, shape.answered(pair), protocol, shape.answering, port)
            for pair, port in flows
        ],
    )


def _frame(
    wire: str, source: str, destination: str, protocol: str, sport: int, dport: int
) -> bytes:
    probe = Probe(wire, source, destination, protocol, sport=sport, dport=dport)
    (packet,) = build(probe, b"LAB00000", 0)
    return ethernet(packet)


def rows(folder: Path, compile_for: Callable[[Path, str, Path], Path]) -> Iterator[Row | Missing]:
    """All comparisons. `compile_for` takes a policy, a target and where to, and gives its files.

    Raises NoCompiler.
    """
    program = compile_flood(folder)
    every = ends(MANY)
    few = random.Random(2).sample(every, FEW)
    for shape in SHAPES:
        policies = []
        for some in (few, every):
            path = folder / f"{shape.name.replace(' ', '-')}-{len(some)}.tg"
            path.write_text(shape.zones + "".join(f"{shape.statement(one)}\n" for one in some))
            policies.append(path)
        for loader, limit in LIMITS.items():
            what = f"{loader}, {shape.name}"
            target = loader.partition("-")[0]
            outputs = [compile_for(path, target, folder / "forwarding") for path in policies]
            with gateways(program, len(outputs)) as made:
                try:
                    for gateway, output in zip(made, outputs, strict=True):
                        gateway.load(loader, output)
                except NotLoaded as error:
                    yield Missing(what, str(error))
                else:
                    yield from _compare(what, made, shape, few, limit)


def _compare(
    what: str, made: list[Gateway], shape: Shape, some: Sequence[Ends], limit: float
) -> Iterator[Row]:
    flows = {protocol: traffic(shape, some, protocol) for protocol in shape.protocols}
    for protocol, sent in flows.items():
        for gateway in made:
            gateway.establish(*sent)
        yield _row(f"{what}, {protocol}, established", made, sent.frames, limit)
    for gateway in made:
        gateway.every_packet_begins()
    for protocol, sent in flows.items():
        yield _row(f"{what}, {protocol}, new", made, sent.frames, limit)


def _row(what: str, made: list[Gateway], frames: list[bytes], limit: float) -> Row:
    """The medians of some rounds, in each of which every gateway has its turn."""
    costs = [[gateway.cost(frames, PACKETS) for gateway in made] for _ in range(ROUNDS)]
    few, many = (1e9 / statistics.median(column) for column in zip(*costs, strict=True))
    ratio = statistics.median(few_cost / many_cost for few_cost, many_cost in costs)
    return Row(what, few, many, ratio, limit)
