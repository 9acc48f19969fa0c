"""TG605: in which groups nobody is, and what is said of the statements about them."""

from __future__ import annotations

import pytest

POLICY = """\
zone wan {
  interface eth0
  group listed from "listed.txt"
  group all    = GROUP
}
zone lan {
  interface eth1
  network   192.168.1.0/24
}
allow ssh from lan to gateway
deny  ssh from all to gateway
"""


@pytest.mark.parametrize(
    ("listed", "entries", "empty"),
    [
        ("# nobody\n", "listed", ["listed", "all"]),
        ("# nobody\n", "listed, 192.0.2.1", ["listed"]),
        ("192.0.2.1\n", "listed", []),
        ("# only\n192.0.2.0/24 # them\n", "listed, 192.0.2.1", []),
    ],
)
def test_who_is_in(listed: str, entries: str, empty: list[str], check_text) -> None:
    text = POLICY.replace("GROUP", entries)
    found = check_text(text, [("listed.txt", listed)])
    assert [one.primary.span.text for one in found if one.rule.code == "TG605"] == empty
    assert [one.message for one in found if one.rule.code == "TG605"] == [
        f"nobody is in group `{name}`" for name in empty
    ]


def test_a_statement_about_nobody_is_not_told_besides(check_text) -> None:
    text = POLICY.replace("GROUP", "listed")
    found = check_text(text, [("listed.txt", "# nobody\n")])
    assert {one.rule.code for one in found} == {"TG605"}
    lan = text.replace("from all", "from lan except 192.168.1.0/24")
    found = check_text(lan, [("listed.txt", "192.0.2.1\n")])
    assert "TG607" in {one.rule.code for one in found}
