"""Of many findings of one kind the report for people shows the first, and counts the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tunnelgate.diagnostics import Diagnostic, Rule
from tunnelgate.diagnostics.render import Options, render


def test_many_of_one_kind(
    make_finding: Callable[..., Diagnostic], make_rule: Callable[..., Rule]
) -> None:
    one, other = make_rule(code="TG900"), make_rule(code="TG901")
    findings = [replace(make_finding(), rule=rule) for rule in (*[one] * 53, other)]
    text = render("full", findings)
    assert text.count("[TG900]") == 50
    assert text.count("[TG901]") == 1
    assert "TG900: 3 more like these; `--format concise` shows every one" in text
    assert "54 errors" in text
    assert render("concise", findings).count("TG900") == 53


PAGES = "https://example.org/rules"
LINK = "\x1b]8;;https://example.org/rules/TG201.md\x1b\\error[TG201]\x1b]8;;\x1b\\"


def test_the_code_is_a_link_to_its_page(make_finding):
    text = render("full", [make_finding()], Options(color=True, pages=PAGES))
    assert text.startswith(f"\x1b[1;31m{LINK}\x1b[0m")


def test_where_there_are_no_colours_or_no_address_there_is_no_link(make_finding):
    plain = render("full", [make_finding()])
    assert render("full", [make_finding()], Options(pages=PAGES)) == plain
    assert "\x1b]8" not in render("full", [make_finding()], Options(color=True))


def test_an_address_commands_no_terminal(make_finding):
    text = render("full", [make_finding()], Options(color=True, pages="https://x/\x1b]0;title\x07"))
    assert "\x1b]0" not in text
    assert "<U+001B>]0;title<U+0007>" in text
