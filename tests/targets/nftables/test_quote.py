"""Nothing that a policy says can become more than a string of the ruleset."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate_targets.nftables.quote import MAX_COMMENT, comment, plain, quote

ATTACKS = (
    '"; accept comment "',
    'x" accept\n\t\taccept comment "y',
    "x\n}\ntable inet evil { }",
    "x\r\naccept",
    "back\\slash\\",
    "# no comment",
    "$variable",
    "`command`",
    "{ } ; , :",
    "\u202eright to left\u2066",
    "\x00\x07\x1b[2K",
    "\u2028line\u2029separators\x85",
    "é" * 200,
    "a" * 500,
)


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_stay_inside_the_string(text: str) -> None:
    assert re.fullmatch(r'"[ !#-\[\]-~]*"', quote(text, MAX_COMMENT))
    assert len(quote(text, MAX_COMMENT)) <= MAX_COMMENT + 2
    assert comment(text).startswith('comment "')


@given(st.text(max_size=300))
def test_any_text_is_one_line_of_printable_ascii(text: str) -> None:
    assert re.fullmatch(r"[ !#-\[\]-~]*", plain(text))
    assert len(plain(text)) == len(text)


@given(
    st.text(
        alphabet=st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'),
        max_size=128,
    )
)
def test_what_is_harmless_is_kept(text: str) -> None:
    assert quote(text, MAX_COMMENT) == f'"{text}"'


def test_a_long_text_shows_that_it_was_cut() -> None:
    assert quote("a" * 200, 10) == '"aaaaaaa..."'
