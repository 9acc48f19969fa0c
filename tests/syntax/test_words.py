"""What messages call things, and the nearest known word."""

from __future__ import annotations

import pytest

from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.syntax.reader import tools
from tunnelgate.syntax.words import FORMS, MEMBERS, SIGNS, STATEMENTS, must_follow, one_of

ATOMS = {"NAME", "IFNAME", "ADDRESS", "LITERAL", "PARAM", "STRING", "INT", "RATE", "SPI"}


def test_every_terminal_has_a_name_for_readers() -> None:
    terminals = {terminal.name for terminal in tools().grammar.terminals}
    assert terminals - ATOMS - set(SIGNS) == {"_NL", "COMMENT", "WS", "VERDICT"}
    assert set(SIGNS) <= terminals


def test_every_statement_has_a_form() -> None:
    assert set(FORMS) == {*STATEMENTS, *MEMBERS}


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("alow", "allow"),
        ("Allow", "allow"),
        ("alolw", "allow"),
        ("dney", "deny"),
        ("forwrad", "forward"),
        ("exepct", "expect"),
        ("zones", "zone"),
        ("x", None),
        ("xyzzy", None),
        ("", None),
        ("a" * 1000, None),
    ],
)
def test_nearest(word: str, meant: str | None) -> None:
    assert nearest(word, STATEMENTS) == meant


def test_lists_of_words() -> None:
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "a or b"
    assert one_of(["a", "b", "c"]) == "a, b or c"


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ({"_COMMA", "_TO", "_AT", "_EXCEPT"}, ["`to`"]),
        ({"NAME", "ADDRESS", "PARAM"}, ["a place"]),
        ({"VERDICT", "NAME", "LITERAL", "PARAM"}, ["`allow`", "`deny`", "a protocol"]),
        ({"_NL", "$END"}, []),
    ],
)
def test_what_must_follow(expected: set[str], told: list[str]) -> None:
    assert must_follow(expected) == told
