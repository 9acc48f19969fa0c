"""Portless protocols behind one address: who is the second claimant of a peer, and how one sees it.

`single` and `any` let one host at a time hold a peer. The kernel itself drops every packet of the
second one in silence; a ruleset that counts and logs it first has to know every case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from gateway import LOADERS, Gateway, loaded
from kernel_log import KernelLog, kernel_log
from lab import Probe

ZONES = """zone wan {
  interface eth0
  address   203.0.113.1, 203.0.113.2, 2001:db8::1
  host hq = 192.0.2.10, 2001:db8:51::10
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
  host box = 192.168.1.10, fd00:1::10
}
zone dmz {
  interface eth2
  network   192.168.2.0/24
}
"""
ALICE, BOB, BOX, HQ = "192.168.1.20", "192.168.1.30", "192.168.1.10", "192.0.2.10"
DORA = "192.168.2.20"
ALICE6, BOB6, HQ6 = "fd00:1::20", "fd00:1::30", "2001:db8:51::10"
#: Protocols of tunnels by their names in the language, and what a packet is told by.
TUNNELS: dict[str, str | int] = {
    "esp": "esp",
    "gre": "gre",
    "ipip": 4,
    "ipv6-in-ipv4": 41,
    "etherip": 97,
    "ipcomp": 108,
}

pytestmark = pytest.mark.parametrize("loader", LOADERS)


@pytest.fixture(scope="module")
def log() -> Iterator[KernelLog]:
    with kernel_log() as found:
        yield found


def gateway(statements: str, loader: str) -> AbstractContextManager[Gateway]:
    return loaded(ZONES + statements, loader)


def seconds(made: Gateway, loader: str) -> int:
    """How many packets are counted as those of a second claimant, where an administrator looks."""
    if loader == "nftables":
        text = made.lab.run(["nft", "list", "counters", "table", "inet", "tunnelgate"]).stdout
        found = re.findall(r"counter second-claimant\.\S+ \{\s+packets (\d+)", text)
        return sum(map(int, found))
    count = 0
    for family in ("iptables", "ip6tables"):
        flavour = loader.removeprefix("iptables-")
        text = made.lab.run([f"{family}-{flavour}", "-nvxL"]).stdout
        count += sum(
            int(line.split()[0])
            for line in text.splitlines()
            if " DROP " in line and "second claimant" in line
        )
    return count


def assert_only_the_first_passes(
    made: Gateway,
    loader: str,
    log: KernelLog,
    probes: tuple[Probe, Probe],
) -> None:
    """Of two hosts the first holds the peer; the second is dropped, counted and logged."""
    first, second = probes
    made.lab.flush_conntrack()
    made.settle()
    before = seconds(made, loader)
    log.lines("")
    for _ in range(2):
        assert made.lab.send(first).arrivals, first
    assert (seconds(made, loader), _told(log)) == (before, [])
    assert made.lab.send(second).dropped, second
    assert seconds(made, loader) == before + 1, second
    (prefix,) = _told(log)
    assert "wan" in prefix
    # no answer has been seen, so that this is judged like the first packet
    assert made.lab.send(first).arrivals, first


def _told(log: KernelLog) -> list[str]:
    """What was logged of second claimants; other namespaces log other things meanwhile."""
    return [line for line in log.lines("SRC=") if "second" in line]


def out(source: str, protocol: str | int, **rest: object) -> Probe:
    wire = "eth2" if source == DORA else "eth1"
    return Probe(wire, source, HQ6 if ":" in source else HQ, protocol, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("nat", ["nat from lan to wan", "nat from lan to wan as 203.0.113.2"])
@pytest.mark.parametrize(
    "statement", ["allow {} from lan to wan with single", "allow any from lan to wan"]
)
def test_every_tunnel(loader: str, log: KernelLog, statement: str, nat: str) -> None:
    text = f"{nat}\n{statement.format(', '.join(TUNNELS))}\n"
    with gateway(text, loader) as made:
        for protocol in TUNNELS.values():
            pair = (out(ALICE, protocol), out(BOB, protocol))
            assert_only_the_first_passes(made, loader, log, pair)


@pytest.mark.parametrize(
    "statement", ["allow ip/89, ip/100-109, ip/132 from lan to wan with single"]
)
def test_protocols_that_are_named_by_number(loader: str, log: KernelLog, statement: str) -> None:
    with gateway(f"nat from lan to wan\n{statement}\n", loader) as made:
        for protocol in (89, 105):
            pair = (out(ALICE, protocol), out(BOB, protocol))
            assert_only_the_first_passes(made, loader, log, pair)


@pytest.mark.parametrize("protocol", ["esp", "gre"])
@pytest.mark.parametrize(
    "statement", ["allow esp, gre from lan to wan with single", "allow any from lan to wan"]
)
def test_ipv6_behind_nat(loader: str, log: KernelLog, statement: str, protocol: str) -> None:
    with gateway(f"nat ipv6 from lan to wan\n{statement}\n", loader) as made:
        pair = (out(ALICE6, protocol), out(BOB6, protocol))
        assert_only_the_first_passes(made, loader, log, pair)


def test_two_zones_share_an_address(loader: str, log: KernelLog) -> None:
    text = "nat from lan, dmz to wan\nallow esp from lan, dmz to hq with single\n"
    with gateway(text, loader) as made:
        for pair in ((ALICE, DORA), (DORA, ALICE)):
            probes = out(pair[0], "esp"), out(pair[1], "esp")
            assert_only_the_first_passes(made, loader, log, probes)


def test_of_many_addresses_each_has_its_own_claimants(loader: str, log: KernelLog) -> None:
    """So many `nat` statements that the address of a host is looked up; the rest share another."""
    hosts = "".join(
        f"nat from 192.168.1.{number} to wan as 203.0.113.{2 if number in (20, 30) else 1}\n"
        for number in (20, 30, *range(100, 112))
    )
    text = f"nat from lan to wan\n{hosts}allow esp from lan to wan with single\n"
    with gateway(text, loader) as made:
        for pair in ((ALICE, BOB), (BOX, "192.168.1.101"), ("192.168.1.101", BOX)):
            probes = out(pair[0], "esp"), out(pair[1], "esp")
            assert_only_the_first_passes(made, loader, log, probes)
        made.lab.flush_conntrack()
        made.settle()
        for source in (BOB, "192.168.1.101"):  # of two addresses
            assert made.lab.send(out(source, "esp")).arrivals, source


def test_when_the_first_is_gone_the_second_gets_in(loader: str, log: KernelLog) -> None:
    text = "nat from lan to wan\nallow esp from lan to hq with single\n"
    with gateway(text, loader) as made:
        for first, second in ((ALICE, BOB), (BOB, ALICE)):
            assert_only_the_first_passes(made, loader, log, (out(first, "esp"), out(second, "esp")))
            gone = made.lab.run(["conntrack", "-D", "-s", first])
            assert gone.returncode == 0, gone.stderr
            made.settle()
            assert made.lab.send(out(second, "esp")).arrivals
            assert made.lab.send(out(first, "esp")).dropped


def test_claims_of_two_public_addresses_are_apart(loader: str) -> None:
    text = (
        "nat from lan to wan as 203.0.113.1\nnat from 192.168.1.30 to wan as 203.0.113.2\n"
        "allow esp from lan to hq with single\n"
    )
    with gateway(text, loader) as made:
        for source, public in ((ALICE, "203.0.113.1"), (BOB, "203.0.113.2")):
            assert made.lab.send(out(source, "esp")).arrival.source == public
        assert made.lab.send(out("192.168.1.40", "esp")).dropped


def test_masquerade_and_its_address_are_one_claim(loader: str, log: KernelLog) -> None:
    text = (
        "nat from lan to wan\nnat from dmz to wan as 203.0.113.1\n"
        "allow esp from lan, dmz to hq with single\n"
    )
    with gateway(text, loader) as made:
        assert_only_the_first_passes(made, loader, log, (out(ALICE, "esp"), out(DORA, "esp")))


@pytest.mark.parametrize("protocol", ["esp", "gre"])
def test_one_who_is_forwarded_to_holds_the_peer_as_well(
    loader: str, log: KernelLog, protocol: str
) -> None:
    """nftables counts it. iptables cannot: connlimit counts what meets one rule, in one direction;
    there the kernel drops the second one unseen.
    """
    text = (
        f"nat from lan to wan\nforward {protocol} from hq at 203.0.113.1 to box\n"
        f"forward {protocol} from hq at 203.0.113.2 to box\nallow any from lan to wan\n"
    )
    with gateway(text, loader) as made:
        other = made.lab.send(Probe("eth0", HQ, "203.0.113.2", protocol))
        assert other.arrival.destination == BOX
        assert made.lab.send(out(ALICE, protocol)).arrivals
        made.lab.flush_conntrack()
        made.settle()
        held = made.lab.send(Probe("eth0", HQ, "203.0.113.1", protocol))
        assert held.arrival.destination == BOX
        assert made.lab.send(out(ALICE, protocol)).dropped
        assert seconds(made, loader) == (loader == "nftables")


def test_what_reaches_the_gateway_holds_the_peer_as_well(loader: str, log: KernelLog) -> None:
    text = "nat from lan to wan\nallow esp from hq to gateway\nallow any from lan to wan\n"
    with gateway(text, loader) as made:
        assert made.lab.send(Probe("eth0", HQ, "203.0.113.1", "esp")).local
        assert made.lab.send(out(ALICE, "esp")).dropped
        assert seconds(made, loader) == (loader == "nftables")
