"""Columns that characters take."""

from __future__ import annotations

import pytest

from tunnelgate.diagnostics.width import text_width


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("allow", 5),
        ("é", 1),
        ("e\u0301", 1),
        ("a\u20dd", 1),
        ("東京", 4),
        ("\uff46\uff55\uff4c\uff4c", 8),
        ("ﾊﾝｶｸ", 4),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("🔒", 2),
        ("…", 1),
    ],
    ids=ascii,
)
def test_width(text: str, columns: int) -> None:
    assert text_width(text) == columns
