"""What a target is, and how one is found by its name.

A target turns a plan into files of one dialect, or refuses with a reason: it never leaves
something out. Built-in targets are found by dotted name; others by the entry point group
`tunnelgate.targets`, looked for only when a name is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Protocol

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.plan import Plan

BUILT_IN: Mapping[str, str] = {
    "nftables": "tunnelgate_targets.nftables",
    "iptables": "tunnelgate_targets.iptables",
}
_GROUP = "tunnelgate.targets"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a gateway must have for a ruleset.

    Attributes:
        modules: kernel modules that nothing loads by itself.
        sysctls: kernel parameters and the values they need.
        load: the commands that load the ruleset, in order; file names are relative to its folder.
    """

    modules: tuple[str, ...]
    sysctls: tuple[tuple[str, str], ...]
    load: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """The files of one target, by name, and what they need."""

    files: Mapping[str, str]
    requirements: Requirements


class Validation(Exception):
    """The kernel, or the program in front of it, refuses a ruleset; the text is its answer."""


class Target(Protocol):
    """A dialect. A target package offers an object of this type named `TARGET`.

    Attributes:
        name: as in `-t NAME`.
        title: one line for `tunnelgate targets`.
        format_revision: changes when the same policy gives other bytes; part of each file's header.
    """

    name: str
    title: str
    format_revision: int

    def refuse(self, plan: Plan) -> list[Diagnostic]:
        """What of a plan this target cannot do, as findings of the group TG4xx."""
        ...

    def emit(self, plan: Plan) -> Output:
        """The files. The plan was not refused; the same plan gives the same bytes."""
        ...

    def validate(self, files: Mapping[str, str]) -> str:
        """Let the running kernel read the files and change nothing; says how it was asked.

        Raises:
            Validation: they were not taken.
            OSError: there is no kernel or program to ask.
        """
        ...


class UnknownTarget(KeyError):
    """No target has this name; `known` are the names there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


def names() -> tuple[str, ...]:
    """The names of all targets, those of other distributions included."""
    return (
        *BUILT_IN,
        *sorted(point.name for point in entry_points(group=_GROUP) if point.name not in BUILT_IN),
    )


def find(name: str) -> Target:
    """The target of this name. Raises UnknownTarget."""
    if name in BUILT_IN:
        target: Target = import_module(BUILT_IN[name]).TARGET
        return target
    for point in entry_points(group=_GROUP, name=name):
        found: Target = point.load()
        return found
    raise UnknownTarget(name, names())
