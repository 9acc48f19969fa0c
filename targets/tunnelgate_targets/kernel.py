"""What of the Linux kernel a ruleset uses: a row for each feature, found in the text itself.

The kernel loads each module when the ruleset asks for it, by an alias that its source declares
(MODULE_ALIAS_NFT_EXPR, _NFT_CHAIN and _NFNL_SUBSYS for nf_tables, `ipt_…` and `ip6t_…` for
x_tables, `ip_set_…` for sets, MODULE_ALIAS_NFCT_HELPER for helpers). A kernel that was made small
has to have it. What nothing loads stands in `Requirements.modules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tunnelgate.plan import Plan

#: What comes from a policy: strings, and comments behind `#`.
_OWN_WORDS = re.compile(r'"[^"\n]*"|#[^\n]*')
#: Elements of sets, a line each: most of a large text, and no feature.
_ELEMENTS = re.compile(r"^\s+[0-9][^\n]*", re.MULTILINE)
#: The kernel calls two helpers by other names than their module.
_HELPERS: Mapping[str, str] = {"Q.931": "h323", "RAS": "h323"}


class Row(NamedTuple):
    """A feature: how a text shows that it is used, the module, and the kernel's option for it."""

    sign: str
    module: str
    option: str


def modules(rows: Iterable[Row], text: str) -> set[str]:
    """The modules that a text uses; words of a policy in it are none of the ruleset's."""
    bare = _OWN_WORDS.sub('""', _ELEMENTS.sub("", text))
    return {row.module for row in rows if re.search(row.sign, bare, re.MULTILINE)}


def helpers(plan: Plan, kind: str) -> set[str]:
    """The modules `nf_conntrack_…` or `nf_nat_…` (`kind`) of a plan's helpers."""
    return {f"nf_{kind}_{_HELPERS.get(one.name, one.name)}" for one in plan.helpers}
