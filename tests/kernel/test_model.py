"""The model is what the kernel does: random packets of every example, and the answers to them.

The packets lean towards what the policy speaks of: its addresses and their neighbours, its channels
and those beside them, spoofed sources. `TUNNELGATE_PACKETS` sets how many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway import LOADERS, Gateway, read, read_file
from sample_policies import CROWD, MIXTURE, NOTED, TRANSLATED

from tunnelgate.source import SourceFile
from tunnelgate.target import Layout, find

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[2] / "examples").glob("*/*.tg")
    if path.parent.name not in {"broken", "ansible"} and path.stem != "broken"
)
PACKETS = int(os.environ.get("TUNNELGATE_PACKETS", "80"))


@pytest.fixture(
    scope="module",
    params=[*EXAMPLES, MIXTURE, CROWD, TRANSLATED, NOTED],
    ids=lambda one: one.stem if isinstance(one, Path) else one.split()[1],
)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    file = read_file(request.param)
    # what a packet does depends on it alone where no credit can run out
    text = re.sub(r"limit \d+/\w+", "limit 100000/second", file.text)
    made = Gateway(read(SourceFile(text, file.path, file.name, file.library)))
    yield made
    made.close()


@pytest.mark.parametrize("layout", ["whole", "shared"])
@pytest.mark.parametrize("loader", LOADERS)
def test_packets_do_what_the_model_says(gateway: Gateway, loader: str, layout: Layout) -> None:
    if find(loader.partition("-")[0]).refuse(gateway.plan):
        pytest.skip("the target refuses this policy")
    gateway.load(loader, layout)
    mismatches = [
        str(mismatch)
        for packet in gateway.packets(PACKETS, seed=20)
        if (mismatch := gateway.check(packet)) is not None
    ]
    assert not mismatches, "\n".join(mismatches[:5])
