"""The one table of codes: which modules hold rules, and how a rule is found by code or name."""

from __future__ import annotations

from importlib import import_module

from tunnelgate.diagnostics.nearest import nearest as nearest_of
from tunnelgate.diagnostics.rule import Rule

#: Each offers `RULES: tuple[Rule, ...]`. By dotted name, because they are in rooms after this
#: one, and because most runs never ask for the table.
MODULES: tuple[str, ...] = (
    "tunnelgate.diagnostics.reading",
    "tunnelgate.diagnostics.resolving",
    "tunnelgate.diagnostics.silencing",
    "tunnelgate.check.rules",
    "tunnelgate.diagnostics.targets",
)


def rules() -> dict[str, Rule]:
    """All rules by code, in the order of their codes.

    Raises:
        AssertionError: two rules share a code or a name; the tests see it before a user does.
    """
    table: dict[str, Rule] = {}
    names: dict[str, str] = {}
    for module in MODULES:
        for rule in import_module(module).RULES:
            if rule.code in table:
                raise AssertionError(f"{module}: {rule.code} is in the table already")
            if rule.name in names:
                raise AssertionError(f"{module}: {names[rule.name]} is named {rule.name} already")
            table[rule.code] = rule
            names[rule.name] = rule.code
    return dict(sorted(table.items()))


def find(code_or_name: str) -> Rule | None:
    """The rule of a code (`TG201`) or a name (`esp-from-many-hosts`), in whatever case."""
    table = rules()
    word = code_or_name.strip().lower()
    return table.get(word.upper()) or next((r for r in table.values() if r.name == word), None)


def nearest(word: str) -> str | None:
    """The code or name that is most like a word that is none; None where nothing is like it."""
    table, word = rules(), word.strip()
    names = (rule.name for rule in table.values())
    return nearest_of(word.upper(), table) or nearest_of(word.lower(), names)
