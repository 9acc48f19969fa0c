"""A model of pf: packets, the machine, states, and rules in the order in which pf asks them."""

from firewall.host import Host
from firewall.packet import Packet
from firewall.rules import Firewall, NotModelled, Passed

__all__ = ["Firewall", "Host", "NotModelled", "Packet", "Passed"]
