"""What a ruleset needs of its gateway: modules of the kernel, and versions."""

from __future__ import annotations

from tunnelgate.plan import Plan
from tunnelgate_targets import kernel
from tunnelgate_targets.kernel import Row
from tunnelgate_targets.nftables import since

#: The oldest kernel that is supported (nf_tables of it takes all that is emitted).
_LINUX = "5.10"
#: The oldest that was asked about sets and maps that hold zones.
_LINUX_WITH_ZONES = "6.1"
#: One row a feature.
ROWS = (
    Row(r"^table inet", "nf_tables", "NF_TABLES"),
    Row(r"\btype nat hook", "nft_chain_nat", "NFT_NAT"),
    Row(r"\bct (state|status|direction|original|helper|zone) ", "nft_ct", "NFT_CT"),
    Row(r"\bct count over", "nft_connlimit", "NFT_CONNLIMIT"),
    Row(r"\bfib ", "nft_fib_inet", "NFT_FIB_INET"),
    Row(r"\blimit rate|^\tlimit ", "nft_limit", "NFT_LIMIT"),
    Row(r"\blog prefix", "nft_log", "NFT_LOG"),
    Row(r"\blog prefix", "nf_log_syslog", "NF_LOG_SYSLOG"),
    Row(r"\bmasquerade", "nft_masq", "NFT_MASQ"),
    Row(r"\b[ds]nat ip", "nft_nat", "NFT_NAT"),
    Row(r"\bnumgen ", "nft_numgen", "NFT_NUMGEN"),
    Row(r"\breject with", "nft_reject_inet", "NFT_REJECT_INET"),
)


def autoloaded(plan: Plan, ruleset: str) -> tuple[str, ...]:
    """The modules that the kernel loads with a ruleset, where it has them as modules."""
    found = kernel.modules(ROWS, ruleset) | kernel.helpers(plan, "conntrack")
    return tuple(sorted(found))


def versions(ruleset: str) -> tuple[tuple[str, str], ...]:
    """The oldest kernel, and the oldest nft that takes a ruleset."""
    nft = since.oldest(ruleset)
    linux = _LINUX_WITH_ZONES if nft == since.TRACKING.since else _LINUX
    return ("linux", linux), ("nft", nft)
