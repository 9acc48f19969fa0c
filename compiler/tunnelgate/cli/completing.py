"""What a shell offers for words that are neither flags nor files: names of the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import click
from click.shell_completion import CompletionItem

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(known: Callable[[], Mapping[str, str]]) -> Completer:
    """Offers what `known` knows, each with a word about it; looked up when a shell asks."""

    def complete(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        return [
            CompletionItem(name, help=about)
            for name, about in known().items()
            if name.lower().startswith(begun.lower())
        ]

    return complete


def _rules() -> Mapping[str, str]:
    from tunnelgate.diagnostics import catalogue

    return {code: rule.summary for code, rule in catalogue.rules().items()}


def _protocols() -> Mapping[str, str]:
    from tunnelgate.policy.table import TABLE

    return _without_help(row.name for row in TABLE)


def _targets() -> Mapping[str, str]:
    from tunnelgate.target import BUILT_IN

    return _without_help(BUILT_IN)


def _without_help(names: Iterable[str]) -> Mapping[str, str]:
    return dict.fromkeys(names, "")


complete_rules = _completer(_rules)
complete_protocols = _completer(_protocols)
complete_targets = _completer(_targets)
