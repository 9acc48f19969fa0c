"""examples/overlapping-networks: NAT before IPsec."""

from __future__ import annotations

import pytest
from lab import Probe
from test_site_to_site import ALICE, GATEWAY, HQ, WEBSITE, ends
from tunnels import Tunnel, TunnelLab

from conftest import Opened

FILESERVER, TRANSLATED, MAIN = "10.20.1.5", "10.99.1.1", "10.20.1.0/24"
SMB = Probe("eth1", ALICE, FILESERVER, "tcp", dport=445)


@pytest.fixture
def annex(opened: Opened) -> TunnelLab:
    return opened("annex", Tunnel("main", HQ, f"{TRANSLATED}/32", MAIN))


def test_by_the_translated_source_alone_it_passes_with_nftables_only(
    annex: TunnelLab, loader: str
) -> None:
    """What IPsec takes so: iptables asks before the translation, and drops it."""
    annex.up()
    asked = annex.send(SMB)
    if loader != "nftables":
        assert asked.dropped
        return
    assert ends(asked) == [("main", TRANSLATED, FILESERVER)]
    assert ends(annex.reply(asked)) == [("eth1", FILESERVER, ALICE)]


def test_by_its_own_source_too_it_passes_with_all(opened: Opened) -> None:
    """What IPsec takes by either, it protects translated."""
    lab = opened(
        "annex",
        Tunnel("main", HQ, f"{TRANSLATED}/32", MAIN),
        Tunnel("never", HQ, "192.168.1.0/24", MAIN),
    )
    lab.up()
    asked = lab.send(SMB)
    assert ends(asked) == [("main", TRANSLATED, FILESERVER)]
    assert ends(lab.reply(asked)) == [("eth1", FILESERVER, ALICE)]


def test_down_nothing_leaves_in_clear(annex: TunnelLab) -> None:
    assert annex.send(SMB).dropped
    annex.up()
    annex.send(SMB)
    annex.down()
    assert annex.send(SMB).dropped
    https = annex.send(Probe("eth1", ALICE, WEBSITE, "tcp", dport=443))
    assert ends(https) == [("eth0", GATEWAY, WEBSITE)]


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_what_claims_to_be_of_there_in_clear_is_dropped(annex: TunnelLab, is_up: bool) -> None:
    if is_up:
        annex.up()
    for destination in (ALICE, GATEWAY, TRANSLATED):
        assert annex.send(Probe("eth0", FILESERVER, destination, "tcp", dport=22)).dropped
