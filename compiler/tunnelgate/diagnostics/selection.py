"""Which rules a run is about, by codes or by what codes begin with: `TG5`, `TG607`."""

from __future__ import annotations

from collections.abc import Iterable

from tunnelgate.diagnostics import catalogue
from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.records import record


@record
class Selection:
    """What is shown of warnings and advice; an error always is, whatever is selected.

    Attributes:
        select: what codes have to begin with, one of these; anything where empty.
        ignore: what they may not begin with; this goes first.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def shows(self, finding: Diagnostic) -> bool:
        """Whether a finding is shown."""
        code = finding.rule.code
        if finding.is_error:
            return True
        return code.startswith(self.select or "TG") and not code.startswith(self.ignore)


def read(words: Iterable[str]) -> tuple[str, ...]:
    """Codes and beginnings of codes, of words that may hold several with commas between.

    Raises:
        UnknownCode: no code begins with one.
    """
    found = tuple(one.strip().upper() for word in words for one in word.split(",") if one.strip())
    codes = catalogue.rules() if found else {}
    for one in found:
        if not any(code.startswith(one) for code in codes):
            raise UnknownCode(one)
    return found


class UnknownCode(ValueError):
    """A word that no code begins with; `help` says what was probably meant."""

    def __init__(self, word: str) -> None:
        super().__init__(f"no rule's code begins with `{word}`")
        close = catalogue.nearest(word)
        rule = catalogue.find(close) if close else None
        self.help = (
            f"did you mean `{rule.code}`?"
            if rule
            else "write a code as `TG607`, or what several begin with, as `TG6`"
        )
