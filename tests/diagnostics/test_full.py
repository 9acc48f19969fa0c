"""Of many findings of one kind the report for people shows the first, and counts the rest."""

from __future__ import annotations

from collections.abc import Callable

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.diagnostics.render import render


def test_many_of_one_kind(make_finding: Callable[..., Diagnostic], make_rule: Callable[..., object]) -> None:
    rule, other = make_rule(code="TG900", name="one"), make_rule(code="TG901", name="other")
    findings = [make_finding(rule=rule) for _ in range(53)] + [make_finding(rule=other)]
    text = render("full", findings)
    assert text.count("[TG900]") == 50
    assert text.count("[TG901]") == 1
    assert "TG900: 3 more like these; `--format concise` shows every one" in text
    assert "54 errors" in text
    assert render("concise", findings).count("TG900") == 53
