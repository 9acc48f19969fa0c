"""Which comments the base of a change has already: only these may silence."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from tunnelgate.silencing import ignores
from tunnelgate.silencing.ignores import Ignore, Trust
from tunnelgate.source import SourceFile


class _Known(NamedTuple):
    """What makes a comment the same in two versions of a file, wherever it stands."""

    codes: frozenset[str]
    reason: str
    until: str
    zone: str
    statement: str


def of_base(base: Callable[[str], SourceFile | None]) -> Trust:
    """Trust in what the base has: the same words, about the same statement of the same file.

    Args:
        base: a file as it is in the base, by its path; None where it is not there.
    """

    @cache
    def known(path: str) -> frozenset[_Known]:
        file = base(path)
        found = () if file is None else ignores.find(file)
        return frozenset(_known(one) for one in found if isinstance(one, Ignore))

    return lambda ignore: _known(ignore) in known(ignore.span.file.path)


def _known(ignore: Ignore) -> _Known:
    return _Known(
        frozenset(code.text for code in ignore.codes),
        ignore.reason,
        str(ignore.until),
        ignore.statement.zone if ignore.statement else "",
        ignore.statement.text if ignore.statement else "",
    )
