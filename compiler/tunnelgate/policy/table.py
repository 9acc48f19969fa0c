"""The built-in protocols, one row each: adding a protocol is adding a row.

Protocols stand here by number, never by a name of /etc/protocols: `ipip` is 94 there, and what
this table calls `ipip` is `ipencap`.
"""

from __future__ import annotations

from tunnelgate.flows.axes import AH, ANY_L4, ESP, GRE, ICMP, ICMPV6, TCP, UDP, l4
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.policy.protocol import Encryption, NatBehaviour, ProtocolRow

IP_PROTOCOL_TITLES: dict[int, str] = {
    1: "ICMP",
    2: "IGMP",
    4: "IP-in-IP",
    6: "TCP",
    17: "UDP",
    33: "DCCP",
    41: "IPv6-in-IPv4",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    88: "EIGRP",
    89: "OSPF",
    97: "EtherIP",
    103: "PIM",
    108: "IPComp",
    112: "VRRP",
    115: "L2TPv3",
    132: "SCTP",
    136: "UDP-Lite",
}
"""The numbers that a reader of a firewall report meets, as their documents write them."""

ICMP_TYPES: dict[str, int] = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
"""The type of each name that nft knows (`nft describe icmp type`), whatever its code.

Linux answers echo requests of any code, so `deny ping` has to mean them all.
"""

ICMPV6_TYPES: dict[str, int] = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "mld-listener-reduction": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "ind-neighbor-solicit": 141,
    "ind-neighbor-advert": 142,
    "mld2-listener-report": 143,
}
"""The same for ICMPv6 (`nft describe icmpv6 type`; RFC 4443 section 4 for echo)."""

_BEST_FIRST_NAT = (
    NatBehaviour.FREE,
    NatBehaviour.HELPER,
    NatBehaviour.SINGLE,
    NatBehaviour.NEVER,
)
_BEST_FIRST_ENCRYPTION = (
    Encryption.STRONG,
    Encryption.CONTENT,
    Encryption.INTEGRITY,
    Encryption.BROKEN,
    Encryption.NONE,
)


def _tcp(*ports: int) -> tuple[Interval, ...]:
    return tuple(l4(TCP, port, port) for port in ports)


def _udp(*ports: int) -> tuple[Interval, ...]:
    return tuple(l4(UDP, port, port) for port in ports)


def _echo_request(protocol: int, types: dict[str, int]) -> Interval:
    kind = types["echo-request"]
    return l4(protocol, kind << 8, kind << 8 | 0xFF)


def _composite(
    name: str,
    title: str,
    parts: tuple[ProtocolRow, ...],
    *,
    source: str,
    own: tuple[Interval, ...] = (),
    nat: NatBehaviour | None = None,
    encryption: Encryption | None = None,
    helper: str = "",
    note: str = "",
) -> ProtocolRow:
    """A protocol made of others: their channels and its own; NAT and encryption as the worst."""
    channels = Intervals.of([*own, *(channel for part in parts for channel in part.channels)])
    return ProtocolRow(
        name=name,
        title=title,
        channels=channels.items,
        nat=nat or max((part.nat for part in parts), key=_BEST_FIRST_NAT.index),
        encryption=encryption
        or max((part.encryption for part in parts), key=_BEST_FIRST_ENCRYPTION.index),
        source=source,
        parts=tuple(part.name for part in parts),
        helper=helper,
        tunnel=any(part.tunnel for part in parts),
        note=note,
    )


