"""What a chain of verdicts sees of the channels that a statement names.

ip6tables-legacy and ipset look through an AH header of IPv6: to them AH around TCP is TCP (kernel
facts, Matching AH). So with IPv6 a pair has two lanes, one for AH and one for everything else, and
each shows a statement only its part of the channels. With IPv4 there is one lane.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunnelgate.flows import Intervals, axes
from tunnelgate_targets.iptables.words import AH, Way, ways


@dataclass(frozen=True, slots=True)
class Lens:
    """One lane: its family, a word for its chains, and whether it sees AH, and the others."""

    family: int
    word: str
    ah: bool
    others: bool

    def ways(self, l4: Intervals) -> tuple[Way, ...]:
        """How to match what this lane sees of a set of channels; none where it sees nothing."""
        if self.others:
            return ways(l4, self.family)
        return (Way(""),) if l4.overlaps(AH) else ()

    def shows(self, protocol: int) -> bool:
        """Whether this lane sees a protocol."""
        return self.ah if protocol == axes.AH else self.others

    def role(self, role: str) -> str:
        """The role of a chain in this lane."""
        return "-".join(word for word in (self.word, role) if word)


IPV4 = Lens(4, "", ah=True, others=True)
IPV6 = Lens(6, "", ah=False, others=True)
IPV6_AH = Lens(6, "ah", ah=True, others=False)
