"""What policies are made of: all of the language, or what a target can say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """The words that are drawn, and the targets that refuse nothing of what is made of them.

    Attributes:
        protocols: by name and by number.
        excepted: what stands behind `except` alone.
        helped: protocols that may have a helper.
        portless: protocols of which one claimant may be the `single` one.
        forwarded: what forwards hand on.
        arriving: what arrives untranslated where the answers would be translated.
        logs, limits, settings, spis: each as it is written.
        interfaces: of each zone.
        targets: none of them refuses a policy.
    """

    protocols: tuple[str, ...]
    excepted: tuple[str, ...]
    helped: tuple[str, ...]
    portless: tuple[str, ...]
    forwarded: tuple[str, ...]
    arriving: tuple[str, ...]
    logs: tuple[str, ...]
    limits: tuple[str, ...]
    settings: tuple[str, ...]
    spis: tuple[str, ...]
    interfaces: Mapping[str, tuple[str, ...]]
    targets: tuple[str, ...]


ANYTHING = Profile(
    protocols=(
        "any", "ike", "nat-t", "ipsec", "ipsec-nat-t", "esp", "ah", "gre", "ipip", "ipcomp",
        "etherip", "wireguard", "openvpn", "openvpn-tcp", "l2tp", "l2tp-ipsec", "pptp", "ssh",
        "dns", "https", "icmp", "ping", "dhcp", "ftp", "tftp", "sip", "irc", "h323",
        "ipv6-in-ipv4", "tcp/25", "tcp/80,443", "udp/500", "udp/4500-4510", "udp/9", "tcp/1-1023",
        "ip/4,47", "ip/97-108", "ip/132", "icmp/echo-request", "icmp/3-5", "icmpv6/1",
        "icmpv6/128", "sctp/99", "udplite/7", "wireguard port 51821", "ssh port 2222", "ip/50",
        "ip/51", "tcp/65535", "udp/1", "ip/0-255",
    ),
    excepted=(),
    helped=("ftp", "tftp", "sip", "irc", "h323", "pptp"),
    portless=("esp", "gre", "ipip", "etherip", "ipsec", "any", "ip/50"),
    forwarded=(
        "ike, nat-t", "ipsec", "esp", "https", "tcp/8080", "udp/53", "any",
        "any except ssh, icmp", "gre", "wireguard", "udp/4500", "icmp",
    ),
    arriving=("ah", "ah", "esp", "gre", "any"),
    logs=("log", 'log "made up"'),
    # credit that no run of packets uses up, so that what a packet does depends on it alone
    limits=("limit 100000/second", "limit 100000/second per source", "limit 1000000/second"),
    settings=(
        "set antispoof off", "set log-denied on", "set log-denied 5/minute", "set reject on",
        "set gateway-output deny", "set icmp none", "set log-denied off", "set reject off",
    ),
    spis=("0x1000-0x1fff", "0x2000-0x2fff", "0x2800-0x37ff", "0x3000-0xffffffff", "256-4095"),
    interfaces={
        "wan": ("eth0", "eth0, wwan*"),
        "lan": ("eth1", "eth1, eth1-*"),
        "dmz": ("eth2", "ppp*", '"6in4", ppp0, ppp*'),
        "lab": ("eth3", "wlan0, wlan1*"),
    },
    targets=(),
)  # fmt: skip

_UNSAID = frozenset({"ah", "ip/51", "ip/0-255", "sctp/99", "udplite/7"})
#: No AH, no ports but those of TCP and UDP, no helper that more than one host may use, no SPI; a
#: log without a prefix, a limit for each source of TCP, and groups of interfaces.
PF = replace(
    ANYTHING,
    protocols=tuple(one for one in ANYTHING.protocols if one not in _UNSAID),
    excepted=("ah", "ip/51"),
    helped=("pptp",),
    arriving=("esp", "esp", "gre", "any", "icmp"),
    logs=("log",),
    limits=("limit 100000/second per source", "limit 6000000/minute per source"),
    settings=tuple(one for one in ANYTHING.settings if one != "set log-denied 5/minute"),
    spis=(),
    interfaces={
        "wan": ("eth0", "eth0, eth5"),
        "lan": ("eth1", "eth1, tun*"),
        "dmz": ("eth2", "ppp*", '"6in4", ppp0, ppp*'),
        "lab": ("eth3", "wlan0, wlan*"),
    },
    targets=("pf", "pf-classic"),
)


def profile(target: str) -> Profile:
    """The profile of which a target refuses nothing; else all of the language."""
    return PF if target in PF.targets else ANYTHING
