"""What the examples of the rules have in common: a gateway between a LAN and the world."""

WAN = """\
zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10
}
"""
LAN = """\
zone lan {
  interface eth1
  network   192.168.1.0/24
  address   192.168.1.1
  host alice = 192.168.1.10
  host bob   = 192.168.1.20
}
"""
ZONES = WAN + LAN
NAT = ZONES + "nat from lan to wan\nallow ssh from lan to gateway\n"
"""Masquerading, and a way to administer the gateway."""
