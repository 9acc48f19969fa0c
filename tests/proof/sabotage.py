"""Mutants of a ruleset's text: what a mistake of the emitter could look like.

`python tests/proof/sabotage.py` prints how many of each kind the proof catches.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """A changed text, what was done to it, and the line it was done to."""

    kind: str
    line: str
    text: str


#: What each kind of mutation does to a line; each that changes it is a mutant.
_CHANGES: tuple[tuple[str, str, str], ...] = (
    ("drop for accept", r"\baccept\b", "drop"),
    ("accept for drop", r"\bdrop\b", "accept"),
    ("port", r"(?<=dport )(\d+)", "PLUS"),
    ("port in a set", r"(?<=\. )(\d+)(?=[,\s]|$)", "PLUS"),
    ("protocol", r"(?<=l4proto )(\d+)", "PLUS"),
    ("prefix", r"/24\b", "/25"),
    ("prefix", r"/16\b", "/17"),
    ("address", r"(?<=\d\.)(\d+)(?=[ ,/]|$)", "PLUS"),
    ("negation", r"!= ", ""),
    ("interface in", r'iifname "[^"]*" ', ""),
    ("interface out", r'oifname "[^"]*" ', ""),
    ("state", r"ct state established", "ct state new"),
    ("state", r"ct state invalid", "ct state untracked"),
    ("direction", r"ct direction original ", ""),
    ("translated", r"ct status dnat ", ""),
    ("IPsec", r"(meta|rt) ipsec missing ?", ""),
    ("IPsec", r"ipsec exists", "ipsec missing"),
    ("moved port", r":4501-65535", ""),
    ("priority", r"priority 110", "priority 90"),
    ("hook", r"hook forward", "hook input"),
    ("goto", r"\bgoto pair", "jump pair"),
    ("helper", r"ct helper set", "comment"),
)


def mutants(text: str, seed: int = 1, most: int = 200) -> list[Mutant]:
    """Mutants of a ruleset, some of each kind."""
    found = list(_all(text))
    random.Random(seed).shuffle(found)
    return found[:most]


def _all(text: str) -> Iterator[Mutant]:
    lines = text.split("\n")
    start = lines.index("table inet tunnelgate {")
    for at in range(start, len(lines)):
        line = lines[at]
        if not line.strip() or line.strip().startswith("#"):
            continue
        rule, mark, comment = line.partition(" comment ")
        for kind, pattern, new in _CHANGES:
            changed = re.sub(pattern, _plus if new == "PLUS" else new, rule, count=1)
            if changed != rule:
                yield Mutant(kind, line, _with(lines, at, [changed + mark + comment]))
        if line.startswith("\t\t") and "hook" not in line and "typeof" not in line:
            yield Mutant("left out", line, _with(lines, at, []))
        if line.startswith("\t\t") and lines[at + 1].startswith("\t\t") and "hook" not in line:
            swapped = [lines[at + 1], line]
            yield Mutant("order", line, "\n".join([*lines[:at], *swapped, *lines[at + 2 :]]))


def _plus(found: re.Match[str]) -> str:
    return str(int(found[0]) + 1)


def _with(lines: list[str], at: int, new: list[str]) -> str:
    return "\n".join([*lines[:at], *new, *lines[at + 1 :]])


def main() -> None:
    """Print the table."""
    for folder in ("compiler", "grammar", "targets", "tests/proof"):
        sys.path.insert(0, str(ROOT / folder))
    from judging import is_caught

    import tunnelgate

    caught: Counter[str] = Counter()
    total: Counter[str] = Counter()
    survivors: list[Mutant] = []
    for example in sorted((ROOT / "examples").glob("*/expected/nftables/ruleset.nft")):
        (path,) = (one for one in example.parents[2].glob("*.tg") if one.name != "broken.tg")
        policy = tunnelgate.load(path)
        layout = "shared" if "beside-docker" in str(path) else "whole"
        text = tunnelgate.compile(policy, layout=layout).files["ruleset.nft"]
        for one in mutants(text):
            total[one.kind] += 1
            if is_caught(policy, one.text, layout):
                caught[one.kind] += 1
            else:
                survivors.append(one)
    for kind in sorted(total):
        print(f"{kind:<20} {caught[kind]:>5} of {total[kind]:>5}")
    print(f"{'all':<20} {caught.total():>5} of {total.total():>5}")
    for one in survivors:
        print(f"left alone: {one.kind}: {one.line.strip()}")


if __name__ == "__main__":
    main()
