"""So many statements with a log, a counter, a limit or a port that they are looked up: packets
meet the same of them, in the same order, as of few.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from gateway import LOADERS, Gateway, loaded
from kernel_log import KernelLog, kernel_log
from lab import Probe

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  address   192.168.1.1, fd00:1::1
}
nat from lan to wan
"""
HQ, PUBLIC, PUBLIC6 = "192.0.2.10", "203.0.113.1", "2001:db8::1"
HOSTS = [f"192.168.1.{number}" for number in range(100, 130)]
#: What every limit lets through at once, and what a run of a minute could earn on top of it.
BURST, EARNED = 5, 3

pytestmark = pytest.mark.parametrize("loader", LOADERS)


def overlapping(verdict: str, options: str) -> str:
    """Statements of each host, of some ports of it, of blocks of hosts, and of ports of all."""
    kinds = (
        *(f"{verdict} tcp/20-30 from {host} to wan with {options}" for host in HOSTS),
        *(f"{verdict} ssh from {host} to {HQ} with {options}" for host in HOSTS[::2]),
        *(f"{verdict} tcp/1-{port} from lan to wan with {options}" for port in range(40, 50)),
        *(f"{verdict} tcp/{port} from lan to wan with {options}" for port in range(60, 80)),
        f"{verdict} tcp/20-99 from 192.168.1.112/30 to wan with {options}",
    )
    return "".join(f"{one}\n" for one in kinds)


#: A host, a port, and the narrowest statement about both.
NARROWEST = (
    (100, 22, f"ssh from 192.168.1.100 to {HQ}"),
    (101, 22, "tcp/20-30 from 192.168.1.101 to wan"),
    (100, 25, "tcp/20-30 from 192.168.1.100 to wan"),
    (113, 25, "tcp/20-30 from 192.168.1.113 to wan"),
    (113, 45, "tcp/20-99 from 192.168.1.112/30 to wan"),
    (113, 70, "tcp/20-99 from 192.168.1.112/30 to wan"),
    (50, 22, "tcp/1-40 from lan to wan"),
    (50, 45, "tcp/1-45 from lan to wan"),
    (100, 70, "tcp/70 from lan to wan"),
)


def send(made: Gateway, host: int, port: int, sport: int = 40000) -> bool:
    """Whether a connection of a host to a port outside begins."""
    source = f"192.168.1.{host}"
    return not made.lab.send(Probe("eth1", source, HQ, "tcp", sport=sport, dport=port)).dropped


def counts(made: Gateway, loader: str) -> Counter[str]:
    """The packets that each statement with a `counter` has counted, where it has any."""
    if loader == "nftables":
        text = made.lab.run(["nft", "list", "table", "inet", "tunnelgate"]).stdout
        found = re.findall(r'counter packets (\d+) bytes \d+ comment "(.*)"', text)
    else:
        program = "iptables-legacy-save" if loader.endswith("legacy") else "iptables-nft-save"
        text = made.lab.run([program, "-c"]).stdout
        noted = r'^\[(\d+):\d+\] -A \S+ .*--comment "(.*?)" .*(?:-j RETURN|-g tg-\S+-count-end)$'
        found = [one for one in re.findall(noted, text, re.M) if " with " in one[1]]
    made_up: Counter[str] = Counter()
    for packets, statement in found:
        made_up[statement] += int(packets)
    return +made_up


@pytest.mark.parametrize("verdict", ["allow", "deny"])
def test_the_narrowest_counts(loader: str, verdict: str) -> None:
    with loaded(ZONES + overlapping(verdict, "counter"), loader) as made:
        for host, port, _ in NARROWEST:
            assert send(made, host, port) is (verdict == "allow")
        expected = Counter(f"{verdict} {one} with counter" for _, _, one in NARROWEST)
        assert counts(made, loader) == expected


@pytest.fixture
def log() -> Iterator[KernelLog]:
    with kernel_log() as found:
        yield found


