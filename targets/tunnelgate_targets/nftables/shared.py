"""The shared layout: side by side with tables of others.

Each base chain first lets go what uses an interface of no zone, and has the policy accept: what is
not between two zones, or between a zone and the gateway, is none of this table's business.

A drop is final and an accept ends its own base chain alone, so the order of filters decides
nothing. The first chain that translates a connection is the only one (`nf_nat_inet_fn` of the
kernel), so ours stand ten before the usual priorities: Docker and fw4 use these, firewalld ten
behind them. A source that the policy does not translate is translated to itself, or a chain behind
ours would.
"""

from __future__ import annotations

#: What is added to each priority but the last: nothing that is known stands there.
BEFORE = " - 10"

CAVEATS = (
    (
        "what another table drops is dropped, whatever this one accepts: an accept ends the chains "
        "of its own table, and a chain of others may drop all that it does not know, as Docker's "
        "FORWARD"
    ),
    (
        "a port that others publish is theirs unless the policy forwards it: what they translate "
        "to an interface of no zone is not the policy's business any more"
    ),
    (
        "a chain of others below the priorities dstnat - 10 and srcnat - 10 translates first, and "
        "what others exempt from connection tracking is not translated at all"
    ),
    "a flowtable of others carries established connections past every chain",
)

#: Behind the translations of the policy: what it does not translate stays as it is.
KEEP_SOURCE = (
    'snat ip to ip saddr comment "no translation by others"',
    'snat ip6 to ip6 saddr comment "no translation by others"',
)
