"""Mutants of pf.conf, in both dialects.

`python tests/proof/sabotage_pf.py` prints, kind by kind, how many the proof refutes, how many it
refuses since nobody can say what they mean, and how many it leaves alone. Those the judge of single
packets (tests/pf) is asked about, which shares nothing with the proof but the reader.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    for _folder in ("compiler", "grammar", "targets", "tests/proof", "tests/pf", "tests/generate"):
        sys.path.insert(0, str(ROOT / _folder))

from sabotage import Mutant  # noqa: E402


class Change(NamedTuple):
    """What is done where a pattern is found in a line."""

    kind: str
    pattern: str
    new: str | Callable[[re.Match[str]], str]


def _more(found: re.Match[str]) -> str:
    return str(int(found[0]) + 1)


def _less(found: re.Match[str]) -> str:
    return str(max(int(found[0]) - 1, 0))


_RULE = (
    Change("verdict", r"^pass\b", "block"),
    Change("verdict", r"^block( return\S*(?:\(.*?\))?)?(?= (in|out)\b)", "pass"),
    Change("quick", r" quick\b", ""),
    Change("log quick", r" log quick\b", " log"),
    Change("direction", r"^(pass|block|match)( \S+)? in\b", r"\1\2 out"),
    Change("direction", r"^(pass|block|match)( \S+)? out\b", r"\1\2 in"),
    Change("interface", r" on (\{.*?\}|!? ?\S+)", ""),
    Change("interface", r"(?<= on )eth0\b", "eth1"),
    Change("interface", r"(?<= on )eth1\b", "eth0"),
    Change("interface", r"(?<= on )enc0\b", "eth0"),
    Change("interface", r" on ! enc0", " on enc0"),
    Change("family", r" inet6? (?=proto \d|from|to)", " "),
    Change("family", r" inet (?=from any|to any)", " inet6 "),
    Change("protocol", r"(?<=proto )\d+", _more),
    Change(
        "protocol", r" proto (\d+|\{[^}]*\})(?! (from|to) \S+( \S+)? port)(?!.*(port|icmp))", ""
    ),
    Change("port", r"(?<=port )\d+", _more),
    Change("port", r"(?<=port )\d+", _less),
    Change("port", r"(?<=port \{ )\d+(?= )", _more),
    Change("port", r" port (\d+|\{[^}]*\})(?= |$)", ""),
    Change("ICMP type", r"(?<=type )\d+", _more),
    Change("ICMP type", r" icmp6?-type (\{[^}]*\}|\d+)", ""),
    Change("address", r"(?<=[a-z] )(\d+\.\d+\.\d+\.)(\d+)(?=[ /]|$)", r"\g<1>99"),
    Change("address", r"from (! )?(<\S+>|\d\S+)", "from any"),
    Change("address", r" to (! )?(<\S+>|\d\S+|\(\S+\))", " to any"),
    Change("address", r" to \(self\)", " to any"),
    Change("ends", r" from (\S+) to (\S+)", r" from \2 to \1"),
    Change("prefix", r"(?<=\d/)(\d+)(?= )", _more),
    Change("prefix", r"(?<=\d/)(\d+)(?= )", _less),
    Change("negation", r"! (?=<|\d|\(|tagged)", ""),
    Change("negation", r"(?<=from )(?=<|\d)", "! "),
    Change("tag", r" tag \S+", ""),
    Change("tag", r"(?<= tag )\S+", "tg.reply"),
    Change("tag", r"(?<= tag )tg:\S+", "tg.gateway"),
    Change("tagged", r" (! )?tagged \S+", ""),
    Change("tagged", r" (?=tagged)", " ! "),
    Change("tagged", r"(?<= tagged )\S+", "tg.reply"),
    Change("state", r" keep state( \(.*?\))?", " no state"),
    Change("state", r" no state\b", " keep state"),
    Change("state", r" keep state \(if-bound\)", " keep state"),
    Change("state", r" keep state(?! \()", " keep state (if-bound)"),
    Change("flags", r" keep state", " flags any keep state"),
    Change("options", r" allow-opts", ""),
    Change("limit", r"max-src-conn-rate (\d+)", "max-src-conn-rate 9999"),
    Change("limit", r"(?:, )?max-src-conn-rate \d+/\d+", ""),
    Change("translation", r" static-port", ""),
    Change("translation", r":0\)", ")"),
    Change("translation", r" port 4501:65535", ""),
    Change("translation", r"(nat-to|->) \S+", r"\1 203.0.113.77"),
    Change("translation", r" (nat-to|rdr-to) \S+( port \S+)?( static-port)?", ""),
    Change("translation", r"^no (rdr|nat) (.*)", r"# no \1"),
    Change("answer", r"^block return-rst", "block return"),
    Change("skip", r"^set skip on lo", "set skip on eth0"),
)
_ELEMENT = (
    Change("table element", r"(?<=\d\.)(\d+)(?=[ /]|$)", _more),
    Change("table element", r"(?<=\d/)(\d+)(?=[ ]|$)", _more),
    Change("table element", r"(?<=[{ ])\d+\.\d+\.\d+\.\d+(/\d+)? ", ""),
)


def mutants(files: Mapping[str, str]) -> Iterator[Mutant]:
    """All mutants of the ruleset among some files."""
    (name,) = files.keys() & {"pf.conf", "tunnelgate.anchor"}
    lines = files[name].split("\n")
    in_table = False
    for at, line in enumerate(lines):
        in_table = line.startswith("table") or (in_table and line.startswith("  "))
        if not line or line[0] in "#}" or line.startswith("set timeout"):
            continue
        for kind, made in _of_line(line, _ELEMENT if in_table else _RULE):
            yield Mutant(kind, line, {**files, name: _with(lines, at, [made])})
        if in_table:
            continue
        yield Mutant("left out", line, {**files, name: _with(lines, at, [])})
        below = lines[at + 1] if at + 1 < len(lines) else ""
        if below and below[0] not in "#}" and not below.startswith(("table", "set")):
            text = "\n".join([*lines[:at], below, line, *lines[at + 2 :]])
            yield Mutant("order", line, {**files, name: text})


def _of_line(line: str, changes: tuple[Change, ...]) -> Iterator[tuple[str, str]]:
    rule, label, rest = line.partition(" label ")
    for change in changes:
        made = re.sub(change.pattern, change.new, rule, count=1)
        if made != rule:
            yield change.kind, made + label + rest
    behind = re.sub(r" tag \S+$", "", rest)
    if label and behind != rest:
        yield "tag", rule + label + behind


def _with(lines: list[str], at: int, new: list[str]) -> str:
    return "\n".join([*lines[:at], *new, *lines[at + 1 :]])


def sample(files: Mapping[str, str], most: int, seed: int = 1) -> list[Mutant]:
    """Of every kind as many as there are, up to its share."""
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    for one in mutants(files):
        kinds[one.kind].append(one)
    choose = random.Random(seed)
    for some in kinds.values():
        choose.shuffle(some)
    in_turn = chain.from_iterable(zip_longest(*kinds.values()))
    return list(islice((one for one in in_turn if one is not None), most))


def main(most: int) -> int:
    """The tables of both dialects, of an example with a tunnel and of everything at once."""
    from judge import Gateway, policy_of
    from judging import refuted
    from test_judge import MIXTURE, mismatches

    from tunnelgate.flows.netfilter import Unmodelled
    from tunnelgate.plan import build
    from tunnelgate.target import find

    escaped = 0
    for target in ("pf", "pf-classic"):
        policy = policy_of(MIXTURE)
        files = find(target).emit(build(policy)).files
        count: dict[str, Counter[str]] = defaultdict(Counter)
        for one in sample(files, most):
            try:
                outcome = "refuted" if refuted(policy, target, one.files, most=1) else "same"
            except Unmodelled:
                outcome = "refused"
            if outcome == "same":
                gateway = Gateway(policy, target, one.files["pf.conf"])
                found = next(mismatches(gateway, 300, 20), None)
                if found is not None:
                    outcome = "escaped"
                    escaped += 1
                    print(f"ESCAPED: {target}, {one.kind}: {one.line}\n  {found}")
                else:
                    print(f"same: {target}, {one.kind}: {one.line[:150]}")
            count[one.kind][outcome] += 1
            count["all"][outcome] += 1
        for kind in sorted(count, key=lambda one: (one == "all", one)):
            print(f"{target:<12}{kind:<16}", *(f"{key} {n:<5}" for key, n in count[kind].items()))
    return min(escaped, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 400))
