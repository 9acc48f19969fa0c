"""What a ruleset does otherwise than its policy means."""

from __future__ import annotations

from dataclasses import dataclass

from tunnelgate.flows.firstmatch import Difference
from tunnelgate.proof.world import Way


@dataclass(frozen=True, slots=True)
class Refuted:
    """Flows that a ruleset treats otherwise than its policy means.

    Attributes:
        obligation: `O1` to `O5`.
        situation: which packets they are, in words.
        family: 4 or 6.
        way: how the packets arrive.
        difference: the flows, and the rows of policy and ruleset that decide.
    """

    obligation: str
    situation: str
    family: int
    way: Way
    difference: Difference
