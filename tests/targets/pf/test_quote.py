"""Text on its way into a pf.conf (pf.conf(5))."""

from __future__ import annotations

import pytest
from emitted import ZONES, output

from tunnelgate_targets.pf.quote import interface, label, plain, table, tag


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("allow ssh from lan to wan", "allow ssh from lan to wan"),
        ("a\\", "a/"),  # a backslash at the end of a comment swallows the next line
        ("a\r\nb", "a  b"),
        ("$if $nr $srcaddr", "%if %nr %srcaddr"),  # labels have these replaced
        ("é\u202e\x00\x1b", "????"),
    ],
)
def test_nothing_ends_a_line_or_a_string(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_quote_in_a_label_is_escaped() -> None:
    assert label('log "x"') == r'label "log \"x\""'


def test_a_label_has_63_bytes_at_most_and_its_quotes_count_once() -> None:
    assert label("x" * 63) == f'label "{"x" * 63}"'
    assert label("x" * 64) == f'label "{"x" * 60}..."'
    assert label('"' * 63) == 'label "' + '\\"' * 63 + '"'


def test_a_table_is_named_by_what_it_is_about_and_holds() -> None:
    assert table("lan", "a") != table("lan", "b")
    assert table("a" * 31, "x").strip("<>").startswith("tg.aaaa")
    assert len(table("a" * 31, "x").strip("<>")) == 31
    assert table("a b>", "x").startswith("<tg.a-b-.")


@pytest.mark.parametrize("name", ["lan", "tg:a b", 'tg:"', f"tg:{'x' * 61}", "tg:x\n"])
def test_what_is_no_tag(name: str) -> None:
    with pytest.raises(ValueError, match="is no tag"):
        tag(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("em0", "em0"),
        ("em0.100", "em0.100"),
        ("inet6", '"inet6"'),  # keywords of pf.conf
        ("all", '"all"'),
        ("-j", '"-j"'),
        ("6in4", '"6in4"'),
    ],
)
def test_an_interface_is_never_a_keyword(name: str, shown: str) -> None:
    assert interface(name) == shown


def test_the_address_of_an_interface_is_quoted_whole() -> None:
    assert interface("em0", ":0") == "em0:0"
    assert interface("pass", ":0") == '"pass:0"'


def test_an_interface_longer_than_pf_takes() -> None:
    with pytest.raises(ValueError, match="too long"):
        interface("x" * 16)


def test_a_file_is_ascii_ends_with_a_line_and_has_no_carriage_return(target: str) -> None:
    for text in output(ZONES + "allow ssh from lan to wan\n", target).files.values():
        assert text.isascii()
        assert text.endswith("\n")
        assert "\r" not in text
        assert "\\\n" not in text
