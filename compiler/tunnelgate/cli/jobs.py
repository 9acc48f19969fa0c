"""What a run has to do: each policy with each set of values that it is to be looked at with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tunnelgate.cli import inputs
from tunnelgate.cli.exits import Problem
from tunnelgate.source import SourceFile
from tunnelgate.variables import NONE, Variables, override

#: A declaration: its name, and its default; only a comma lets a statement go on with the next line.
_PARAM = re.compile(r"^[ \t]*param[ \t]+([\w-]*)[^=#\n]*(=?)", re.MULTILINE)


class Job(NamedTuple):
    """A policy, and the values for its parameters."""

    policy: SourceFile
    variables: Variables

    @property
    def name(self) -> str:
        """What no other job of the run is called."""
        return f"{self.policy.path} {self.variables.name}"


def jobs(
    policies: Sequence[SourceFile],
    variables: Sequence[Variables],
    settings: Variables,
    *,
    with_defaults: bool,
) -> tuple[Job, ...]:
    """Each policy with parameters once for each set of variables, the others once.

    Args:
        policies: in the order of the run.
        variables: the files of variables; none where the defaults are meant.
        settings: single values, which come before those of files.
        with_defaults: besides, with the defaults of policies that have one for each parameter.
    """
    if not variables and not settings.files:
        return tuple(Job(policy, NONE) for policy in policies)
    return tuple(
        Job(policy, one)
        for policy in policies
        for one in _sets(policy, variables, settings, with_defaults)
    )


def demand_parameters(policies: Sequence[SourceFile]) -> None:
    """Refuse values where there is nothing that they could be for.

    Raises:
        Problem: no policy has a parameter.
    """
    if policies and not any(map(parameters, policies)):
        raise Problem("no policy has parameters", "declare one in the policy: `param NAME : TYPE`")


def _sets(
    policy: SourceFile, variables: Sequence[Variables], settings: Variables, with_defaults: bool
) -> Iterator[Variables]:
    params = parameters(policy)
    if not params:
        yield NONE
        return
    if not variables or (with_defaults and all(params.values())):
        yield settings
    for one in variables:
        yield override(one, settings)


def parameters(policy: SourceFile) -> dict[str, bool]:
    """The parameters that a policy declares by name, and whether each has a default."""
    texts = (part.text for part in inputs.parts_of(policy))
    return {match[1]: bool(match[2]) for text in texts for match in _PARAM.finditer(text)}
