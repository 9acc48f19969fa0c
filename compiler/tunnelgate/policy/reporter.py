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
        self._origins: dict[Span, Label] = {}

    def stands_for(self, span: Span, value: Label) -> None:
        """Note that a parameter stands at a place, and where its value comes from.

        A finding about the place then shows both, and no fix: it would mend the wrong one.
        """
        self._origins[span] = value

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
        if span in self._origins:
            labels, fix = (*labels, self._origins[span]), None
        self.diagnostics.append(
            Diagnostic(rule, message, Label(span, text), tuple(labels), help=help, fix=fix)
        )

    def bad_value(
        self, rule: Rule, span: Span, error: BadValue, labels: Iterable[Label] = ()
    ) -> None:
        """Add the finding about a word that is no value of its kind."""
        self.say(
            rule,
            span,
            error.message,
            error.help,
            labels=labels,
            replace=error.fix,
            safety=Safety.UNSAFE,
        )

    def unknown(
        self,
        rule: Rule,
        span: Span,
        word: str,
        what: str,
        known: Iterable[str],
        hint: str,
        *,
        mends: bool = True,
        meant: str | None = None,
    ) -> None:
        """Add the finding about a name that nobody has, with the nearest one that somebody has.

        With `mends` the nearest one may be written in its place; a `$` before it is kept. `meant`
        is what it is called here, if that is known.
        """
        close = meant or nearest(word, known)
        sign = "$" if span.text == f"${word}" else ""
        self.say(
            rule,
            span,
            f"unknown {what} `{sign}{word}`",
            f"did you mean `{sign}{close}`?" if close else hint,
            replace=f"{sign}{close}" if close and mends else None,
            safety=Safety.UNSAFE,
        )
