"""Mutants of a ruleset's text: what a mistake of the emitter could look like.

Each target has a file here that knows its language and yields all mutants of its files.
`python tests/proof/sabotage` prints what becomes of them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, zip_longest

from sabotage import iptables, nftables
from sabotage.mutant import Mutant

__all__ = ["TARGETS", "Mutant", "mutants"]

TARGETS: Mapping[str, Callable[[Mapping[str, str]], Iterator[Mutant]]] = {
    "nftables": nftables.mutants,
    "iptables": iptables.mutants,
}


def mutants(target: str, files: Mapping[str, str], most: int, seed: int = 1) -> list[Mutant]:
    """Mutants of the files of a target, of every kind as many as there are, up to its share."""
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    for one in TARGETS[target](files):
        kinds[one.kind].append(one)
    choose = random.Random(seed)
    for some in kinds.values():
        choose.shuffle(some)
    in_turn = chain.from_iterable(zip_longest(*kinds.values()))
    return list(islice((one for one in in_turn if one is not None), most))
