"""The page of one rule: as text for the terminal, as Markdown for docs/rules; and their index."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from textwrap import dedent, indent

from tunnelgate.diagnostics.render.visible import visible
from tunnelgate.diagnostics.render.wrap import wrap
from tunnelgate.diagnostics.rule import Rule, Safety

_GENERATED = "<!-- Generated from the rules' definitions: change it there. -->"
_FIXES = {
    Safety.SAFE: "safe: the policy means what its author meant, only better written",
    Safety.UNSAFE: "unsafe: the policy means something else afterwards, so look at it first",
    Safety.SHOWN: "shown only: one of several ways out",
}


def text(rule: Rule, width: int = 100) -> str:
    """The page as `tunnelgate rule TG201` shows it."""
    margin = "  "
    parts = [
        f"{rule.code} {rule.name} ({rule.severity.value})\n" + _paragraphs(rule.summary, width),
        "why\n" + indent(_paragraphs(_sentence(rule.why), width - len(margin)), margin),
        "source\n" + indent(_paragraphs(rule.source, width - len(margin)), margin),
        *(["bad\n" + indent(_example(rule.bad), margin)] if rule.bad else []),
        *(f"{name}\n" + indent(_example(content), margin) for name, content in rule.files),
        "good\n" + indent(_example(rule.good), margin),
        "fix\n" + indent("\n".join(_fixes(rule)), margin),
        f"group\n{margin}{rule.group}, since {rule.since}",
    ]
    return "\n\n".join(parts) + "\n"


def markdown(rule: Rule, said: str = "") -> str:
    """The page as it is committed to docs/rules; `said` is what `check` says of the bad example."""
    parts = [
        _GENERATED,
        f"# {rule.code} {rule.name}",
        f"{rule.severity.value.capitalize()}: {rule.summary}.",
        *help_parts(rule, said),
        f"{rule.code} is about {rule.group}, since {rule.since}. [All rules](README.md)",
    ]
    return "\n\n".join(parts) + "\n"


def help_parts(rule: Rule, said: str = "") -> list[str]:
    """The paragraphs of Markdown that explain a rule whose name and summary stand elsewhere."""
    return [
        "## Why",
        _sentence(rule.why),
        f"Source: {rule.source}",
        *(["## Bad", *_stated(rule), _fence(rule.bad)] if rule.bad else []),
        *([_fence(said, "text")] if said else []),
        "## Good",
        _fence(rule.good),
        "## Fix",
        "\n".join(f"- {_sentence(line)}" for line in _fixes(rule)),
    ]


def _stated(rule: Rule) -> list[str]:
    """The versions that an example is about, and the files beside it."""
    versions = [f'With `{target} = "{version}"` stated:' for target, version in rule.versions]
    files = [f"With this `{name}` beside it:\n\n{_fence(text)}" for name, text in rule.files]
    return [*versions, *files]


def index(rules: Iterable[Rule]) -> str:
    """The page that lists rules, in the order of their codes, by group."""
    parts = [_GENERATED, "# Rules"]
    for group, members in groupby(rules, key=lambda rule: rule.group):
        rows = (
            f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity.value} "
            f"| {' '.join(fix.value for fix in rule.fixes)} | {rule.summary} |"
            for rule in members
        )
        head = "| code | name | severity | fix | finds |\n| --- | --- | --- | --- | --- |"
        parts += [f"## {group[:1].upper()}{group[1:]}", "\n".join([head, *rows])]
    return "\n\n".join(parts) + "\n"


def _fixes(rule: Rule) -> list[str]:
    return [_FIXES[fix] for fix in rule.fixes] or ["none: the way out is for its author to choose"]


def _sentence(words: str) -> str:
    words = dedent(words).strip()
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."


def _paragraphs(words: str, width: int) -> str:
    return "\n\n".join("\n".join(wrap(words, width)) for words in dedent(words).split("\n\n"))


def _fence(text: str, language: str = "") -> str:
    return f"```{language}\n{_example(text)}\n```"


def _example(policy: str) -> str:
    """An example as it is shown; what a terminal or a browser would obey is made visible."""
    lines = dedent(policy).strip("\n").rstrip().split("\n")
    return "\n".join(map(visible, lines))
