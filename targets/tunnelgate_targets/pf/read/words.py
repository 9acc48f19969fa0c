"""Words of pf.conf that stand for numbers, and those that are never names.

Sources: pfctl_parser.c of OpenBSD and FreeBSD (`icmp_type`, `icmp_code`), the keyword tables of
both parse.y, /etc/services, /etc/protocols.
"""

from __future__ import annotations

from collections.abc import Mapping

#: The words of both keyword tables that a macro could be called.
KEYWORDS = frozenset(
    {
        "all",
        "anchor",
        "antispoof",
        "any",
        "bitmask",
        "block",
        "code",
        "drop",
        "for",
        "flags",
        "floating",
        "flush",
        "fragment",
        "from",
        "global",
        "group",
        "icmp-type",
        "inet",
        "inet6",
        "in",
        "include",
        "keep",
        "label",
        "limit",
        "load",
        "log",
        "match",
        "max",
        "modulate",
        "nat",
        "no",
        "on",
        "once",
        "os",
        "out",
        "pass",
        "port",
        "prio",
        "probability",
        "proto",
        "queue",
        "quick",
        "random",
        "rdr",
        "return",
        "route",
        "rtable",
        "rule",
        "scrub",
        "set",
        "skip",
        "sloppy",
        "state",
        "synproxy",
        "table",
        "tag",
        "tagged",
        "timeout",
        "to",
        "tos",
        "ttl",
        "user",
        "binat",
        "binat-anchor",
        "rdr-anchor",
        "nat-anchor",
    }
)

PROTOCOLS: Mapping[str, int] = {
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "ipip": 4,
    "tcp": 6,
    "egp": 8,
    "udp": 17,
    "ipv6": 41,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "icmp6": 58,
    "ospf": 89,
    "etherip": 97,
    "pim": 103,
    "ipcomp": 108,
    "vrrp": 112,
    "carp": 112,
    "l2tp": 115,
    "sctp": 132,
    "udplite": 136,
    "pfsync": 240,
}

SERVICES: Mapping[str, int] = {
    "echo": 7,
    "discard": 9,
    "ftp-data": 20,
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "domain": 53,
    "bootps": 67,
    "bootpc": 68,
    "tftp": 69,
    "http": 80,
    "www": 80,
    "kerberos": 88,
    "pop3": 110,
    "sunrpc": 111,
    "auth": 113,
    "ident": 113,
    "ntp": 123,
    "imap": 143,
    "snmp": 161,
    "bgp": 179,
    "https": 443,
    "isakmp": 500,
    "syslog": 514,
    "submission": 587,
    "pip": 321,
    "ircd": 6667,
    "msg-icp": 29,
    "http-alt": 8080,
    "personal-agent": 5555,
    "ipsec-nat-t": 4500,
}

_ICMP = """echorep:0 unreach:3 squench:4 redir:5 althost:6 echoreq:8 routeradv:9 routersol:10
    timex:11 paramprob:12 timereq:13 timerep:14 inforeq:15 inforep:16 maskreq:17 maskrep:18
    trace:30 dataconv:31 mobredir:32 ipv6-where:33 ipv6-here:34 mobregreq:35 mobregrep:36 skip:39
    photuris:40"""
_ICMP6 = """unreach:1 toobig:2 timex:3 paramprob:4 echoreq:128 echorep:129 groupqry:130 listqry:130
    grouprep:131 listenrep:131 groupterm:132 listendone:132 routersol:133 routeradv:134
    neighbrsol:135 neighbradv:136 redir:137 routrrenum:138 wrureq:139 niqry:139 fqdnreq:139
    wrurep:140 nirep:140 fqdnrep:140 mtraceresp:200 mtrace:201"""
_CODES = {
    3: """net-unr:0 host-unr:1 proto-unr:2 port-unr:3 needfrag:4 srcfail:5 net-unk:6 host-unk:7
        isolate:8 net-prohib:9 host-prohib:10 net-tos:11 host-tos:12 filter-prohib:13
        host-preced:14 cutoff-preced:15""",
    5: "redir-net:0 redir-host:1 redir-tos-net:2 redir-tos-host:3",
    9: "normal-adv:0 common-adv:16",
    11: "transit:0 reassemb:1",
    12: "badhead:0 optmiss:1 badlen:2",
    40: "unknown-ind:1 auth-fail:2 decrypt-fail:3",
}
_CODES6 = {
    1: "noroute-unr:0 admin-unr:1 notnbr-unr:2 beyond-unr:2 addr-unr:3 port-unr:4",
    3: "transit:0 reassemb:1",
    4: "badhead:0 nxthdr:1",
    137: "redironlink:0 redirrouter:1",
}


def _table(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (part.partition(":") for part in text.split())}


#: By family: names of types, and of the codes of each type.
ICMP_TYPES: Mapping[int, Mapping[str, int]] = {4: _table(_ICMP), 6: _table(_ICMP6)}
ICMP_CODES: Mapping[int, Mapping[int, Mapping[str, int]]] = {
    4: {kind: _table(text) for kind, text in _CODES.items()},
    6: {kind: _table(text) for kind, text in _CODES6.items()},
}
