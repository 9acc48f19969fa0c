"""Every option, with packets: limits by bursts, logs by the kernel's own, counts by the ruleset's.

No clock decides: a burst is let through whole, and what has to be refused is so much more than a
slow run could earn meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from gateway import LOADERS, Gateway, loaded
from kernel_log import KernelLog, kernel_log
from lab import Observation, Probe

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  address   192.168.1.1, fd00:1::1
  host alice = 192.168.1.20, fd00:1::20
  host box   = 192.168.1.10, fd00:1::10
}
"""
ALICE, BOB, BOX, HQ, PUBLIC = (
    "192.168.1.20",
    "192.168.1.30",
    "192.168.1.10",
    "192.0.2.10",
    "203.0.113.1",
)
ALICE6, BOX6, HQ6, PUBLIC6 = "fd00:1::20", "fd00:1::10", "2001:db8:51::10", "2001:db8::1"
#: What every limit lets through at once, and what a run of a minute could earn on top of it.
BURST, EARNED = 5, 3

pytestmark = pytest.mark.parametrize("loader", LOADERS)


def gateway(statements: str, loader: str) -> AbstractContextManager[Gateway]:
    return loaded(ZONES + statements, loader)


def tcp(made: Gateway, source: str, sport: int = 40000, **rest: object) -> Observation:
    """A connection from the inside to ssh of the outside."""
    destination = HQ6 if ":" in source else HQ
    fields = {"sport": sport, "dport": 22, **rest}
    return made.lab.send(Probe("eth1", source, destination, "tcp", **fields))  # type: ignore[arg-type]


def passed(made: Gateway, source: str, count: int) -> int:
    """How many of so many connections of one source pass."""
    return sum(not tcp(made, source, 40000 + number).dropped for number in range(count))


def counts(made: Gateway, loader: str) -> dict[str, int]:
    """The packets that each statement with a `counter` has counted."""
    if loader == "nftables":
        text = made.lab.run(["nft", "list", "table", "inet", "tunnelgate"]).stdout
        found = re.findall(
            r'chain count\.\S+ {\s+counter packets (\d+) bytes \d+ comment "(.*)"', text
        )
    else:
        program = "iptables-legacy-save" if loader.endswith("legacy") else "iptables-nft-save"
        found = re.findall(
            r'^\[(\d+):\d+\] -A tg-\S+-count .*--comment "(.*?)" .*-j RETURN$',
            made.lab.run([program, "-c"]).stdout,
            re.M,
        )
    return {statement: int(packets) for packets, statement in found}


# -- limit


def test_another_statement_without_a_limit_lets_pass_what_has_no_credit_left(loader: str) -> None:
    text = "allow ssh from lan to wan with limit 1/minute\nallow tcp/20-30 from alice to hq\n"
    with gateway(text, loader) as made:
        assert passed(made, ALICE, 20) == 20
        assert passed(made, BOB, 20) <= BURST + EARNED


def test_each_limited_statement_adds_its_credit(loader: str) -> None:
    text = (
        "allow ssh from lan to wan with limit 1/minute\n"
        "allow tcp/22 from alice to hq with limit 1/minute per source\n"
    )
    with gateway(text, loader) as made:
        assert 2 * BURST <= passed(made, ALICE, 40) <= 2 * BURST + EARNED


def test_a_denial_spends_no_credit_and_a_connection_needs_none(loader: str) -> None:
    text = "allow tcp/22, tcp/25 from lan to wan with limit 1/minute\ndeny tcp/25 from lan to wan\n"
    with gateway(text, loader) as made:
        assert all(tcp(made, ALICE, port, dport=25).dropped for port in range(41000, 41010))
        seen = tcp(made, ALICE)
        assert made.lab.reply(seen).arrival.destination == ALICE
        for _ in range(20):
            assert not tcp(made, ALICE, flags="A").dropped
        assert passed(made, BOB, 20) >= BURST - 1


def test_a_credit_is_for_one_family(loader: str) -> None:
    with gateway("allow ssh from lan to wan with limit 1/minute\n", loader) as made:
        assert BURST <= passed(made, ALICE, 20) <= BURST + EARNED
        assert passed(made, BOB, 20) <= EARNED
        assert BURST <= passed(made, ALICE6, 20) <= BURST + EARNED


@pytest.mark.parametrize(("source", "other"), [(ALICE, BOB), (ALICE6, BOX6)])
def test_a_limit_per_source_is_for_both_families(loader: str, source: str, other: str) -> None:
    with gateway("allow ssh from lan to wan with limit 1/minute per source\n", loader) as made:
        for one in (source, other):
            assert BURST <= passed(made, one, 20) <= BURST + EARNED


def test_a_forward_has_its_limit(loader: str) -> None:
    text = (
        "nat from lan to wan\nforward tcp/8022 from wan to box port 22 "
        "with limit 1/minute per source, hairpin\n"
    )
    with gateway(text, loader) as made:
        for wire, source in (("eth0", HQ), ("eth0", "192.0.2.77"), ("eth1", ALICE)):
            fates = [
                made.lab.send(Probe(wire, source, PUBLIC, "tcp", sport=port, dport=8022)).dropped
                for port in range(40000, 40020)
            ]
            assert not any(fates[:BURST])
            assert fates.count(False) <= BURST + EARNED


def test_a_high_rate_is_reached(loader: str) -> None:
    """Credit that comes once a jiffy has to last for as long."""
    with gateway("allow ssh from lan to wan with limit 10000/second\n", loader) as made:
        assert passed(made, ALICE, 80) == 80


