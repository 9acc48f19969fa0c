"""What else to ask about packets that nothing allows: what a statement near them is about."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.cli.changes.lines import by_statements
from tunnelgate.flows import axes
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import Reason
from tunnelgate.meaning.explain import Case
from tunnelgate.meaning.naming import Places
from tunnelgate.policy import Policy


class Hints:
    """The statements of a policy that packets may seem to be of and are not."""

    def __init__(self, policy: Policy, places: Places) -> None:
        self.forwards, self.places = policy.forwards, places
        self.announced = [
            (rule, rule.protocols.l4 - rule.l4) for rule in policy.rules if rule.options.helper
        ]

    def of(self, case: Case, *, is_narrow: bool) -> Iterator[str]:
        """Why packets are denied that somebody could take for allowed, a clause each.

        A case in several boxes is of a wide question, whose other cases tell the statements. So
        does one to a whole zone (not `is_narrow`) of its forwards.
        """
        if case.reason is Reason.NOT_ALLOWED and len(case.boxes) == 1:
            yield from self._forwarded(case) if is_narrow else ()
            yield from self._announced(case)

    def _forwarded(self, case: Case) -> Iterator[str]:
        """A `forward` is about the public address, not about the host itself."""
        (box,) = case.boxes
        found = [
            (forward, entry.addresses & axes.family_axis(case.family))
            for forward in self.forwards
            if forward.target in box[DESTINATION] and forward.l4.overlaps(box[L4])
            for entry in forward.entries
            if entry.zone.name == case.arrival.zone and entry.sources.overlaps(box[SOURCE])
        ]
        public = Intervals.union_of(addresses for _, addresses in found)
        if public:
            named = by_statements(tuple(dict.fromkeys(forward for forward, _ in found)))
            addresses = ", ".join(self.places.address(low) for low, _ in public)
            yield f"sent to {addresses} it would be forwarded, by {named}"

    def _announced(self, case: Case) -> Iterator[str]:
        """What a helper expects passes, and begins nothing by itself: the GRE of PPTP."""
        (box,) = case.boxes
        found = tuple(
            rule
            for rule, l4 in self.announced
            if box[L4] <= l4
            and rule.source.addresses(case.home).overlaps(box[SOURCE])
            and rule.destination.addresses(case.egress).overlaps(box[DESTINATION])
        )
        if found:
            yield f"announced by a connection it would pass, by {by_statements(found)}"
