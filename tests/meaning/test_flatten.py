"""The lists of a policy say what `decide` says, on packets at every border of its sets."""

from __future__ import annotations

from pathlib import Path

import pytest
from points import decide, first, points
from sample_policies import L2TP, MIXTURE, TWO_WANS

import tunnelgate
from tunnelgate.flows.fields import DESTINATION, DROP, L4, Delivered
from tunnelgate.meaning import Decider
from tunnelgate.meaning.flatten import arrivals, flatten

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.tg")
    if path.parent.name != "broken" and path.stem != "broken"
)
PACKETS = 1500


def policy_of(source: Path | str) -> tunnelgate.Policy:
    try:
        return tunnelgate.load(source)
    except tunnelgate.PolicyError:  # a fragment that others include, or one that lacks its values
        pytest.skip("no policy by itself")


@pytest.mark.parametrize(
    "source",
    [*EXAMPLES, MIXTURE, TWO_WANS, L2TP],
    ids=lambda one: one.stem if isinstance(one, Path) else one.split()[1],
)
def test_lists_say_what_decide_says(source: Path | str) -> None:
    policy = policy_of(source)
    decider = Decider(policy)
    made = flatten(policy, {zone.name: zone.index for zone in policy.zones})
    assert list(made) == arrivals(policy)
    rest = [zone.index for zone in policy.zones if zone.is_rest]
    seen = set()
    for arrival, lists in made.items():
        rows = [row for stage in lists for row in stage]
        for point in points(rows, rest, arrival.zone, PACKETS):
            outcome = decide(decider, arrival, point)
            if outcome is None:
                continue
            verdict = first(lists.verdict, point).label
            seen.add(verdict)
            if not outcome.delivered:
                assert verdict == DROP, (point, outcome)
                continue
            assert isinstance(verdict, Delivered), (point, outcome)
            assert outcome.egress is not None
            assert verdict.egress == outcome.egress.name
            assert (verdict.destination or point[DESTINATION]) == outcome.destination
            low = point[L4] & 0xFFFF if verdict.port is None else verdict.port
            assert point[L4] >> 16 << 16 | low == outcome.l4
            public = first(lists.source, point).label
            assert public == (outcome.source if outcome.source_translated else None), point
            assert first(lists.ports, point).label == outcome.ports, (point, outcome)
    assert len(seen) > 2