@pytest.mark.parametrize("verdict", ["allow", "deny"])
def test_the_narrowest_logs(loader: str, log: KernelLog, verdict: str) -> None:
    statements = overlapping(verdict, "log")
    numbered = [f'{line} "{number} "' for number, line in enumerate(statements.splitlines())]
    with loaded(ZONES + "\n".join(numbered) + "\n", loader) as made:
        for sport, (host, port, narrowest) in enumerate(NARROWEST, start=42000):
            send(made, host, port, sport)
            (prefix,) = log.lines(f"SPT={sport}")
            assert f' {narrowest} with log "{prefix}"' in numbered[int(prefix)]


def test_a_statement_counts_and_logs_what_is_neither_denied_nor_limited(
    loader: str, log: KernelLog
) -> None:
    """All options of so many statements, of both families, one behind the other."""
    hosts = [*HOSTS, *(f"fd00:1::{number}" for number in range(100, 130))]
    text = "".join(
        f'allow ssh from {host} to wan with counter, log "{number} ", limit {5 + number}/minute\n'
        for number, host in enumerate(hosts)
    )
    with loaded(ZONES + text, loader) as made:
        for number in (0, 29, 30, 59):
            destination = HQ if number < 30 else "2001:db8:51::10"
            sport = 43000 + number
            probe = Probe("eth1", hosts[number], destination, "tcp", sport=sport, dport=22)
            assert not made.lab.send(probe).dropped
            assert log.lines(f"SPT={sport}") == [f"{number} "]


def test_each_host_has_its_credit_and_that_of_what_holds_it(loader: str) -> None:
    limits = (
        *(f"allow ssh from {host} to wan with limit 1/minute" for host in HOSTS),
        *(
            f"allow tcp/{port} from lan to wan with limit 1/minute per source"
            for port in range(22, 42)
        ),
        "allow tcp/22-99 from 192.168.1.112/30 to wan with limit 1/minute",
    )
    with loaded(ZONES + "".join(f"{one}\n" for one in limits), loader) as made:
        for host, statements in ((100, 2), (101, 2), (113, 3), (50, 1)):
            begun = sum(send(made, host, 22, 40000 + number) for number in range(40))
            assert statements * BURST <= begun <= statements * (BURST + EARNED), host
        assert not send(made, 50, 43)


def test_each_forward_gets_to_its_host_and_port(loader: str) -> None:
    forwards = [
        *(
            f"forward tcp/{8000 + n} from wan to 192.168.1.{n} port {9000 + n}"
            for n in range(2, 32)
        ),
        *(
            f"forward ipv6 udp/{8000 + n} from wan to fd00:1::{n} port {9000 + n}"
            for n in range(2, 32)
        ),
    ]
    with loaded(ZONES + "".join(f"{one}\n" for one in forwards), loader) as made:
        for n in (2, 17, 31):
            seen = made.lab.send(Probe("eth0", HQ, PUBLIC, "tcp", dport=8000 + n))
            assert (seen.arrival.destination, seen.arrival.dport) == (f"192.168.1.{n}", 9000 + n)
            probe = Probe("eth0", "2001:db8:51::10", PUBLIC6, "udp", dport=8000 + n)
            seen = made.lab.send(probe)
            assert (seen.arrival.destination, seen.arrival.dport) == (f"fd00:1::{n}", 9000 + n)
        for protocol, port in (("tcp", 8040), ("udp", 8002)):
            assert made.lab.send(Probe("eth0", HQ, PUBLIC, protocol, dport=port)).dropped


def test_what_has_holes_counts_once(loader: str) -> None:
    """Of so many types of ICMP what is left out is matched instead."""
    sources = "lan", "192.168.1.20"
    wide, host = (f"allow icmp/0-40 from {source} to wan with counter" for source in sources)
    with loaded(f"{ZONES}{wide}\n{host}\n", loader) as made:
        for source in ("192.168.1.20", "192.168.1.30"):
            assert not made.lab.send(Probe("eth1", source, HQ, "icmp")).dropped
        assert counts(made, loader) == {wide: 1, host: 1}
