"""A chain that does one thing with all packets is not walked, and says the same as if it were."""

from __future__ import annotations

import random

import pytest

from tunnelgate.flows import netfilter
from tunnelgate.flows.fields import EVERYTHING, SOURCE, Sets
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import (
    Accept,
    Action,
    Case,
    Chain,
    Drop,
    Facts,
    Hook,
    Jump,
    Nothing,
    Return,
    Rule,
    Ruleset,
    Unmodelled,
    Within,
    rows,
)
from tunnelgate.flows.sets import sets

_SPAN = 6
_LAST = 5


def box(choose: random.Random) -> Sets:
    low, high = sorted(choose.choices(range(_SPAN), k=2))
    return sets(source=Intervals.span(low, high))


def action(choose: random.Random, number: int) -> Action:
    """A verdict, or a call of a later chain."""
    if number < _LAST and choose.random() < 0.6:
        called = f"chain {choose.randint(number + 1, _LAST)}"
        return Jump(called, goto=choose.random() < 0.5)
    return choose.choice((Accept(), Accept(), Drop(), Return(), Nothing(), Nothing()))


def ruleset(seed: int) -> Ruleset:
    choose = random.Random(seed)
    chains = {}
    for number in range(_LAST + 1):
        rules = []
        for place in range(choose.randint(0, 3)):
            tests = (Within((box(choose),)),) if choose.random() < 0.6 else ()
            wanted = box(choose) if choose.random() < 0.3 else EVERYTHING
            case = Case(wanted, action(choose, number))
            rules.append(Rule(tests, (case,), number * 10 + place + 1))
        hook = Hook("forward", 0, False, Accept()) if number == 0 else None
        chains[f"chain {number}"] = Chain(tuple(rules), hook)
    return Ruleset(chains)


def told(made: Ruleset) -> list[tuple[object, object]]:
    """What happens to each packet of the small space, and which line says so."""
    found = rows(made, made.chains["chain 0"], Facts())
    return [
        next(
            (row.label, row.cause)
            for row in found
            if row.sets[SOURCE] is None or place in row.sets[SOURCE]
        )
        for place in range(_SPAN)
    ]


@pytest.mark.parametrize("seed", range(300))
def test_what_is_not_walked_says_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    short = told(ruleset(seed))
    monkeypatch.setattr(Ruleset, "ends", lambda _self, _name: netfilter._SEVERAL)
    assert short == told(ruleset(seed))


def test_chains_that_call_each_other_are_refused() -> None:
    calling = {"a": Jump("b"), "b": Jump("a")}
    chains = {name: Chain((Rule((), (Case(EVERYTHING, to),), 1),)) for name, to in calling.items()}
    chains["base"] = Chain(chains["b"].rules, Hook("forward", 0, False, Accept()))
    with pytest.raises(Unmodelled, match="without an end"):
        rows(Ruleset(chains), chains["base"], Facts())


def test_what_only_logs_and_counts_is_not_walked() -> None:
    noting = Chain((Rule((Within((sets(source=Intervals.single(1)),)),), (), 1),))
    assert Ruleset({"noting": noting}).ends("noting") == {None}
