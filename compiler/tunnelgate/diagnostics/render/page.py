"""The page of one rule: as text for the terminal, as Markdown for docs/rules."""

from __future__ import annotations

from textwrap import dedent, indent

from tunnelgate.diagnostics.render.wrap import wrap
from tunnelgate.diagnostics.rule import Rule


def text(rule: Rule, width: int = 100) -> str:
    """The page as `tunnelgate rule TG201` shows it."""
    margin = "  "
    parts = [
        f"{rule.code} {rule.name} ({rule.severity.value})\n" + _paragraphs(rule.summary, width),
        "why\n" + indent(_paragraphs(rule.why, width - len(margin)), margin),
        "source\n" + indent(_paragraphs(rule.source, width - len(margin)), margin),
        "bad\n" + indent(_example(rule.bad), margin),
        "good\n" + indent(_example(rule.good), margin),
    ]
    return "\n\n".join(parts) + "\n"


def markdown(rule: Rule) -> str:
    """The page as it is committed to docs/rules."""
    parts = [
        "<!-- Generated from the rule's definition: change it there. -->",
        f"# {rule.code} {rule.name}",
        f"{rule.severity.value.capitalize()}: {rule.summary}.",
        "## Why",
        dedent(rule.why).strip(),
        f"Source: {rule.source}",
        "## Bad",
        f"```\n{_example(rule.bad)}\n```",
        "## Good",
        f"```\n{_example(rule.good)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _paragraphs(words: str, width: int) -> str:
    return "\n\n".join("\n".join(wrap(words, width)) for words in dedent(words).split("\n\n"))


def _example(policy: str) -> str:
    return dedent(policy).strip("\n").rstrip()
