"""Print what becomes of the mutants of every example, target by target and kind by kind.

`refuted`: the proof shows a packet. `refused`: the text cannot be read back, so nothing is written.
`same`: it is proved; z3 says so of as many as stand behind, and a walk of single packets of all.
A mutant that one of these denies has escaped: it is shown, and the exit status is 1.
Arguments are the targets, all if there are none.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
_TESTS = ("tests/proof", "tests/flows", "tests/pf", "tests/generate")
for _folder in ("compiler", "grammar", "targets", *_TESTS):
    sys.path.insert(0, str(ROOT / _folder))

import tunnelgate  # noqa: E402
from sabotage import TARGETS, Mutant, mutants  # noqa: E402
from sabotage.judge import Judge, Outcome, Verdict  # noqa: E402

#: So many mutants are made of each ruleset.
MOST = 200


def main() -> int:
    """The tables."""
    escaped = 0
    for target in sys.argv[1:] or TARGETS:
        count: dict[str, Counter[str]] = defaultdict(Counter)
        for mutant, outcome in outcomes(target):
            for kind in (mutant.kind, "all"):
                count[kind][outcome.verdict.value] += 1
                count[kind]["by z3"] += outcome.is_asked_twice
            if outcome.denied_by is not None:
                escaped += 1
                print(f"ESCAPED: {target}, {mutant.kind}: {mutant.line}\n  {outcome.denied_by}")
        print_table(target, count)
    return min(escaped, 1)


def outcomes(target: str) -> Iterator[tuple[Mutant, Outcome]]:
    for path in sorted((ROOT / "examples").glob("*/*.tg")):
        made = path.parent / "expected" / target
        if path.stem == "broken" or not made.exists() or (made / "refused.txt").exists():
            continue
        policy = tunnelgate.load(path)
        layout = "shared" if path.parent.name == "beside-docker" else "whole"
        files = tunnelgate.compile(policy, target=target, layout=layout).files
        judge = Judge(policy, target, files, layout)
        for one in mutants(target, files, MOST):
            yield one, judge.outcome(one)


def print_table(target: str, count: Mapping[str, Counter[str]]) -> None:
    columns = [*(one.value for one in Verdict), "by z3"]
    print(f"\n{target:<24}", *(f"{name:>8}" for name in columns))
    for kind in sorted(count, key=lambda one: (one == "all", one)):
        print(f"{kind:<24}", *(f"{count[kind][name]:>8}" for name in columns), flush=True)


if __name__ == "__main__":
    sys.exit(main())
