"""What the cases become is taken by the running kernel, where a target can ask one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunnelgate import conformance
from tunnelgate.conformance import Case
from tunnelgate.target import find

ASKABLE = {"nftables": "nft", "iptables": "iptables-restore"}


@pytest.mark.parametrize("target", ASKABLE)
@pytest.mark.parametrize("case", conformance.CASES, ids=str)
def test_the_kernel_takes_it(case: Case, target: str, need: Callable[[str], str]) -> None:
    need(ASKABLE[target])
    asked = find(target)
    if not asked.refuse(case.plan, case.setup):
        asked.validate(asked.emit(case.plan, case.setup).files)