_IKE = ProtocolRow(
    name="ike",
    title="Internet Key Exchange",
    channels=_udp(500),
    nat=NatBehaviour.FREE,
    encryption=Encryption.STRONG,
    source="RFC 7296 section 2",
    note="Where either end is translated it goes on over `nat-t`, and needs that too.",
)
_NAT_T = ProtocolRow(
    name="nat-t",
    title="IKE and ESP in UDP (NAT traversal)",
    channels=_udp(4500),
    nat=NatBehaviour.FREE,
    encryption=Encryption.STRONG,
    source="RFC 7296 section 2.23, RFC 3948 section 2",
    tunnel=True,
    note="Begins as `ike` on udp/500, unless both ends are configured to begin here.",
)
_ESP = ProtocolRow(
    name="esp",
    title="Encapsulating Security Payload",
    channels=(l4(ESP),),
    nat=NatBehaviour.SINGLE,
    encryption=Encryption.STRONG,
    source="RFC 4303 section 2, RFC 3715 section 2.1 (NAT)",
    tunnel=True,
    note=(
        "Connection tracking tells it apart by addresses alone: a second host behind the same "
        "address to the same peer is dropped without a word, unless `with tracking`."
    ),
)
_AH = ProtocolRow(
    name="ah",
    title="Authentication Header",
    channels=(l4(AH),),
    nat=NatBehaviour.NEVER,
    encryption=Encryption.INTEGRITY,
    source="RFC 4302 section 2, RFC 3715 section 2.1 (NAT)",
    tunnel=True,
    note=(
        "Its checksum covers the addresses: what a NAT has rewritten the receiver discards, so it "
        "is dropped on a translated path and never leaks untranslated."
    ),
)
_IPSEC = _composite(
    "ipsec",
    "IPsec: IKE, NAT traversal and bare ESP",
    (_IKE, _NAT_T, _ESP),
    source="RFC 4301 section 3, RFC 7296 section 2.23",
    note="Behind NAT say `ipsec-nat-t`: without bare ESP any number of hosts may use it.",
)
_GRE = ProtocolRow(
    name="gre",
    title="Generic Routing Encapsulation",
    channels=(l4(GRE),),
    nat=NatBehaviour.SINGLE,
    encryption=Encryption.NONE,
    source="RFC 2784 section 4",
    tunnel=True,
    note="A key (RFC 2890) does not tell two hosts behind the same address apart.",
)
_OPENVPN = ProtocolRow(
    name="openvpn",
    title="OpenVPN over UDP",
    channels=_udp(1194),
    nat=NatBehaviour.FREE,
    encryption=Encryption.STRONG,
    source="IANA port registry (openvpn); OpenVPN Reference Manual, --port",
    tunnel=True,
)
_OPENVPN_TCP = ProtocolRow(
    name="openvpn-tcp",
    title="OpenVPN over TCP",
    channels=_tcp(1194),
    nat=NatBehaviour.FREE,
    encryption=Encryption.STRONG,
    source="IANA port registry (openvpn); OpenVPN Reference Manual, --proto",
    tunnel=True,
)
_SSTP = ProtocolRow(
    name="sstp",
    title="Secure Socket Tunneling Protocol",
    channels=_tcp(443),
    nat=NatBehaviour.FREE,
    encryption=Encryption.STRONG,
    source="Microsoft [MS-SSTP], Overview",
    tunnel=True,
    note="A packet filter cannot tell it from HTTPS.",
)

