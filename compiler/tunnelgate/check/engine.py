"""Runs every check on a policy."""

from __future__ import annotations

from operator import attrgetter

from tunnelgate.check.context import Context
from tunnelgate.check.rules import CHECKS
from tunnelgate.diagnostics import Diagnostic
from tunnelgate.policy import Policy
from tunnelgate.syntax.uncollected import uncollected


def check(policy: Policy) -> list[Diagnostic]:
    """All findings about a resolved policy, in the order in which people read."""
    with uncollected():
        context = Context(policy)
        found = [finding for one in CHECKS for finding in one(context)]
        return sorted(found, key=attrgetter("sort_key"))
