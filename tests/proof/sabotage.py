"""Mutants of a ruleset's text: what a mistake of the emitter could look like.

`python tests/proof/sabotage.py` prints how many of each kind the proof catches.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """Changed files, what was done to them, and the line it was done to."""

    kind: str
    line: str
    files: Mapping[str, str]


Changes = tuple[tuple[str, str, str], ...]
#: What each kind of mutation does to a line; each that changes it is a mutant.
_NFTABLES: Changes = (
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
_IPTABLES: Changes = (
    ("drop for accept", r"-j ACCEPT", "-j DROP"),
    ("accept for drop", r"-j DROP", "-j ACCEPT"),
    ("return for drop", r"-j DROP", "-j RETURN"),
    ("policy", r"(?<=^:INPUT )DROP|(?<=^:FORWARD )DROP", "ACCEPT"),
    ("port", r"(?<=dport )(\d+)", "PLUS"),
    ("port", r"(?<=dports )(\d+)", "PLUS"),
    ("port in a set", r"(?<=,udp:)(\d+)", "PLUS"),
    ("protocol", r"-p udp", "-p tcp"),
    ("protocol", r"-p esp", "-p 97"),
    ("protocol in a set", r"(?<=,)(\d+)(?=:0)", "PLUS"),
    ("prefix", r"/24\b", "/25"),
    ("prefix", r"/16\b", "/17"),
    ("address", r"(?<=\d\.)(\d+)(?=[ ,]|$)", "PLUS"),
    ("negation", r"! (?=-[sdo-])", ""),
    ("interface in", r"-i \S+ ", ""),
    ("interface out", r"-o \S+ ", ""),
    ("state", r"--ctstate ESTABLISHED", "--ctstate NEW"),
    ("state", r"--ctstate INVALID", "--ctstate UNTRACKED"),
    ("direction", r"-m conntrack --ctdir ORIGINAL ", ""),
    ("translated", r"-m conntrack --ctstate DNAT ", ""),
    ("IPsec", r"-m policy --dir (in|out) --pol none ", ""),
    ("IPsec", r"--pol ipsec", "--pol none"),
    ("ends of a set", r" src,dst,dst", " dst,dst,src"),
    ("AH", r"-m ah ", ""),
    ("moved port", r" --to-ports 4501-65535", ""),
    ("goto", r"-g (?=tg-)", "-j "),
    ("jump", r"-j (?=tg-)", "-g "),
    ("helper", r"-j CT --helper \S+", "-j LOG"),
)


def mutants(files: Mapping[str, str], seed: int = 1, most: int = 200) -> list[Mutant]:
    """Mutants of a ruleset, some of each kind."""
    if "ruleset.nft" in files:
        found = list(_of_nftables(files["ruleset.nft"]))
    else:
        found = [one for name in files if _is_rules(name) for one in _of_iptables(files, name)]
    random.Random(seed).shuffle(found)
    return found[:most]


def _is_rules(name: str) -> bool:
    return name.startswith("rules.") or name == "ipset.conf"


def _of_iptables(files: Mapping[str, str], name: str) -> Iterator[Mutant]:
    lines = re.sub(r'-m comment --comment "[^"]*" ', "", files[name]).split("\n")
    for at, line in enumerate(lines):
        if not line.startswith(("-A", "add ", ":INPUT", ":FORWARD")):
            continue
        for kind, pattern, new in _IPTABLES:
            changed = re.sub(pattern, _plus if new == "PLUS" else new, line, count=1)
            if changed != line:
                yield Mutant(kind, line, {**files, name: _with(lines, at, [changed])})
        if line[0] != ":":
            yield Mutant("left out", line, {**files, name: _with(lines, at, [])})
        if line[0] == "-" and lines[at + 1].startswith(" ".join(line.split()[:2]) + " "):
            swapped = [lines[at + 1], line]
            text = "\n".join([*lines[:at], *swapped, *lines[at + 2 :]])
            yield Mutant("order", line, {**files, name: text})


def _of_nftables(text: str) -> Iterator[Mutant]:
    lines = text.split("\n")
    start = lines.index("table inet tunnelgate {")
    for at in range(start, len(lines)):
        line = lines[at]
        if not line.strip() or line.strip().startswith("#"):
            continue
        rule, mark, comment = line.partition(" comment ")
        for kind, pattern, new in _NFTABLES:
            changed = re.sub(pattern, _plus if new == "PLUS" else new, rule, count=1)
            if changed != rule:
                made = _with(lines, at, [changed + mark + comment])
                yield Mutant(kind, line, {"ruleset.nft": made})
        if line.startswith("\t\t") and "hook" not in line and "typeof" not in line:
            yield Mutant("left out", line, {"ruleset.nft": _with(lines, at, [])})
        if line.startswith("\t\t") and lines[at + 1].startswith("\t\t") and "hook" not in line:
            swapped = [lines[at + 1], line]
            made = "\n".join([*lines[:at], *swapped, *lines[at + 2 :]])
            yield Mutant("order", line, {"ruleset.nft": made})


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
    survivors: list[tuple[str, Mutant]] = []
    for folder in sorted((ROOT / "examples").glob("*/expected/*tables")):
        (path,) = (one for one in folder.parents[1].glob("*.tg") if one.name != "broken.tg")
        policy = tunnelgate.load(path)
        layout = "shared" if "beside-docker" in str(path) else "whole"
        files = tunnelgate.compile(policy, target=folder.name, layout=layout).files
        for one in mutants(files):
            kind = f"{folder.name}, {one.kind}"
            total[kind] += 1
            if is_caught(policy, folder.name, one.files, layout):
                caught[kind] += 1
            else:
                survivors.append((kind, one))
    for kind in sorted(total):
        print(f"{kind:<32} {caught[kind]:>5} of {total[kind]:>5}")
    print(f"{'all':<32} {caught.total():>5} of {total.total():>5}")
    for kind, one in survivors:
        print(f"left alone: {kind}: {one.line.strip()}")


if __name__ == "__main__":
    main()
