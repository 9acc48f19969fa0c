"""The commands that `diff` names end the connections that a load leaves, and no others."""

from __future__ import annotations

import shlex

from gateway import Gateway, read
from lab import Probe

import tunnelgate
from tunnelgate.cli.changes.connections import commands

ZONES = """gateway g
zone wan {
  interface eth0
  address 203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host a = 192.168.1.10
}
"""
OLD = ZONES + (
    "nat from lan to wan\nallow esp from a to hq\nallow ike, ssh from lan to wan\n"
    "allow any from hq to gateway\n"
)
#: ESP goes, IKE leaves as another address, ssh goes for one host.
NEW = ZONES.replace("203.0.113.1", "203.0.113.1, 203.0.113.2") + (
    "nat from lan to wan as 203.0.113.2\nallow ike from lan to wan\n"
    "allow ssh from 192.168.1.77 to wan\nallow any from hq to gateway\n"
)


def out(source: str, protocol: str, dport: int = 0) -> Probe:
    return Probe("eth1", source, "192.0.2.10", protocol, sport=4000, dport=dport)


def test_commands_end_what_has_to_end() -> None:
    made = Gateway(read(OLD))
    try:
        made.load("nftables")
        for probe in (
            out("192.168.1.10", "esp"),
            out("192.168.1.20", "udp", 500),
            out("192.168.1.20", "tcp", 22),
            out("192.168.1.77", "tcp", 22),
        ):
            assert made.lab.send(probe).arrivals
        made.lab.send(Probe("eth0", "192.0.2.10", "203.0.113.1", "udp", sport=9, dport=9))
        assert len(made.lab.conntrack()) == 5
        report = tunnelgate.diff(read(OLD), read(NEW))
        for one in commands(report).conntrack:
            made.lab.run(shlex.split(one))
        left = made.lab.conntrack()
        # what the host may still do leaves by another address from now on, so it ends too
        assert ["udp" in one and "dport=9 " in one for one in left] == [True], left
    finally:
        made.close()
