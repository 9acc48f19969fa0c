"""Runs every check on a policy."""

from __future__ import annotations

from operator import attrgetter

from tunnelgate.check.context import Context
from tunnelgate.check.rules import CHECKS, RULES
from tunnelgate.diagnostics import Diagnostic, Severity
from tunnelgate.policy import Policy
from tunnelgate.syntax.uncollected import uncollected


def check(policy: Policy, *, errors_alone: bool = False) -> list[Diagnostic]:
    """All findings about a resolved policy, in the order in which people read.

    Where there is an error there is no advice: mending the error changes what it is about.

    Args:
        policy: the policy.
        errors_alone: the rules are run that can find an error; a finding is never worse than its
            rule.
    """
    with uncollected():
        context = Context(policy)
        found = [
            finding
            for rule, one in zip(RULES, CHECKS, strict=True)
            if rule.severity is Severity.ERROR or not errors_alone
            for finding in one(context)
        ]
        wrong = {finding.primary.span for finding in found if finding.is_error}
        found = [
            finding
            for finding in found
            if finding.severity is not Severity.ADVICE or finding.primary.span not in wrong
        ]
        return sorted(found, key=attrgetter("sort_key"))
