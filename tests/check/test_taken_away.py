"""L2TP inside IPsec that a forward takes away from the gateway, and where it does not."""

from __future__ import annotations

import pytest

from tunnelgate.check.rules.samples import NAT

TUNNEL = "zone site {\n  ipsec over wan\n  network 10.20.0.0/16\n}\n"


@pytest.mark.parametrize(
    ("statements", "severity"),
    [
        ("forward l2tp from wan to alice", "error"),
        ("forward l2tp from hq to alice", "error"),
        ("forward any except ipsec from hq to alice", "error"),
        ("forward l2tp from wan except hq to alice", None),
        (f"{TUNNEL}forward l2tp from wan to alice", None),
        ("forward l2tp from wan to alice\ndeny l2tp from wan to gateway", None),
    ],
)
def test_l2tp_inside_ipsec_is_taken_away_where_it_is_in_the_zone(
    statements: str, severity: str | None, codes
) -> None:
    """Without tunnels over a zone, what was decrypted there is in it."""
    text = f"{NAT}allow l2tp-ipsec from hq to gateway\n{statements}\n"
    assert codes(text).get("TG206") == severity
