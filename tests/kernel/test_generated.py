"""Generated policies on real kernels: what each loader's ruleset does is what the policy means.

One ground at a time: the namespaces stay, and policy after policy is loaded into them.
`TUNNELGATE_POLICIES` sets how many policies, `TUNNELGATE_PACKETS` how many packets each is asked.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack

import pytest
from gateway import LOADERS, Gateway, read
from generator import ground, policy_text
from lab import Lab

from tunnelgate.target import find

POLICIES = int(os.environ.get("TUNNELGATE_POLICIES", "40"))
PACKETS = int(os.environ.get("TUNNELGATE_PACKETS", "40"))
ON_ONE_GROUND = 4


@pytest.mark.parametrize("seed", range(-(-POLICIES // ON_ONE_GROUND)))
def test_rulesets_do_what_policies_mean(seed: int) -> None:
    on = ground(random.Random(seed))
    with ExitStack() as stack:
        lab: Lab | None = None
        for number in range(ON_ONE_GROUND):
            text = policy_text(random.Random(f"{seed} {number}"), on)
            gateway = Gateway(read(text), lab)
            lab = lab or stack.enter_context(gateway.lab)
            for loader in LOADERS:
                if find(loader.partition("-")[0]).refuse(gateway.plan):
                    continue
                gateway.load(loader)
                for packet in gateway.packets(PACKETS, seed, own=True):
                    # on a busy machine one packet in a hundred thousand is late: asked twice
                    mismatch = gateway.check(packet) and gateway.check(packet)
                    assert mismatch is None, f"{loader}, {seed} {number}: {mismatch}\n{text}"