TABLE: tuple[ProtocolRow, ...] = (
    _IKE,
    _NAT_T,
    ProtocolRow(
        name="ipsec-tcp",
        title="IKE and ESP in TCP",
        channels=_tcp(4500),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="RFC 9329, IANA port registry (tcp/4500)",
        tunnel=True,
        note="A fallback for networks that block UDP; both ends must be configured for it.",
    ),
    _ESP,
    _AH,
    ProtocolRow(
        name="ipcomp",
        title="IP Payload Compression",
        channels=(l4(108),),
        nat=NatBehaviour.SINGLE,
        encryption=Encryption.NONE,
        source="RFC 3173 section 3.1",
        tunnel=True,
        note="Mostly travels inside ESP, where it needs no statement of its own.",
    ),
    _IPSEC,
    _composite(
        "ipsec-nat-t",
        "IPsec in UDP: IKE and NAT traversal",
        (_IKE, _NAT_T),
        source="RFC 7296 section 2.23, RFC 3948",
        note="The form of IPsec that any number of hosts behind one address can use.",
    ),
    _composite(
        "ipsec-ah",
        "IPsec with AH: IKE and the Authentication Header",
        (_IKE, _AH),
        source="RFC 4301 section 3, RFC 3715 section 2.1 (NAT)",
        note="Only for paths without NAT.",
    ),
    _GRE,
    _composite(
        "pptp",
        "Point-to-Point Tunneling Protocol",
        (_GRE,),
        own=_tcp(1723),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.BROKEN,
        helper="pptp",
        source=(
            "RFC 2637 section 4.1, IANA port registry (pptp), "
            "Microsoft Security Advisory 2743314 (MS-CHAPv2)"
        ),
        note=(
            "Behind NAT the returning GRE reaches nobody without the helper, which is for IPv4 "
            "only; what was recorded can be decrypted."
        ),
    ),
    ProtocolRow(
        name="l2tp",
        title="Layer Two Tunneling Protocol",
        channels=_udp(1701),
        nat=NatBehaviour.FREE,
        encryption=Encryption.NONE,
        source="RFC 2661 section 8.1",
        tunnel=True,
        note="For L2TP that IPsec protects say `l2tp-ipsec`, which does not open this port to all.",
    ),
    _composite(
        "l2tp-ipsec",
        "L2TP protected by IPsec",
        (_IPSEC,),
        source="RFC 3193, RFC 3948",
        note=(
            "Its channels are those of `ipsec`; to the gateway udp/1701 passes besides, inside "
            "IPsec only, which is no channel of this row."
        ),
    ),
    ProtocolRow(
        name="wireguard",
        title="WireGuard",
        channels=_udp(51820),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="WireGuard Quick Start",
        tunnel=True,
        note=(
            "The port is a custom, not an assignment: each end may listen elsewhere, and a host "
            "behind NAT that is to be reached needs PersistentKeepalive."
        ),
    ),
    _OPENVPN,
    _OPENVPN_TCP,
    _SSTP,
    ProtocolRow(
        name="openconnect",
        title="OpenConnect, Cisco AnyConnect (TLS and DTLS)",
        channels=_tcp(443) + _udp(443),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="draft-mavrogiannopoulos-openconnect",
        tunnel=True,
        note="Over tcp/443 alone it works too, only slower.",
    ),
    _composite(
        "softether",
        "SoftEther VPN",
        (_IKE, _NAT_T, _OPENVPN, _OPENVPN_TCP, _SSTP),
        own=_tcp(992, 5555),
        source="SoftEther VPN Manual 3.3.6 (Listener Ports), defaults of Cedar/Server.h",
        note=(
            "Its own protocol on each of its TCP ports, and the L2TP/IPsec, OpenVPN and SSTP that "
            "it also serves; UDP acceleration takes ports of its own choice beyond these."
        ),
    ),
    ProtocolRow(
        name="ipip",
        title="IP in IP",
        channels=(l4(4),),
        nat=NatBehaviour.SINGLE,
        encryption=Encryption.NONE,
        source="RFC 2003 section 3.1",
        tunnel=True,
        note="Protocol 4, which /etc/protocols calls `ipencap`; its `ipip` is 94.",
    ),
    ProtocolRow(
        name="ipv6-in-ipv4",
        title="IPv6 in IPv4 (6in4, 6to4, 6rd, ISATAP)",
        channels=(l4(41),),
        nat=NatBehaviour.SINGLE,
        encryption=Encryption.NONE,
        source="RFC 4213 section 3.5",
        tunnel=True,
    ),
    ProtocolRow(
        name="etherip",
        title="Ethernet in IP",
        channels=(l4(97),),
        nat=NatBehaviour.SINGLE,
        encryption=Encryption.NONE,
        source="RFC 3378, IANA protocol numbers (97)",
        tunnel=True,
    ),
    ProtocolRow(
        name="vxlan",
        title="Virtual eXtensible Local Area Network",
        channels=_udp(4789),
        nat=NatBehaviour.FREE,
        encryption=Encryption.NONE,
        source="RFC 7348 section 5",
        tunnel=True,
        note=(
            "Each end sends to this port from one of its own choosing, so what comes back is no "
            "reply: the other direction needs a statement too, behind NAT a `forward`."
        ),
    ),
    ProtocolRow(
        name="geneve",
        title="Generic Network Virtualization Encapsulation",
        channels=_udp(6081),
        nat=NatBehaviour.FREE,
        encryption=Encryption.NONE,
        source="RFC 8926 section 3.3",
        tunnel=True,
        note=(
            "Each end sends to this port from one of its own choosing, so what comes back is no "
            "reply: the other direction needs a statement too, behind NAT a `forward`."
        ),
    ),
    ProtocolRow(
        name="tinc",
        title="tinc",
        channels=_tcp(655) + _udp(655),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="IANA port registry (tinc); tinc.conf(5), Port",
        tunnel=True,
    ),
    ProtocolRow(
        name="tailscale",
        title="Tailscale: WireGuard and STUN",
        channels=_udp(41641, 3478),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="Tailscale: What firewall ports should I open to use Tailscale?",
        tunnel=True,
        note=(
            "A direct tunnel is from udp/41641 to whatever port the peer's NAT gave it, so with "
            "these ports alone many fall back to relays, which need `https`."
        ),
    ),
    ProtocolRow(
        name="zerotier",
        title="ZeroTier",
        channels=_udp(9993),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="ZeroTier: Root Server IP Whitelist",
        tunnel=True,
        note="Enough for the root servers; direct paths to peers use UDP to any port.",
    ),
    ProtocolRow(
        name="nebula",
        title="Nebula",
        channels=_udp(4242),
        nat=NatBehaviour.FREE,
        encryption=Encryption.STRONG,
        source="Nebula configuration reference: listen.port",
        tunnel=True,
        note="The custom of lighthouses; roaming hosts listen on any port.",
    ),
    ProtocolRow(
        name="any",
        title="every protocol",
        channels=ANY_L4.items,
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="IANA protocol numbers (0 to 255)",
        note=(
            "What is in it keeps its own behaviour under NAT: AH is dropped on a translated path, "
            "of ESP and its like one host for each peer gets through."
        ),
    ),
    ProtocolRow(
        name="icmp",
        title="Internet Control Message Protocol, both families",
        channels=(l4(ICMP), l4(ICMPV6)),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 792, RFC 4443, RFC 5508 (NAT)",
        note="Errors about a known connection pass without it.",
    ),
    ProtocolRow(
        name="ping",
        title="ICMP echo, both families",
        channels=(_echo_request(ICMP, ICMP_TYPES), _echo_request(ICMPV6, ICMPV6_TYPES)),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 792, RFC 4443 section 4.1, RFC 5508 section 3 (NAT)",
    ),
    ProtocolRow(
        name="ssh",
        title="Secure Shell",
        channels=_tcp(22),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 4253 section 4.1",
    ),
    ProtocolRow(
        name="dns",
        title="Domain Name System",
        channels=_tcp(53) + _udp(53),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 1035 section 4.2",
        note="Without DNS over TLS (853) and over HTTPS.",
    ),
    ProtocolRow(
        name="ntp",
        title="Network Time Protocol",
        channels=_udp(123),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 5905 section 7.2",
    ),
    ProtocolRow(
        name="http",
        title="Hypertext Transfer Protocol",
        channels=_tcp(80),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 9110 section 4.2.1",
    ),
    ProtocolRow(
        name="https",
        title="HTTP over TLS and QUIC",
        channels=_tcp(443) + _udp(443),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 9110 section 4.2.2, RFC 9114 section 3.1",
    ),
    ProtocolRow(
        name="dhcp",
        title="Dynamic Host Configuration Protocol, both families",
        channels=_udp(67, 68, 546, 547),
        nat=NatBehaviour.FREE,
        encryption=Encryption.CONTENT,
        source="RFC 2131 section 4.1, RFC 8415 section 7.2",
    ),
    ProtocolRow(
        name="ftp",
        title="File Transfer Protocol",
        channels=_tcp(21),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.CONTENT,
        source="IANA port registry (ftp), RFC 3027 section 4.1 (NAT)",
        helper="ftp",
        note=(
            "The helper announces the data connections, of which each has a port of its own; it "
            "cannot read FTP over TLS."
        ),
    ),
    ProtocolRow(
        name="tftp",
        title="Trivial File Transfer Protocol",
        channels=_udp(69),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.CONTENT,
        source="RFC 1350 section 4",
        helper="tftp",
        note="The server answers from another port, so no answer arrives without the helper.",
    ),
    ProtocolRow(
        name="sip",
        title="Session Initiation Protocol",
        channels=_tcp(5060) + _udp(5060),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.CONTENT,
        source="RFC 3261 section 19.1.2, RFC 3027 section 4.5 (NAT)",
        helper="sip",
        note=(
            "The helper announces the media flows; it cannot read SIP over TLS, and phones that "
            "see to NAT themselves do better without it."
        ),
    ),
    ProtocolRow(
        name="irc",
        title="Internet Relay Chat",
        channels=_tcp(6667),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.CONTENT,
        source="IANA port registry (ircu), Linux nf_conntrack_irc",
        helper="irc",
        note="Only direct connections between users (DCC) need the helper, which is for IPv4 only.",
    ),
    ProtocolRow(
        name="h323",
        title="H.323: call signalling and RAS",
        channels=_tcp(1720) + _udp(1719),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.CONTENT,
        source=(
            "ITU-T H.323, IANA port registry (h323hostcall, h323gatestat), "
            "RFC 3027 section 4.7 (NAT)"
        ),
        helper="Q.931",
        note="Two helpers of the kernel serve it: `Q.931` on tcp/1720 and `RAS` on udp/1719.",
    ),
    ProtocolRow(
        name="rtsp",
        title="Real-Time Streaming Protocol",
        channels=_tcp(554),
        nat=NatBehaviour.HELPER,
        encryption=Encryption.CONTENT,
        source="RFC 7826 section 4.2, RFC 7825 (NAT)",
        note="No target has a helper for it; media interleaved in its own connection needs none.",
    ),
)
"""All rows, in the order in which they are listed: VPN protocols first."""

BY_NAME: dict[str, ProtocolRow] = {row.name: row for row in TABLE}
