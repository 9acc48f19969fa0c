"""Mutants of a ruleset's text: what a mistake of the emitter could look like.

Each target has a file here that knows its language and yields all mutants of its files, and a way
to find a packet that tells two of its rulesets apart. `python tests/proof/sabotage` prints what
becomes of them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, zip_longest
from typing import Any, NamedTuple

import plain

from sabotage import iptables, nftables, pf
from sabotage.mutant import Mutant
from tunnelgate.policy import Policy

__all__ = ["TARGETS", "Mutant", "Sabotage", "mutants"]


class Sabotage(NamedTuple):
    """What is done to a target.

    Attributes:
        mutants: all mutants of its files.
        told_apart: a packet that two rulesets, as they are read, treat otherwise; of so many.
    """

    mutants: Callable[[Mapping[str, str]], Iterator[Mutant]]
    told_apart: Callable[[Policy, Any, Any, int], object]


TARGETS: Mapping[str, Sabotage] = {
    "nftables": Sabotage(nftables.mutants, plain.told_apart),
    "iptables": Sabotage(iptables.mutants, plain.told_apart),
    "pf": Sabotage(pf.mutants, pf.told_apart),
    "pf-classic": Sabotage(pf.mutants, pf.told_apart),
}


def mutants(target: str, files: Mapping[str, str], most: int, seed: int = 1) -> list[Mutant]:
    """Mutants of the files of a target, of every kind as many as there are, up to its share."""
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    for one in TARGETS[target].mutants(files):
        kinds[one.kind].append(one)
    choose = random.Random(seed)
    for some in kinds.values():
        choose.shuffle(some)
    in_turn = chain.from_iterable(zip_longest(*kinds.values()))
    return list(islice((one for one in in_turn if one is not None), most))
