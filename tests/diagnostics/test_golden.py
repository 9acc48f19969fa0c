"""Whole outputs, compared with the plain files of golden/<case>/.

`TUNNELGATE_GOLDEN=write pytest tests/diagnostics` writes them anew; `git diff` is the review.
A case
has an output in each format that it has a file for: an empty file asks for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.render import Options, render

GOLDEN = Path(__file__).parent / "golden"
OUTPUTS = sorted(GOLDEN.glob("*/*.txt"))


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_output_is_the_golden_file(
    output: Path, load_case: Callable[[Path], list[Diagnostic]]
) -> None:
    colored = output.stem == "color"
    format = "full" if colored else output.stem
    text = render(format, load_case(output.parent), Options(color=colored))
    if os.environ.get("TUNNELGATE_GOLDEN") == "write":
        output.write_bytes(text.encode())
    assert text == output.read_bytes().decode()


def test_every_case_has_a_full_output() -> None:
    assert {path.parent for path in OUTPUTS if path.stem == "full"} == set(GOLDEN.iterdir())
