"""How many findings there are of each severity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tunnelgate.diagnostics.diagnostic import Diagnostic
from tunnelgate.diagnostics.rule import Severity

_PLURALS = {
    Severity.ERROR: "errors",
    Severity.WARNING: "warnings",
    Severity.ADVICE: "advice",
}


def counts(diagnostics: Iterable[Diagnostic]) -> dict[str, int]:
    """The number of `errors`, `warnings` and `advice`, the worst first, zeros included."""
    found = Counter(diagnostic.severity for diagnostic in diagnostics)
    return {plural: found[severity] for severity, plural in _PLURALS.items()}


def summary(diagnostics: Iterable[Diagnostic], silenced: int = 0) -> str:
    """The line below a report: `2 errors, 1 warning`; `no findings` where there are none.

    How many were silenced is told too, where any was.
    """
    found = Counter(diagnostic.severity for diagnostic in diagnostics)
    parts = [
        f"{found[severity]} {severity.value if found[severity] == 1 else plural}"
        for severity, plural in _PLURALS.items()
        if found[severity]
    ]
    said = ", ".join(parts) or "no findings"
    return f"{said} ({silenced} silenced)" if silenced else said
