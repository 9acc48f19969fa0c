"""Comments, joined lines and macros, as pfctl reads them; measured with pfctl of OpenBSD 7.7."""

from __future__ import annotations

import pytest

from tunnelgate_targets.pf.read import Dialect, Refused, read
from tunnelgate_targets.pf.read.lexis import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pass # all of it\n", "pass \n"),
        ("pass in \\\n  quick\n", "pass in   quick\n\n"),
        ("# one \\\npass in\npass out\n", "\n\npass out\n"),
        ('if = "em0"\npass in on $if\n', "\npass in on em0\n"),
        ('if = "em0"\npass to ($if:network)\n', "\npass to (em0:network)\n"),
        ("a = ssh\nb = $a 80 'x y'\npass to { $b }\n", "\n\npass to { ssh 80 x y }\n"),
        ('a = "em0"\npass label "$a \\" #"\n', '\npass label "$a \\" #"\n'),
        ("a = 1\na = 2\npass to port $a\n", "\n\npass to port 2\n"),
        ('net = "10.0.0.0"\npass from !$net/8\n', "\npass from !10.0.0.0/8\n"),
        ("\tpass\n", "\tpass\n"),
    ],
)
def test_a_line_is_where_it_was(text: str, expected: str) -> None:
    assert plain(text).text == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("pass\r\nblock\r\n", 1, "a carriage return ends no line"),
        ("\npass $x\n", 2, "the macro `x` is not defined"),
        ('a = "x" # \\\nb = "y"\npass label $b\n', 3, "the macro `b` is not defined"),
        ("pass = 1\n", 1, "`pass` is a keyword, and no name of a macro"),
        ("nets = { 10.0.0.1 }\n", 1, "a `{` in the value of a macro stands in quotes"),
        ("a =\n", 1, "the macro `a` has no value"),
        ("pass ; block\n", 1, "`;` begins no word"),
        ('pass label "open\n', 1, '`"` begins no word'),
    ],
)
def test_what_is_no_pf_conf(text: str, line: int, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        plain(text)
    assert (caught.value.line, caught.value.reason) == (line, reason)


def test_the_last_line_may_lack_its_end_in_the_modern_dialect_alone() -> None:
    """FreeBSD 12 calls it a syntax error; OpenBSD ends it."""
    assert len(read("block\npass", Dialect.MODERN).rules) == 2
    with pytest.raises(Refused, match="line 2: the last line has no end"):
        read("block\npass", Dialect.CLASSIC)
