"""What was given from outside: names, values, places. What they mean, the policy says."""

from __future__ import annotations

from collections.abc import Mapping

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.records import field, record
from tunnelgate.source import SourceFile, Span


@record
class Value:
    """One value, or a list of them, under a name.

    Attributes:
        name: where the name stands.
        span: where the value stands.
        plain: what the file says: a text, a number, a list of them, or what is wrong here.
        items: where the members of a list stand; empty for what is none.
        is_text: whether it was given as text alone, as `--set` does, so that `1` may be a number
            and `a,b` a list.
    """

    name: Span
    span: Span
    plain: object
    items: tuple[Span, ...] = ()
    is_text: bool = False


@record
class Variables:
    """All that was given for one compilation.

    Attributes:
        values: by the name of the parameter.
        files: what they were read from.
        diagnostics: what could not be read.
        name: what the set of values is called, e.g. the name of its file; "" for none.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    files: tuple[SourceFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    name: str = ""


class Word(str):
    """A word without quotes in a format that knows such: what it is, its parameter says."""

    __slots__ = ()


class Malformed(Exception):
    """A file of variables that cannot be read as one, from the character `at` on."""

    def __init__(self, message: str, at: int, help: str = "mend it there") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.help = help


NONE = Variables()
"""Nothing was given: the defaults of the policy are its values."""
