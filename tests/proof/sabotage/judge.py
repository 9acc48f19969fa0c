"""What becomes of a mutant: whether the proof notices, and who agrees where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from judging import SecondOpinion, read, refuted
from smt import Undecided

from sabotage import TARGETS
from sabotage.mutant import Mutant
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.policy import Policy
from tunnelgate.target import Layout

#: So many packets are walked through a mutant that the proof leaves alone.
_PACKETS = 150


class Verdict(Enum):
    """What the proof says of a mutant."""

    REFUTED = "refuted"
    REFUSED = "refused"
    SAME = "same"


class Outcome(NamedTuple):
    """A verdict, whether z3 had one too, and a packet that denies it; nothing may."""

    verdict: Verdict
    is_asked_twice: bool = False
    denied_by: object = None


class Judge:
    """Of the mutants of one ruleset."""

    def __init__(
        self, policy: Policy, target: str, files: Mapping[str, str], layout: Layout = "whole"
    ) -> None:
        self.policy = policy
        self.target = target
        self.layout = layout
        self.original = read(target, files)
        self.opinion = SecondOpinion()

    def outcome(self, mutant: Mutant) -> Outcome:
        about = self.policy, self.target, mutant.files, self.layout
        try:
            if refuted(*about, most=1):
                return Outcome(Verdict.REFUTED)
        except (Unmodelled, ValueError):
            return Outcome(Verdict.REFUSED)
        try:
            denied = next(iter(self.opinion.refuted(*about)), None)
        except Undecided:
            return Outcome(Verdict.SAME, False, self._walked(mutant))
        return Outcome(Verdict.SAME, True, denied or self._walked(mutant))

    def _walked(self, mutant: Mutant) -> object:
        changed = read(self.target, mutant.files)
        told_apart = TARGETS[self.target].told_apart
        return told_apart(self.policy, self.original, changed, _PACKETS)
