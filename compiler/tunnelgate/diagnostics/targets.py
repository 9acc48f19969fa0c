"""The rules about targets (TG4xx): what one of them cannot do is refused, never left out."""

from __future__ import annotations

from tunnelgate.diagnostics.rule import Rule, Severity

_ZONES = """zone wan {
  interface eth0
  address   203.0.113.1
  host hq = 192.0.2.10
}
zone lan {
  interface eth1
  network   192.168.1.0/24
  host box = 192.168.1.10
}
nat from lan to wan
"""

TRACKING = Rule(
    code="TG402",
    name="no-spi-tracking",
    severity=Severity.ERROR,
    summary="SPI tracking or a split by SPI on a target that has none",
    why="Connection tracking knows ESP by its two addresses only. Telling SPIs apart takes "
    "conntrack zones and learned maps, which this target does not emit; a plain DNAT by SPI loads "
    "and is wrong, because the first packet binds the whole peer.",
    source="kernel facts, Portless protocols behind NAT",
    bad=_ZONES + "allow esp from lan to hq with tracking\n",
    good=_ZONES + "allow ipsec-nat-t from lan to hq\n",
    since="0.1.0",
)
TOO_LONG = Rule(
    code="TG404",
    name="too-long-for-target",
    severity=Severity.ERROR,
    summary="a name or label longer than the target takes",
    why="The target would refuse the ruleset, or cut the text in silence.",
    source="iptables-extensions(8), LOG: prefix up to 29 characters; nft(8): 127",
    bad=_ZONES
    + 'allow ssh from lan to wan with log "a prefix of more than twenty-nine characters"\n',
    good=_ZONES + 'allow ssh from lan to wan with log "ssh out"\n',
    since="0.1.0",
)
NAT_NEEDS_NETWORK = Rule(
    code="TG409",
    name="nat-needs-network",
    severity=Severity.ERROR,
    summary="source translation by interface on a target that has forgotten the interface",
    why="iptables knows the interface of arrival no longer where it translates sources, so a `nat` "
    "there is told by source addresses; a zone without `network`, or without the spoof check, has "
    "none.",
    source="iptables(8): -i is only valid in PREROUTING, INPUT and FORWARD",
    bad="""zone wan {
  interface eth0
  network   0.0.0.0/0
  address   203.0.113.1
}
zone dial-in {
  interface ppp*
}
nat from dial-in to wan
""",
    good=_ZONES,
    since="0.1.0",
)

RULES = (TRACKING, TOO_LONG, NAT_NEEDS_NETWORK)
