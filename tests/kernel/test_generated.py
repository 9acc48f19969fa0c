"""Generated policies on real kernels: what each loader's ruleset does is what the policy means.

One ground at a time: the namespaces stay, and policy after policy is loaded into them.
`TUNNELGATE_POLICIES` sets how many policies, `TUNNELGATE_PACKETS` how many packets each is asked.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from typing import Any

import pytest
from exchange import Exchange, Mismatch
from gateway import LOADERS, Gateway, read
from generator import ground, policy_text
from lab import Lab

from tunnelgate.flows import axes
from tunnelgate.meaning import Packet
from tunnelgate.target import find

POLICIES = int(os.environ.get("TUNNELGATE_POLICIES", "240"))
PACKETS = int(os.environ.get("TUNNELGATE_PACKETS", "60"))
ON_ONE_GROUND = 6


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
                mismatch = first_mismatch(gateway, f"{seed} {number}")
                assert mismatch is None, f"{loader}, {seed} {number}: {mismatch}\n{text}"


def first_mismatch(gateway: Gateway, seed: str) -> Mismatch | None:
    """Packets in whatever shape, each alone and beside the connection of the one before."""
    choose = random.Random(seed)
    before: Exchange | None = None
    for packet in gateway.packets(PACKETS, seed, own=True):
        exchange = Exchange(gateway, packet, **shape(packet, choose))
        if before is not None and (found := exchange.mismatch_beside(before)):
            return found
        for _ in range(2):  # on a busy machine one packet in a hundred thousand is late
            gateway.lab.flush_conntrack()
            found = exchange.mismatch()
            if found is None:
                break
        else:
            return found
        before = exchange
    return None


def shape(packet: Packet, choose: random.Random) -> dict[str, Any]:
    """What the meaning of a packet does not depend on: how it is cut, and what it carries."""
    fields: dict[str, Any] = {}
    if choose.random() < 0.3:
        fields |= {"fragment": choose.choice((64, 128, 200)), "size": 300}
    if axes.family(packet.source) == 6 and choose.random() < 0.4:
        fields["extensions"] = choose.choice(_EXTENSIONS)
    match packet.l4 >> 16:
        case axes.TCP:
            fields["flags"] = choose.choice("SSA")  # what is under way is taken for a beginning
        case axes.AH:
            fields |= {"inner": choose.choice(_INNER), "dport": choose.choice(_DPORTS)}
        case axes.GRE:
            fields["key"] = choose.choice((None, 7))
    return fields


_EXTENSIONS = (("dstopts",), ("hopopts",), ("hopopts", "dstopts"), ("fragment",))
_INNER = ("tcp", "tcp", "udp", "esp", "ipip")
_DPORTS = (22, 500, 4500, 443, 1701)
