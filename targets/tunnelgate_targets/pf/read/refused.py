"""Why a pf.conf is not read."""

from __future__ import annotations


class Refused(ValueError):
    """A text that is no pf.conf of this dialect, or says what the reader does not model.

    Nothing is guessed: a ruleset is read whole or not at all.

    Attributes:
        reason: one clause, with the words of the text in backticks.
        line: where it stands, from 1.
    """

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"line {line}: {reason}")
        self.reason = reason
        self.line = line
