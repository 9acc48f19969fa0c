"""The one table of codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from tunnelgate.diagnostics import Rule, catalogue

Offer = Callable[..., None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Puts modules with these rules in place of the real ones."""

    def put(*modules: tuple[Rule, ...]) -> None:
        names = tuple(f"rules_of_a_test_{number}" for number in range(len(modules)))
        for name, rules in zip(names, modules, strict=True):
            module = ModuleType(name)
            module.__dict__["RULES"] = rules
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(catalogue, "MODULES", names)

    return put


def test_rules_of_all_modules_by_code(offer: Offer, make_rule: Callable[..., Rule]) -> None:
    late, early = make_rule(code="TG601", name="b"), make_rule(code="TG001", name="a")
    offer((late,), (early,))
    assert list(catalogue.rules().items()) == [("TG001", early), ("TG601", late)]


def test_a_code_is_given_once(offer: Offer, make_rule: Callable[..., Rule]) -> None:
    offer((make_rule(name="a"),), (make_rule(name="b"),))
    with pytest.raises(AssertionError, match="TG201 is in the table already"):
        catalogue.rules()


def test_a_name_is_given_once(offer: Offer, make_rule: Callable[..., Rule]) -> None:
    offer((make_rule(code="TG201"), make_rule(code="TG202")))
    with pytest.raises(AssertionError, match="TG201 is named esp-from-many-hosts already"):
        catalogue.rules()


@pytest.mark.parametrize("word", ["TG201", "tg201", " TG201 ", "esp-from-many-hosts"])
def test_found_by_code_and_by_name(word: str, offer: Offer, make_rule: Callable[..., Rule]) -> None:
    offer((make_rule(), make_rule(code="TG202", name="other")))
    found = catalogue.find(word)
    assert found is not None
    assert found.code == "TG201"


def test_what_is_unknown_is_not_found(offer: Offer, make_rule: Callable[..., Rule]) -> None:
    offer((make_rule(),))
    assert catalogue.find("TG999") is None
    assert catalogue.find("") is None


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("TG21", "TG201"),
        ("tg2011", "TG201"),
        ("esp-from-many-host", "esp-from-many-hosts"),
        ("firewall", None),
    ],
)
def test_nearest(
    word: str, known: str | None, offer: Offer, make_rule: Callable[..., Rule]
) -> None:
    offer((make_rule(),))
    assert catalogue.nearest(word) == known
