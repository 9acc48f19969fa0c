"""Two provers of one question: `differences`, and z3, which is told nothing of how it works."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from evaluate import Point, holds, labels
from pairs import Pair, pair
from smt import Question, Undecided

from tunnelgate.flows import Intervals, firstmatch
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import AXES, DROP
from tunnelgate.flows.firstmatch import Difference, Row, differences

PAIRS = int(os.environ.get("TUNNELGATE_PAIRS", "300"))
FINAL = (DROP,)


def test_both_provers_say_the_same_of_every_pair() -> None:
    told: Counter[str] = Counter()
    for seed in range(PAIRS):
        one = pair(seed)
        found = differences(one.one, one.other, one.domain, final=FINAL)
        judge(seed, one, found)
        told[f"{'changed' if one.is_edged else 'retold'}, {'differs' if found else 'equal'}"] += 1
        told.update(f"told on axis {axis}" for axis in told_apart(one, found))
        told["a large set"] += any(is_large(row) for stage in one.one for row in stage)
    assert told["retold, differs"] == 0, "what changes no point does not"
    assert min(told["changed, differs"], PAIRS - told["changed, differs"]) > 0.3 * PAIRS, told
    assert min(told["retold, equal"], told["changed, equal"]) > 0.1 * PAIRS, told
    # the corners of boxes lie on every axis, and large sets are split by themselves
    assert min(told[f"told on axis {axis}"] for axis in range(AXES)) > 0.01 * PAIRS, told
    assert told["a large set"] > 0.1 * PAIRS, told


def judge(seed: int, one: Pair, found: list[Difference]) -> None:
    """Ours are all points that differ and no others, by z3 and by asking some of them."""
    question = Question(one.one, one.other, one.domain, FINAL)
    theirs = question.point()
    assert (theirs is None) is (not found), seed
    if theirs is not None:
        assert differs(one, theirs), seed
        assert sum(holds(ours.box, theirs) for ours in found) == 1, seed
        assert question.point(outside=[ours.box for ours in found]) is None, seed
    for ours in found:
        for point in corners(ours.box, seed):
            assert holds(one.domain, point), seed
            assert differs(one, point), seed
            for side, rows in ((one.one, ours.one), (one.other, ours.other)):
                said = labels(side, point, FINAL)
                assert [row.label for row in rows] == said, seed


def differs(one: Pair, point: Point) -> bool:
    return labels(one.one, point, FINAL) != labels(one.other, point, FINAL)


def corners(box: Box, seed: int) -> Iterator[Point]:
    yield tuple(axis.first() for axis in box)
    yield tuple(axis.items[-1][1] for axis in box)
    choose = random.Random(seed)
    for _ in range(4):
        yield tuple(choose.choice(choose.choice(axis.items)) for axis in box)


def told_apart(one: Pair, found: list[Difference]) -> set[int]:
    """The axes on which some points of a domain differ and others do not."""
    return {
        axis
        for ours in found
        for axis, (here, space) in enumerate(zip(ours.box, one.domain, strict=True))
        if here != space
    }


def is_large(row: Row) -> bool:
    return any(wanted and len(wanted.items) > firstmatch._LARGE for wanted in row.sets)


def test_a_wrong_comparison_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is made to forget one end of a part, as an error of one would."""
    whole = firstmatch._Axis._split

    def split(axis: firstmatch._Axis, keys: tuple[int, ...]) -> list[firstmatch._Part]:
        made = whole(axis, keys)
        if len(made) > 2:
            made[-1] = made[-1]._replace(
                pieces=(made[-1].pieces[0] - Intervals.single(made[-1].pieces[0].first()),)
            )
        return made

    monkeypatch.setattr(firstmatch._Axis, "_split", split)
    with pytest.raises(AssertionError):
        test_both_provers_say_the_same_of_every_pair()


def test_z3_is_bound_by_its_own_units(monkeypatch: pytest.MonkeyPatch) -> None:
    import smt

    monkeypatch.setattr(smt, "_RLIMIT", 1)
    one = pair(3)
    with pytest.raises(Undecided):
        Question(one.one, one.other, one.domain, FINAL).point()
