"""What a target is, and how one is found by its name.

A target turns a plan into files of one dialect, or refuses with a reason: it never leaves
something out. Built-in targets are found by dotted name; others by the entry point group
`tunnelgate.targets`, looked for only when a name is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.plan import Plan
from tunnelgate.records import record

if TYPE_CHECKING:
    from tunnelgate.flows.crossings import Screens
    from tunnelgate.flows.netfilter import Ruleset

#: A module, and the object in it that is the target.
BUILT_IN: Mapping[str, str] = {
    "nftables": "tunnelgate_targets.nftables:TARGET",
    "iptables": "tunnelgate_targets.iptables:TARGET",
    "pf": "tunnelgate_targets.pf:MODERN",
    "pf-classic": "tunnelgate_targets.pf:CLASSIC",
}
_GROUP = "tunnelgate.targets"

Layout = Literal["whole", "shared"]


@record
class Setup:
    """What a ruleset finds on its gateway.

    Attributes:
        layout: `whole` where it decides about every packet, `shared` where it stands side by side
            with rulesets of others and decides about the packets of its policy's zones alone.
        version: the oldest version of the target's software that has to take it, in a form that
            the target knows (`Target.is_version`); None where every one that it supports does.
    """

    layout: Layout = "whole"
    version: str | None = None


WHOLE = Setup()


@record
class Requirements:
    """What a gateway must have for a ruleset.

    Attributes:
        modules: kernel modules that nothing loads by itself.
        sysctls: kernel parameters and the values they need.
        load: the commands that load the ruleset, in order; file names are relative to its folder.
        unload: the commands that take all of it away again; empty where others' rules would go too.
        caveats: what the ruleset cannot promise, each a sentence without its full stop.
        autoloaded: kernel modules that the kernel loads by itself with the ruleset, where it has
            them as modules; one that was made small has to have them.
        rare: those of them that small kernels often lack.
        versions: the oldest versions that take this ruleset, by the name of the software or system.
        connections: how many connections its hosts have at once at the least, where the gateway
            keeps them in a table of fixed size; 0 where it does not.
        notes: how it does what takes a time or has a limit, likewise.
    """

    modules: tuple[str, ...]
    sysctls: tuple[tuple[str, str], ...]
    load: tuple[str, ...]
    unload: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    autoloaded: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    connections: int = 0
    notes: tuple[str, ...] = ()


@record
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
        version_form: a version of its software as people write it, for messages: `1.0.6`.
    """

    name: str
    title: str
    format_revision: int
    version_form: str

    def is_version(self, text: str) -> bool:
        """Whether this names a version of the target's software."""
        ...

    def refuse(self, plan: Plan, setup: Setup = WHOLE) -> list[Diagnostic]:
        """What of a plan this target cannot do there, as findings of the group TG4xx."""
        ...

    def emit(self, plan: Plan, setup: Setup = WHOLE) -> Output:
        """The files. The plan was not refused; the same plan and setup give the same bytes."""
        ...

    def validate(self, files: Mapping[str, str]) -> str:
        """Let the running kernel read the files and change nothing; says how it was asked.

        Raises:
            Validation: they were not taken.
            OSError: there is no kernel or program to ask.
        """
        ...


@runtime_checkable
class Readable(Target, Protocol):
    """A target whose files can be read back, so that they are proved to mean their policy.

    Attributes:
        model: what rulesets are read as: chains of `netfilter`, or rules of `pf`, which packets ask
            on each interface.
    """

    model: Literal["netfilter", "pf"]

    def read(self, files: Mapping[str, str]) -> Mapping[int, Ruleset | Screens]:
        """What is loaded for each family, 4 and 6; the text alone is looked at.

        Raises:
            Unmodelled: the text says what the packet model has no word for.
        """
        ...


class UnknownTarget(KeyError):
    """No target has this name; `known` are the names there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known

    @property
    def help(self) -> str:
        """The way out: the name that was probably meant, or all there are."""
        close = nearest(self.name, self.known)
        return f"did you mean `{close}`?" if close else f"known are {', '.join(self.known)}"


class BadVersion(ValueError):
    """What was stated is no version of a target; `form` is one as people write it."""

    def __init__(self, target: Target, version: str) -> None:
        self.target = target.name
        self.version = version
        self.form = target.version_form
        super().__init__(f"`{version}` is no version of {target.name}, such as `{self.form}`")


def release(text: str) -> tuple[int, ...] | None:
    """A version of numbers and dots as one that can be compared; None where it is none.

    >>> release("1.0.6") < release("1.0.10")
    True
    >>> release("1.x") is None
    True
    """
    found = re.fullmatch(r"(?:0|[1-9]\d{0,5})(?:\.(?:0|[1-9]\d{0,5})){0,3}", text, re.ASCII)
    return tuple(int(number) for number in text.split(".")) if found else None


def is_older(stated: str, since: str) -> bool:
    """Whether a release came before another.

    Raises:
        ValueError: one of them is none.

    >>> is_older("0.9.8", "1.0"), is_older("1.0", "1.0")
    (True, False)
    """
    one, other = release(stated), release(since)
    if one is None or other is None:
        raise ValueError(f"{stated} and {since} cannot be compared")
    return one < other


def names() -> tuple[str, ...]:
    """The names of all targets, those of other distributions included."""
    return (
        *BUILT_IN,
        *sorted(point.name for point in entry_points(group=_GROUP) if point.name not in BUILT_IN),
    )


def find(name: str) -> Target:
    """The target of this name. Raises UnknownTarget."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        target: Target = getattr(import_module(module), attribute)
        return target
    for point in entry_points(group=_GROUP, name=name):
        found: Target = point.load()
        return found
    raise UnknownTarget(name, names())