@pytest.mark.parametrize("unit", ["minute", "second"])
@pytest.mark.parametrize(("rate", "messages"), [(1, 1), (1_000_000, 10_000)])
def test_every_rate_loads(loader: str, unit: str, rate: int, messages: int) -> None:
    text = (
        f"allow ssh from lan to wan with limit {rate}/{unit}\n"
        f"allow tcp/23 from lan to wan with limit {rate}/{unit} per source\n"
        f"set log-denied {messages}/{unit}\n"
    )
    with gateway(text, loader) as made:
        assert passed(made, ALICE, BURST) == BURST


# -- counter


def test_what_several_statements_match_is_counted_once_by_the_narrowest(loader: str) -> None:
    wide, host = (
        "allow tcp/20-30 from lan to wan with counter",
        "allow ssh from alice to wan with counter",
    )
    narrow = "allow ssh from alice to hq"
    deny = "deny tcp/25 from lan to wan with counter"
    with gateway("\n".join((wide, host, narrow, deny, "")), loader) as made:
        for source, port in ((ALICE, 22), (ALICE, 23), (BOB, 22), (ALICE, 25), (BOB, 25)):
            seen = tcp(made, source, dport=port)
            assert seen.dropped is (port == 25)
            if port != 25:
                made.lab.reply(seen)
                assert not tcp(made, source, dport=port, flags="A").dropped
        assert counts(made, loader) == {wide: 2, host: 1, deny: 2}


def test_a_forward_and_an_allow_are_counted_once(loader: str) -> None:
    forward = "forward ssh from wan to box with counter"
    text = f"nat from lan to wan\n{forward}\nallow ssh from wan to lan with counter\n"
    with gateway(text, loader) as made:
        assert made.lab.send(Probe("eth0", HQ, PUBLIC, "tcp", dport=22)).arrival.destination == BOX
        assert not made.lab.send(Probe("eth0", HQ, ALICE, "tcp", dport=22)).dropped
        found = counts(made, loader)
    assert found == {forward: 1, "allow ssh from wan to lan with counter": 1}


# -- log


@pytest.fixture
def log() -> Iterator[KernelLog]:
    with kernel_log() as found:
        yield found


def test_the_first_packet_of_a_connection_is_logged(loader: str, log: KernelLog) -> None:
    prefix = "it's 100% {ssh}; # out: "
    with gateway(f'allow ssh from lan to wan with log "{prefix}"\n', loader) as made:
        seen = tcp(made, ALICE, 41001)
        made.lab.reply(seen)
        tcp(made, ALICE, 41001, flags="A")
        tcp(made, ALICE, 41001, dport=23)
        assert log.lines("SPT=41001") == [prefix]
        tcp(made, ALICE6, 41002)
        assert log.lines("SPT=41002") == [prefix]


@pytest.mark.parametrize("verdict", ["allow", "deny"])
def test_a_standard_prefix_names_the_zones(loader: str, log: KernelLog, verdict: str) -> None:
    with gateway(f"{verdict} ssh from lan to wan with log\n", loader) as made:
        tcp(made, ALICE, 41003)
        (prefix,) = log.lines("SPT=41003")
        assert re.search("lan.wan", prefix)


def test_what_several_statements_match_is_logged_once_by_the_narrowest(
    loader: str, log: KernelLog
) -> None:
    text = (
        'allow tcp/20-30 from lan to wan with log "wide "\n'
        'allow ssh from alice to wan with log "host "\nallow ssh from alice to hq\n'
        'deny tcp/25 from lan to wan with log "lan "\ndeny tcp/25 from alice to hq with log "hq "\n'
    )
    with gateway(text, loader) as made:
        for source, port, prefix in (
            (ALICE, 22, "host "),
            (BOB, 22, "wide "),
            (ALICE, 25, "hq "),
            (BOB, 25, "lan "),
        ):
            tcp(made, source, 41004, dport=port)
            assert log.lines("SPT=41004") == [prefix]


def test_a_log_is_no_way_to_fill_a_disk(loader: str, log: KernelLog) -> None:
    with gateway('allow ssh from lan to wan with log "flood "\n', loader) as made:
        assert passed(made, ALICE, 200) == 200
        assert 20 <= len(log.lines("flood")) < 150


@pytest.mark.parametrize(
    ("setting", "least", "most"),
    [
        ("set log-denied on\n", BURST, 20),
        ("set log-denied 2/minute\n", BURST, BURST + EARNED),
        ("set log-denied off\n", 0, 0),
        ("", 0, 0),
    ],
    ids=["on", "rate", "off", "default"],
)
def test_what_nothing_allows_is_logged_at_a_rate(
    loader: str, log: KernelLog, setting: str, least: int, most: int
) -> None:
    text = 'allow ssh from lan to wan\ndeny tcp/25 from lan to wan with log "mail "\n'
    with gateway(text + setting, loader) as made:
        tcp(made, ALICE, 41005)
        tcp(made, ALICE, 41005, dport=25)
        assert log.lines("SPT=41005") == ["mail "]
        for _ in range(40):
            assert tcp(made, ALICE, 41006, dport=23).dropped
        found = log.lines("SPT=41006")
        assert least <= len(found) <= most
        assert all("denied" in prefix for prefix in found)


def test_a_denial_without_a_log_of_its_own_is_among_the_denied(loader: str, log: KernelLog) -> None:
    text = "allow any from lan to wan\ndeny tcp/25 from lan to wan\nset log-denied on\n"
    with gateway(text, loader) as made:
        tcp(made, ALICE, 41007, dport=25)
        assert len(log.lines("SPT=41007")) == 1
        made.lab.send(Probe("eth1", "192.168.7.7", HQ, "tcp", sport=41008, dport=22))
        assert len(log.lines("SPT=41008")) == 1
