"""Of many findings of one kind the report for people shows the first, and counts the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tunnelgate.diagnostics import Diagnostic, Rule
from tunnelgate.diagnostics.render import render


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
