"""Runs every check on a policy."""

from __future__ import annotations

from operator import attrgetter

from tunnelgate.check.context import Context
from tunnelgate.check.rules import CHECKS
from tunnelgate.diagnostics import Diagnostic, Severity
from tunnelgate.policy import Policy
from tunnelgate.syntax.uncollected import uncollected


def check(policy: Policy) -> list[Diagnostic]:
    """All findings about a resolved policy, in the order in which people read.

    Where there is an error there is no advice: mending the error changes what it is about.
    """
    with uncollected():
        context = Context(policy)
        found = [finding for one in CHECKS for finding in one(context)]
        wrong = {finding.primary.span for finding in found if finding.is_error}
        found = [
            finding
            for finding in found
            if finding.severity is not Severity.ADVICE or finding.primary.span not in wrong
        ]
        return sorted(found, key=attrgetter("sort_key"))
