"""Rows of sets do to packets what the statements say: the model is asked packet for packet.

The packet tests of the project hold statements that are rules; here they are so many that they are
rows, where look-ups of AH and of ports in sets have traps of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gateway import Gateway, read
from lab import Probe

LOADERS = ("iptables-nft", "iptables-legacy")
POLICY = """gateway rows
zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
}
zone lan {
  interface eth1
  network   192.168.1.0/24, fd00:1::/64
}
nat from lan to wan
""" + "".join(
    f"allow {protocols} from {source}{number} to {peer.format(number)}\n"
    for number in range(10, 30)
    for protocols, source, peer in (
        ("ike, esp, tcp/80-85", "192.168.1.", "192.0.2.{}"),
        ("ssh, nat-t", "192.168.1.", "198.51.{}.0/24"),
        ("ssh, ike, esp", "fd00:1::", "2001:db8:51::{}"),
    )
)
AH_OF_SOME = "".join(
    f"allow ah from fd00:1::{number} to 2001:db8:51::10\n" for number in range(10, 20)
)


@pytest.fixture(scope="module", params=LOADERS)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    made = Gateway(read(POLICY + AH_OF_SOME))
    made.load(request.param)
    yield made
    made.close()


def test_packets_do_what_the_model_says(gateway: Gateway) -> None:
    packets = gateway.packets(300, seed=7)
    mismatches = [str(found) for packet in packets if (found := gateway.check(packet))]
    assert not mismatches, "\n".join(mismatches[:5])


@pytest.mark.parametrize("inner", ["tcp", "udp", "esp"])
def test_ah_is_not_what_it_carries(gateway: Gateway, inner: str) -> None:
    """A set would look through AH too (`ipv6_skip_exthdr`), in either flavour."""
    gateway.lab.flush_conntrack()
    allowed = Probe("eth1", "fd00:1::10", "2001:db8:51::10", "ah", inner=inner, dport=22)
    seen = gateway.lab.send(allowed)
    assert seen.arrival.icv_ok
    denied = Probe("eth1", "fd00:1::25", "2001:db8:51::25", "ah", inner=inner, dport=22)
    assert gateway.lab.send(denied).dropped
    plain = Probe("eth1", "fd00:1::25", "2001:db8:51::25", "tcp", dport=22)
    assert gateway.lab.send(plain).arrival.dport == 22
