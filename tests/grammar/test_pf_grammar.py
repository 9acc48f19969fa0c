"""The grammar of pf.conf has no conflicts, and a keyword is one wherever it stands."""

from __future__ import annotations

from collections.abc import Callable

import lark
import pytest

from tunnelgate_grammar import grammar_text, open_grammar


def test_strict(need_package: Callable[[str], None]) -> None:
    """Neither in the tables nor between terminals; needs `lark[interegular]`."""
    need_package("interegular")
    lark.Lark(grammar_text("pf"), parser="lalr", lexer="basic", strict=True)


@pytest.mark.parametrize("text", ["passin on em0\n", "interface\n", "pass in on in\n"])
def test_words_end_where_pfctl_ends_them(text: str) -> None:
    with pytest.raises(lark.UnexpectedToken):
        open_grammar("pf", lexer="basic").parse(text)


def test_the_lexer_is_part_of_what_is_remembered() -> None:
    """Tables of one lexer are never used for the other: `in` is a name where it may be one."""
    text = "pass in on em0 tag in\n"
    open_grammar("pf", lexer="contextual").parse("pass in on em0\n")
    with pytest.raises(lark.UnexpectedToken):
        open_grammar("pf", lexer="basic").parse(text)
