"""The model is what the kernel does, tunnels included: packets aimed at each statement, out of its
tunnel and in clear, and the answers to them.
"""

from __future__ import annotations

import pickle
import time

import pytest
from fate import JIFFIES, unexpected
from trial import Trials
from tunnels import POLICIES

from conftest import Opened

NAMES = sorted(file.parent.name for file in POLICIES.glob("*/trials"))


@pytest.mark.parametrize("name", NAMES)
def test_packets_do_what_the_model_says(opened: Opened, name: str) -> None:
    try_all(opened, name, "whole")


def test_they_do_so_beside_the_rules_of_others(opened: Opened) -> None:
    try_all(opened, "office", "shared")


def try_all(opened: Opened, name: str, layout: str) -> None:
    tried: Trials = pickle.loads((POLICIES / name / "trials").read_bytes())
    lab = opened(name, *tried.tunnels, wires=tried.wires, layout=layout)
    lab.up()
    wrong = []
    for probe, fate, is_answered, waits in tried.trials:
        lab.flush_conntrack()
        if waits:
            time.sleep(JIFFIES)
        seen = unexpected(lab, probe, fate, is_answered=is_answered)
        if seen is not None:
            wrong.append(f"{probe}\n  should: {fate}\n  seen: {seen}")
    assert not wrong, f"{len(wrong)} of {len(tried.trials)}\n" + "\n".join(wrong[:5])
