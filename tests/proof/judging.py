"""Whether a ruleset is proved, for tests that change its text."""

from __future__ import annotations

from collections.abc import Mapping

from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.policy import Policy
from tunnelgate.proof import Refuted, refutations
from tunnelgate.target import Layout, find


def refuted(
    policy: Policy, target: str, files: Mapping[str, str], layout: Layout = "whole"
) -> list[Refuted]:
    """What the files of a target do otherwise than their policy."""
    rulesets = find(target).read(files)  # type: ignore[attr-defined]
    return list(refutations(policy, rulesets, whole=layout == "whole"))


def is_caught(
    policy: Policy, target: str, files: Mapping[str, str], layout: Layout = "whole"
) -> bool:
    """Whether a ruleset is refuted, or refused because nobody can say what it means."""
    try:
        return bool(refuted(policy, target, files, layout))
    except (Unmodelled, ValueError):
        return True
