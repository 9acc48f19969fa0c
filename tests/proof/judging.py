"""Whether a text is proved, for tests that change it."""

from __future__ import annotations

from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.policy import Policy
from tunnelgate.proof import Refuted, refutations
from tunnelgate.target import Layout, find


def refuted(policy: Policy, text: str, layout: Layout = "whole") -> list[Refuted]:
    """What a ruleset of nftables does otherwise than its policy."""
    rulesets = find("nftables").read({"ruleset.nft": text})  # type: ignore[attr-defined]
    return list(refutations(policy, rulesets, whole=layout == "whole"))


def is_caught(policy: Policy, text: str, layout: Layout = "whole") -> bool:
    """Whether a text is refuted, or refused because nobody can say what it means."""
    try:
        return bool(refuted(policy, text, layout))
    except (Unmodelled, ValueError):
        return True
