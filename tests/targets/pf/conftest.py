"""Both dialects, for what is the same in them."""

from __future__ import annotations

import pytest
from emitted import TARGETS


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
