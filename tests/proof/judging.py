"""What the proof says of a ruleset, for tests that change its text; and a second opinion."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

import pytest
from smt import Question

from tunnelgate.flows import Intervals
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.firstmatch import Difference, Row
from tunnelgate.flows.netfilter import Ruleset
from tunnelgate.policy import Policy
from tunnelgate.proof import Refuted, refutations
from tunnelgate.target import Layout, find

#: The modules that compare; in its package the function `prove` hides its module.
_PROVERS = [import_module(f"tunnelgate.proof.{name}") for name in ("prove", "prove_pf")]


def read(target: str, files: Mapping[str, str]) -> Mapping[int, Ruleset]:
    """What the files of a target say. Raises Unmodelled."""
    return find(target).read(files)  # type: ignore[attr-defined]


def refuted(
    policy: Policy,
    target: str,
    files: Mapping[str, str],
    layout: Layout = "whole",
    most: int | None = None,
) -> list[Refuted]:
    """What the files of a target do otherwise than their policy; so much of it."""
    found = refutations(policy, read(target, files), whole=layout == "whole")
    return list(islice(found, most))


class SecondOpinion:
    """The same obligations, each comparison of lists asked of z3; equal ones are asked once."""

    def __init__(self) -> None:
        self._equal: set[Hashable] = set()

    def refuted(
        self, policy: Policy, target: str, files: Mapping[str, str], layout: Layout = "whole"
    ) -> list[Refuted]:
        """What z3 says that the files do otherwise: a packet of each comparison that fails.

        Raises:
            Undecided: it cannot say.
        """
        with pytest.MonkeyPatch.context() as patch:
            for one in _PROVERS:
                patch.setattr(one, "differences", self._differences)
            return refuted(policy, target, files, layout)

    def _differences(
        self,
        meant: Sequence[list[Row]],
        said: Sequence[list[Row]],
        domain: Box,
        *,
        final: Iterable[Hashable],
        **_: Any,
    ) -> list[Difference]:
        asked = _told(meant), _told(said), domain
        if asked in self._equal or not all(domain):
            return []
        point = Question(meant, said, domain, tuple(final)).point()
        if point is None:
            self._equal.add(asked)
            return []
        box = tuple(map(Intervals.single, point))
        return [Difference(box, *(tuple(stage[-1] for stage in side) for side in (meant, said)))]


def _told(side: Sequence[list[Row]]) -> Hashable:
    """The lists without whose rows they are."""
    return tuple(tuple((row.sets, row.label) for row in stage) for stage in side)
