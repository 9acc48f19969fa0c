"""What was learned of tracked ESP, over loads of rulesets."""

from __future__ import annotations

import pytest
from gateway import run_commands
from tracked import ALICE, BOB, NAT, TRACKING, ZONES, tracked

from tunnelgate.target import Layout


@pytest.mark.parametrize("layout", ["whole", "shared"])
def test_a_load_keeps_what_was_learned(layout: Layout) -> None:
    with tracked(layout=layout) as made:
        made.tunnel(ALICE, 1)
        made.tunnel(BOB, 2)
        for text in (TRACKING, TRACKING + "allow ssh from lan to wan\n"):
            made.load(made.emit(ZONES + NAT + text, layout))
            assert [made.gets(0xB001), made.gets(0xB002)] == [ALICE, BOB]
            assert [made.passes(ALICE, 0xA001), made.passes(BOB, 0xA002)] == [True, True]
        rules = made.nft("list table inet tunnelgate-zones")
        assert rules.count("goto esp-from-host") == 1


@pytest.mark.parametrize("layout", ["whole", "shared"])
def test_a_policy_without_tracking_ends_it(layout: Layout) -> None:
    with tracked(layout=layout) as made:
        made.tunnel(ALICE, 1)
        made.load(made.emit(ZONES + NAT + "allow esp from alice to wan\n", layout))
        assert "tunnelgate-zones" not in made.nft("list tables")
        made.lab.flush_conntrack()
        assert made.passes(ALICE, 0xA001)
        assert made.gets(0xB001) == ALICE


@pytest.mark.parametrize("layout", ["whole", "shared"])
def test_unloading_takes_all_of_it_away(layout: Layout) -> None:
    with tracked(layout=layout) as made:
        run_commands(made.lab, made.output, made.output.requirements.unload)
        assert made.nft("list tables") == ""
