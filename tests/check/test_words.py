"""Where a parameter stands for a protocol or a port, the checks see what it means.

No fix writes into one: its name may well be that of a protocol.
"""

from __future__ import annotations

import pytest

POLICY = """\
param ike  : port = 500
param vx   : port = 8472
param data : name = gre
param some : port... = 443, 1701
zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host alice = 192.168.1.10
}
nat from lan to wan
"""


@pytest.mark.parametrize(
    ("flow", "code", "word"),
    [
        ("udp/$ike from lan to hq", "TG304", "udp/$ike"),
        ("vxlan   port $vx from alice to hq", "TG502", "vxlan   port $vx"),
        ("ssh, $data from alice to hq", "TG502", "$data"),
        ("udp/$some from hq to gateway", "TG502", "udp/$some"),
        ("udp/$vx from alice to hq", "TG502", None),
    ],
)
def test_parameters_are_words_too(flow: str, code: str, word: str | None, check_text) -> None:
    found = check_text(POLICY + f"allow {flow}\n")
    told = [one for one in found if one.rule.code == code]
    assert [one.primary.span.text for one in told] == ([] if word is None else [word])
    assert not any(one.fix for one in told)
