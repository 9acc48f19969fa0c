"""Reads a pf.conf: text to typed ruleset, as pfctl would load it.

It shares no code with the emitter, so that neither can hide the other's mistake. What it does not
model it refuses by line and reason:

>>> from tunnelgate_targets.pf.read import Dialect, read
>>> text = "nets = \\"{ 10.0.0.0/8, 192.168.0.0/16 }\\"\\npass in from $nets\\n"
>>> [rule.criteria.source.address for rule in read(text, Dialect.MODERN).rules]
[Span(interval=(167772160, 184549375)), Span(interval=(3232235520, 3232301055))]
>>> read("pass in\\npass in user root\\n", Dialect.MODERN)
Traceback (most recent call last):
    ...
tunnelgate_targets.pf.read.refused.Refused: line 2: `user` is not modelled
"""

from __future__ import annotations

import re

from tunnelgate_targets.pf.read.interpret import Interpreter
from tunnelgate_targets.pf.read.lexis import plain
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import Dialect, Ruleset
from tunnelgate_targets.pf.read.statements import statements

__all__ = ["read", "Dialect", "Refused", "Ruleset"]

#: Statements that are no part of the grammar.
_UNKNOWN = re.compile(r"^[ \t]*(altq|queue|ether|include|dummynet|pipe)\b", re.MULTILINE)


def read(text: str, dialect: Dialect) -> Ruleset:
    """The ruleset of a text.

    Raises:
        Refused: pfctl would not load it, or it says what is not modelled.
    """
    if dialect is Dialect.MODERN and text and not text.endswith("\n"):
        text += "\n"  # the classic pfctl does not
    source = plain(text)
    unknown = _UNKNOWN.search(source.text)
    if unknown is not None:
        line = source.text[: unknown.start()].count("\n") + 1
        raise Refused(f"`{unknown[1]}` is not modelled", line)
    return Interpreter(dialect).ruleset(statements(source.text), source.macros)
