"""Which lines are one statement."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelgate.silencing.statements import Statement, Statements
from tunnelgate.source import SourceFile
from tunnelgate.syntax import parse

TEXT = """\
# a comment, that ends with a comma,
zone lan {  # the inside,
  interface eth1,

    # and
    eth2
  host a = 192.168.1.1  # "
}
allow ike ,esp  from "a # b" to lan
zone wan { interface eth0 }

protocol x = udp/1 +
  udp/2
"""


def statements(text: str) -> Statements:
    return Statements(SourceFile(text, "p.tg"))


def test_lines_of_a_text() -> None:
    found = statements(TEXT)
    assert [found.on(line) for line in range(1, 14)] == [
        None,
        head := Statement(2, 2, "", "zone lan {"),
        interfaces := Statement(3, 6, "lan", "interface eth1, eth2"),
        interfaces,
        interfaces,
        interfaces,
        Statement(7, 7, "lan", "host a = 192.168.1.1"),
        Statement(8, 8, "lan", "}"),
        Statement(9, 9, "", 'allow ike, esp from "a # b" to lan'),
        Statement(10, 10, "", "zone wan { interface eth0 }"),
        None,
        protocol := Statement(12, 13, "", "protocol x = udp/1 + udp/2"),
        protocol,
    ]
    assert found.beginning_on(2) == head
    assert found.beginning_on(13) is None


@pytest.mark.parametrize("text", ["", "\n", "#", "allow x,", "}\n}\n", "zone {", ","])
def test_no_text_is_too_broken(text: str) -> None:
    assert statements(text).on(99) is None


LINES = st.sampled_from(
    ["allow esp from a to b", "allow ike,", "  esp from a to b", "# c", "", "zone z {", "}", "x +"]
)


@settings(max_examples=60)
@given(st.lists(LINES, max_size=12).map("\n".join))
def test_statements_are_those_of_the_grammar(text: str) -> None:
    """Where the text can be read, a statement of the tree that is no zone is one here, too."""
    file = SourceFile(text, "p.tg")
    parsed = parse(file)
    found = Statements(file)
    for node in () if parsed.diagnostics else parsed.policy.statements:
        if not text[node.span.start :].startswith("zone"):
            lines = found.at(node.span)
            assert lines is not None
            assert (lines.first, lines.last) == (
                node.span.position.line,
                node.span.end_position.line,
            )
