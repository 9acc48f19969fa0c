"""A policy with everything at once, for tests of what a whole policy means."""

from __future__ import annotations

MIXTURE = """gateway mixture
zone wan {
  interface eth0, wwan*
  host hq = 192.0.2.10, 2001:db8:51::10
  group partners = 198.51.100.0/24, 198.51.101.7-198.51.101.9
}
zone lan {
  interface eth1
  network 192.168.1.0/24, fd00:1::/64
  host a = 192.168.1.10, fd00:1::10
}
zone dmz {
  interface "6in4", ppp*, ppp0
  network 10.9.0.0/16
  host srv = 10.9.0.1
  address 10.9.0.254
}
zone site {
  ipsec over wan
  network 10.20.0.0/16, fd20::/48
}
nat from lan to wan
nat from a to wan
nat from dmz to wan
nat ipv6 from lan to wan
nat from lan to site as 10.99.0.1
allow any except ssh, ip/132 from lan to wan except partners with single
allow ssh from lan to wan with limit 100000/second per source, log "ssh out"
allow esp, gre, ping from lan to hq with single, counter
allow l2tp-ipsec from wan to gateway
allow pptp, ftp, sip, h323 from lan to wan with helper
allow dns from any to gateway with limit 1000000/minute, log
forward https from wan to srv with hairpin
forward tcp/8080 from wan to srv port 80 with hairpin, log "x"
forward ike, nat-t from partners to srv
forward ipv6 udp/53 from wan to a
deny tcp/25, icmp/redirect from lan, dmz to any with log, counter
deny tcp/80 from partners to srv
deny any from gateway to partners
allow any from lan to site
allow icmp/3-5, sctp/99 from lan to site
set log-denied on
set reject on
"""

TWO_WANS = """gateway two
zone dsl {
  interface eth0
  address 203.0.113.1
  group peers = 198.51.100.0/24
}
zone cable {
  interface eth2
}
zone lan {
  interface eth1
  network 192.168.1.0/24
  host server = 192.168.1.5
}
zone branch {
  ipsec over dsl
  network 10.0.0.0/8
}
nat from lan to dsl
nat from lan to cable
allow ipsec-nat-t, ah from lan to dsl, cable
deny udp/500 from server to dsl
forward ike, nat-t from cable to server
forward ike from peers at 203.0.113.1 to server
allow any from dsl to cable
allow l2tp-ipsec from dsl to gateway
set antispoof off
set gateway-output deny
set icmp none
allow ntp from gateway to dsl, cable
"""

#: L2TP in clear is forwarded, L2TP inside IPsec is for the gateway: on the outside, and by hairpin.
L2TP = """gateway l2tp
zone wan {
  interface eth0
}
zone lan {
  interface eth1
  network 192.168.1.0/24, fd00:1::/64
  address 192.168.1.1, fd00:1::1
  host server = 192.168.1.5, fd00:1::5
}
zone branch {
  ipsec over wan
  network 10.20.0.0/16
}
zone floor {
  ipsec over lan
  network 10.30.0.0/16, fd30::/48
}
nat from lan to wan
allow l2tp-ipsec from wan, lan to gateway
forward l2tp from wan to server with hairpin
forward ipv6 udp/1024-65535 from wan to server with hairpin
"""


def _crowd() -> str:
    hosts = range(1, 25)
    lines = [
        *(f"forward ike, nat-t, esp from 198.51.100.{n} to 192.168.1.{n}" for n in hosts),
        *(f"forward ike, esp from 198.51.101.{n * 8}/29 to 192.168.2.{n}" for n in hosts),
        *(f"forward ike from 198.51.102.{n} to 192.168.3.{n}" for n in hosts),
        *(f"forward udp/{7000 + n} from cable to 192.168.3.{n}" for n in hosts),
        *(f"forward tcp/{8000 + n} from wan to 192.168.1.{n} port 80" for n in hosts),
        *(f"forward ipv6 tcp/{9000 + n} from wan to fd00:1::{n}" for n in hosts),
        *(
            f"allow ike, nat-t from 192.168.{n}.{m} to 100.64.{n}.{m}/28"
            for n in range(40)
            for m in range(0, 256, 16)
        ),
    ]
    return "\n".join(lines) + "\n"


#: So many statements that sets, maps and trees hold them.
CROWD = """gateway crowd
zone wan {
  interface eth0
  address   203.0.113.1, 2001:db8::1
}
zone cable {
  interface eth2
  network 198.51.102.0/24
}
zone lan {
  interface eth1
  network 192.168.0.0/16, fd00:1::/64
}
nat from lan to wan
nat from 192.168.1.0/24 to wan as 203.0.113.1
nat from lan to cable
""" + _crowd()


