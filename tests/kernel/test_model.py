"""The model is what the kernel does: random packets of every example, and the answers to them.

The packets lean towards what the policy speaks of: its addresses and their neighbours, its channels
and those beside them, spoofed sources. `TUNNELGATE_PACKETS` sets how many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import LOADERS, Gateway, read, read_file

from tunnelgate.source import SourceFile
from tunnelgate.target import Layout

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.tg")
    if path.parent.name not in {"broken", "ansible"} and path.stem != "broken"
)
PACKETS = int(os.environ.get("TUNNELGATE_PACKETS", "80"))

#: Everything at once: options, both families, wildcards, an unknown address, nested translations.
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
deny any from gateway to partners
allow any from lan to site
allow icmp/3-5, sctp/99 from lan to site
set log-denied on
set reject on
"""


@pytest.fixture(
    scope="module",
    params=[*EXAMPLES, MIXTURE],
    ids=lambda one: one.stem if isinstance(one, Path) else "mixture",
)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    file = read_file(request.param)
    # what a packet does depends on it alone where no credit can run out
    text = re.sub(r"limit \d+/\w+", "limit 100000/second", file.text)
    made = Gateway(read(SourceFile(text, file.path, file.name, file.library)))
    yield made
    made.close()


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize("loader", LOADERS)
def test_packets_do_what_the_model_says(gateway: Gateway, loader: str, layout: Layout) -> None:
    gateway.load(loader, layout)
    mismatches = [
        str(mismatch)
        for packet in gateway.packets(PACKETS, seed=20)
        if (mismatch := gateway.check(packet)) is not None
    ]
    assert not mismatches, "\n".join(mismatches[:5])
