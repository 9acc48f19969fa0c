"""What rulesets need of their gateway: modules of the kernel, and versions.

Whichever flavour loads them, they use the same extensions; the tables themselves are `iptable_…`
and `ip6table_…` with the legacy one, and `nf_tables` with `nft_compat` with the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tunnelgate.plan import Plan
from tunnelgate.target import Layout
from tunnelgate_targets import kernel
from tunnelgate_targets.iptables.refuse import oldest
from tunnelgate_targets.kernel import Row

#: The oldest ipset that knows all options that are written, tried.
_IPSET = "7.5"
_MATCHES = (
    *("addrtype", "comment", "connlimit", "conntrack", "hashlimit", "helper"),
    *("hl", "limit", "multiport", "policy", "u32"),
)
#: One row a feature.
ROWS = (
    *(Row(rf" -m {one} ", f"xt_{one}", f"NETFILTER_XT_MATCH_{one.upper()}") for one in _MATCHES),
    Row(r" -m set ", "xt_set", "NETFILTER_XT_SET"),
    Row(r" -m ah ", "ip6t_ah", "IP6_NF_MATCH_AH"),
    Row(r" --[sd]port ", "xt_tcpudp", "NETFILTER_XTABLES"),
    Row(r" -j CT ", "xt_CT", "NETFILTER_XT_TARGET_CT"),
    Row(r" -j LOG ", "xt_LOG", "NETFILTER_XT_TARGET_LOG"),
    Row(r" -j LOG ", "nf_log_syslog", "NF_LOG_SYSLOG"),
    Row(r" -j MASQUERADE", "xt_MASQUERADE", "NETFILTER_XT_TARGET_MASQUERADE"),
    Row(r" -j [DS]NAT ", "xt_nat", "NETFILTER_XT_NAT"),
    Row(r" -j REJECT --reject-with (icmp-|tcp-)", "ipt_REJECT", "IP_NF_TARGET_REJECT"),
    Row(r" -j REJECT --reject-with (icmp6-|tcp-)", "ip6t_REJECT", "IP6_NF_TARGET_REJECT"),
    Row(r" -j TCPMSS ", "xt_TCPMSS", "NETFILTER_XT_TARGET_TCPMSS"),
    *(
        Row(
            rf"^create \S+ {kind} ",
            f"ip_set_{kind.replace(':', '_').replace(',', '')}",
            f"IP_SET_{kind.replace(':', '_').replace(',', '').upper()}",
        )
        for kind in (
            *("hash:ip", "hash:net", "hash:ip,port", "hash:net,port", "hash:net,net"),
            *("hash:ip,port,ip", "hash:ip,port,net", "hash:net,port,net"),
        )
    ),
)
#: Kinds of sets that small kernels leave out, where all others are.
RARE = frozenset({"ip_set_hash_netnet", "ip_set_hash_netportnet"})


def autoloaded(plan: Plan, files: Mapping[str, str]) -> tuple[str, ...]:
    """The modules that the kernel loads with these files, where it has them as modules."""
    found = kernel.helpers(plan, "conntrack")
    for text in files.values():
        found |= kernel.modules(ROWS, text)
    return tuple(sorted(found))


def versions(plan: Plan, files: Mapping[str, str], layout: Layout) -> tuple[tuple[str, str], ...]:
    """The oldest iptables that takes these files, and the oldest ipset where there are sets."""
    has_sets = any(re.search(r"^create ", text, re.MULTILINE) for text in files.values())
    return ("iptables", oldest(plan, layout)), *((("ipset", _IPSET),) if has_sets else ())
