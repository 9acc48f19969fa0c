"""The rules about targets (TG4xx): what one of them cannot do is refused, never left out."""

from __future__ import annotations

from tunnelgate.diagnostics.diagnostic import Diagnostic, Label
from tunnelgate.diagnostics.rule import Rule, Severity
from tunnelgate.source import Span

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
_ROUTED = _ZONES.replace("nat from lan to wan\n", "")

NO_HELPER = Rule(
    code="TG401",
    name="no-helper",
    severity=Severity.ERROR,
    summary="a connection-tracking helper on a target that has none",
    why="pf knows a connection by its addresses and ports. It does not read what is said in it, so "
    "it does not know which flows belong to it: the GRE of PPTP has no ports at all.",
    source="targets page, pf",
    bad=_ZONES + "allow pptp from lan to wan with helper\n",
    good=_ZONES + "allow ipsec-nat-t from lan to wan\n",
    since="0.1.0",
)
TRACKING = Rule(
    code="TG402",
    name="no-spi-tracking",
    severity=Severity.ERROR,
    summary="SPI tracking or a split by SPI on a target that has none",
    why="Connection tracking knows ESP by its two addresses only. Telling SPIs apart takes "
    "conntrack zones and learned maps, which this target does not emit; a plain DNAT by SPI loads "
    "and is wrong, because the first packet binds the whole peer.",
    source="targets page, Portless protocols",
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
    good=_ZONES + "allow ssh from lan to wan with log\n",
    since="0.1.0",
)
TOO_OLD = Rule(
    code="TG405",
    name="needs-newer-version",
    severity=Severity.ERROR,
    summary="a ruleset that the oldest version stated for the target does not take",
    why="What a program does not know it refuses together with the whole ruleset. And some "
    "versions take it and get it wrong: nft before 0.9.7 forgets the lengths of prefixes in maps. "
    "pf has two dialects, and of the systems that have it FreeBSD 15 alone takes both.",
    source="measured: nft 0.8.5 to 1.0.6, iptables 1.6.0 to 1.8.9; targets page, Minimum versions",
    bad=_ZONES + "forward ipsec-nat-t from 198.51.100.0/24 to box\n",
    good=_ZONES + "forward ipsec-nat-t from hq to box\n",
    versions=(("nftables", "0.9.6"),),
    since="0.1.0",
)
AH_UNSEEN = Rule(
    code="TG406",
    name="ah-unseen",
    severity=Severity.ERROR,
    summary="AH on a target that cannot see it",
    why="pf steps through the header of AH and matches what is inside: a rule about AH never "
    "fires, AH around ESP is ESP to it, and AH around UDP is UDP.",
    source="targets page, pf; RFC 4302",
    bad=_ROUTED + "allow ah from lan to wan\n",
    good=_ROUTED + "allow ipsec from lan to wan\n",
    since="0.1.0",
)
LIMIT_OR_LOG = Rule(
    code="TG407",
    name="limit-or-log",
    severity=Severity.ERROR,
    summary="a limit or a log on a target that has none of this kind",
    why="pf limits the TCP connections of each source (max-src-conn-rate) and nothing else, and "
    "counts them by the source as it leaves. Its log has neither a prefix nor a rate.",
    source="pf.conf(5), stateful tracking options; pflogd(8)",
    bad=_ZONES + "allow ssh from wan to gateway with limit 6/minute\n",
    good=_ZONES + "allow ssh from wan to gateway with limit 6/minute per source, log\n",
    since="0.1.0",
)
WILDCARD = Rule(
    code="TG408",
    name="no-such-interface",
    severity=Severity.ERROR,
    summary="an interface, or a wildcard of them, that the target has no word for",
    why="pf knows groups of interfaces and no wildcards: `ppp*` is the group `ppp`, to which "
    "every interface of that kind belongs. The name of a group has no digit at its end, an "
    "interface is in it whatever its own zone is, and as an address it stands for those of all its "
    "members. The address of an interface is asked for by a name that begins with a letter.",
    source="pf.conf(5), on; ifconfig(8), group",
    bad=_ZONES + "zone dial-in {\n  interface ppp1*\n  network   10.99.0.0/24\n}\n",
    good=_ZONES + "zone dial-in {\n  interface ppp*\n  network   10.99.0.0/24\n}\n",
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
CHANNEL = Rule(
    code="TG410",
    name="unmatchable-channel",
    severity=Severity.ERROR,
    summary="ports or types that the target cannot tell apart",
    why="pf compares the ports of TCP and UDP; of SCTP, DCCP and UDP-Lite it sees the protocol "
    "alone. It reads protocol 0 as any. In the classic dialect a translation is about all of ICMP. "
    "The filter compares ports as a translation has left them.",
    source="pf.conf(5), proto and port",
    bad=_ZONES + "allow sctp/3868 from lan to wan\n",
    good=_ZONES + "allow tcp/3868 from lan to wan\n",
    since="0.1.0",
)

RULES = (
    NO_HELPER,
    TRACKING,
    TOO_LONG,
    TOO_OLD,
    AH_UNSEEN,
    LIMIT_OR_LOG,
    WILDCARD,
    NAT_NEEDS_NETWORK,
    CHANNEL,
)


def too_old(target: str, stated: str, what: str, since: str, span: Span) -> Diagnostic:
    """A finding of TG405: `what` (with its verb, as "maps with ranges need") of a statement came
    `since` this version of the target, and an older one is stated.
    """
    return Diagnostic(
        TOO_OLD,
        f"{target} {stated} is too old: {what} {since}",
        Label(span, f"needs {target} {since}"),
        help=f'state `{target} = "{since}"` or newer in the table `targets` of the configuration, '
        "if every gateway has it",
    )
