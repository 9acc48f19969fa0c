"""An expectation, and whether it holds."""

from __future__ import annotations

from tunnelgate.meaning.expect import Failure
from tunnelgate.policy import Statement
from tunnelgate.policy.model import Expect
from tunnelgate.records import record


@record
class Result:
    """An expectation of a gateway; `failure` is None where it holds."""

    gateway: str
    expect: Expect
    failure: Failure | None

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Who decides about the packet that shows a failure: the verdict, then the translation."""
        outcome = None if self.failure is None else self.failure.outcome
        if outcome is None:
            return ()
        found = (outcome.statement, outcome.translator if outcome.delivered else None)
        return tuple(dict.fromkeys(one for one in found if one is not None))
