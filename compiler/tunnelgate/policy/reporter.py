"""Where the policy room puts its findings while it goes on."""

from __future__ import annotations

from collections.abc import Iterable

from tunnelgate.diagnostics import Diagnostic, Edit, Fix, Label, Rule, Safety
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.policy.values import BadValue
from tunnelgate.source import Span


class Reporter:
    """Collects findings; the resolver goes on behind each of them."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def say(
        self,
        rule: Rule,
        span: Span,
        message: str,
        help: str,
        *,
        text: str = "",
        labels: Iterable[Label] = (),
        replace: str | None = None,
        safety: Safety = Safety.SAFE,
    ) -> None:
        """Add a finding; `replace` is what should stand at the place instead."""
        fix = None if replace is None else Fix((Edit(span, replace),), safety)
        self.diagnostics.append(
            Diagnostic(rule, message, Label(span, text), tuple(labels), help=help, fix=fix)
        )

    def bad_value(self, rule: Rule, span: Span, error: BadValue) -> None:
        """Add the finding about a word that is no value of its kind."""
        self.say(rule, span, error.message, error.help, replace=error.fix, safety=Safety.UNSAFE)

    def unknown(
        self, rule: Rule, span: Span, word: str, what: str, known: Iterable[str], hint: str
    ) -> None:
        """Add the finding about a name that nobody has, with the nearest one that somebody has."""
        close = nearest(word, known)
        help = f"did you mean `{close}`?" if close else hint
        self.say(rule, span, f"unknown {what} `{word}`", help, replace=close, safety=Safety.UNSAFE)
