"""Which version of nft an output needs, and for which statement.

Measured: each construct was loaded by nft 0.8.5 to 1.1.7 on one kernel, and what the kernel held
then was listed by one of them. From 0.9.7 on all get the same, but for hosts told apart by SPI;
older ones refuse, or, with maps of ranges, get it wrong. The output itself is looked at: it knows
best what stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.targets import too_old
from tunnelgate.plan import Plan
from tunnelgate.target import is_older, release
from tunnelgate_targets.nftables.quote import MAX_COMMENT, cut, plain

_SET = re.compile(
    r"^\t(set|map) \S+ \{\n\t\t(type|typeof) ([^\n]*)\n(.*?)^\t\}", re.MULTILINE | re.DOTALL
)
_ELEMENT_OF = re.compile(r" # (.*)$", re.MULTILINE)
_RULE_OF = re.compile(r'comment "([^"]*)"')
_RANGE = re.compile(r"\{[^}]*\d-\d[^}]*\}")


class Need(NamedTuple):
    """What came with a version; `what` has its verb."""

    since: str
    what: str


ANY = Need("0.9.1", "tables that translate for both families need")
PORTS = Need("0.9.2", "ports of any protocol (`th dport`) need")
TYPEOF = Need("0.9.4", "sets that are declared by what they hold (`typeof`) need")
RANGES = Need("0.9.5", "ranges in sets of several values need")
MAPS = Need("0.9.7", "ranges in maps of several values need")
#: 1.0.2 refuses a zone among other values. 1.0.4 and 1.0.5 take it, but a rule that fills a map
#: (`update @claims { ip saddr timeout 1s : ct zone }`) loses its timeout; 1.0.3 was not tried.
TRACKING = Need("1.0.6", "hosts that are told apart by SPI need")


def refuse(plan: Plan, ruleset: str, stated: str) -> Iterator[Diagnostic]:
    """A finding for each thing that the stated version of nft does not know, where it is first."""
    first: dict[Need, str] = {}
    for need, text in _needs(ruleset):
        first.setdefault(need, text)
    spans = {cut(plain(one.text), MAX_COMMENT): one.span for one in plan.origins()}
    for need, text in sorted(first.items()):
        if is_older(stated, need.since):
            # what is made of many statements, or of none, is there for the first zone
            span = spans.get(cut(text, MAX_COMMENT), plan.links[0].origin.span)
            yield too_old("nftables", stated, need.what, need.since, span)


def oldest(ruleset: str) -> str:
    """The oldest nft that takes a ruleset."""
    return max((need.since for need, _ in _needs(ruleset)), key=lambda one: release(one) or ())


def _needs(ruleset: str) -> Iterator[tuple[Need, str]]:
    """What a ruleset needs, and the statement that needs it; "" where none says so."""
    yield ANY, ""
    for kind, word, key, body in _SET.findall(ruleset):
        about = _ELEMENT_OF.search(body)
        text = about[1] if about else ""
        if word == "typeof":
            yield TYPEOF, text
        if key.endswith(": ct zone") and text:
            yield TRACKING, text
        if "flags interval" in body and " . " in key:
            yield (MAPS if kind == "map" else RANGES), text
    for line in ruleset.splitlines():
        if " goto esp-from-host " in line:
            about = _RULE_OF.search(line)
            yield TRACKING, about[1] if about else ""
        if " th dport" in line and "typeof" not in line:
            about = _RULE_OF.search(line)
            text = about[1] if about else ""
            yield PORTS, text
            if _RANGE.search(line):
                yield RANGES, text