def _translated() -> str:
    """So many `nat` statements of each kind that a target looks them up, one nested in another."""
    kinds = (
        "nat from 192.168.{0}.10 to wan as 203.0.113.{1}",
        "nat from 192.168.{0}.11 to wan",
        "nat from 192.168.{0}.0/24 to wan as 203.0.113.{2}",
        "forward ipsec from wan at 203.0.113.{2} to 192.168.{0}.20",
        "nat from lan to 198.51.102.{0} as 198.51.102.{2}",
        "nat ipv6 from fd00:1::{0} to wan as 2001:db8::{1}",
        "forward tcp/{0}80 from wan at 203.0.113.1 to 192.168.{0}.30 with hairpin",
    )
    numbers = range(1, 12)
    return "".join(
        f"{kind.format(number, number % 4 + 1, number + 100)}\n"
        for kind in kinds
        for number in numbers
    )


def _addresses(network: str, numbers: range) -> str:
    return ", ".join(f"{network}{number}" for number in numbers)


TRANSLATED = f"""gateway translated
zone wan {{
  interface eth0
  address   {_addresses("203.0.113.", range(1, 5))}
  address   {_addresses("203.0.113.", range(101, 113))}
  address   {_addresses("2001:db8::", range(1, 5))}
}}
zone cable {{
  interface eth2
  network 198.51.102.0/24
  address {_addresses("198.51.102.", range(101, 113))}
}}
zone lan {{
  interface eth1
  network 192.168.0.0/16, fd00:1::/64
  address 192.168.0.1
}}
nat from lan to wan
nat ipv6 from lan to wan
allow ipsec, udp/443, ssh from lan to wan, cable
allow gre from lan to wan with single
""" + _translated()


def _noted() -> str:
    """So many statements with options of each kind that a target looks them up, overlapping."""
    kinds = (
        # hosts in their networks in their zone, and ports of both
        'allow ssh, ike, esp from 192.168.{0}.10 to 198.51.100.{0} with log "a {0} "',
        "allow ssh, icmp/8 from 192.168.{0}.0/24 to wan with log, counter",
        "allow tcp/20-30 from 192.168.{0}.10 to wan with counter",
        "allow tcp/{0}000-{0}999 from lan to wan with limit {0}/second",
        "allow tcp/{0}500 from lan to wan with limit {0}/minute per source, log",
        "allow udp/{0}00 from 192.168.{0}.0/24 to 198.51.100.0/24 with limit {0}/second, counter",
        "allow udp/1-65535, sctp/{0} from 192.168.{0}.16/28 to wan with limit 1{0}/second",
        "allow gre from fd00:1::{0} to wan with single, limit {0}/second per source, log, counter",
        "allow tcp/4{0} from gateway to wan with log, limit 2{0}/second",
        "deny tcp/25 from 192.168.{0}.0/24 to wan with log",
        'deny tcp/25, udp/25 from 192.168.{0}.10 to 198.51.100.{0} with log "d {0} ", counter',
        "deny icmp/{0}, icmpv6/{0} from lan to wan with counter",
        "forward tcp/9{0} from wan at 203.0.113.1 to 192.168.1.{0} port 80 with limit 9/minute",
        "forward tcp/9{0} from 198.51.100.0/25 at 203.0.113.2 to 192.168.2.{0} port 8{0}",
        "forward tcp/9{0} from 198.51.100.128/25 at 203.0.113.2 to 192.168.2.{0} port 7{0}",
        "forward ipv6 udp/9{0} from wan to fd00:1::{0} port 5{0} with log, counter",
        "forward udp/9{0} from cable to 192.168.3.{0} port 5{0} with hairpin",
    )
    numbers = range(1, 31)
    return "".join(f"{kind.format(number)}\n" for kind in kinds for number in numbers)


NOTED = """gateway noted
zone wan {
  interface eth0
  address 203.0.113.1, 203.0.113.2, 2001:db8::1
}
zone cable {
  interface eth2
  network 198.51.102.0/24
}
zone lan {
  interface eth1
  network 192.168.0.0/16, fd00:1::/64
  address 192.168.0.1
}
nat from lan to wan, cable
nat ipv6 from lan to wan
allow ssh, udp/2000 from lan to wan
""" + _noted()
