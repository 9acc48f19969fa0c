"""What a test cannot do without, and what becomes of it where a machine lacks that."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    """Skip the test for what this machine lacks; in CI that is a failure.

    What a machine may truly not have is asked by the test itself, with `pytest.skip`: an option
    that its kernel was not built with, or to be no root (tests/cli/test_fmt.py).
    """
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI must have it")
    pytest.skip(reason)
