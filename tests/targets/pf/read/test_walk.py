"""What a ruleset of pf may say, and its walk does not model, is refused and never left out."""

from __future__ import annotations

import pytest

from tunnelgate.flows import axes
from tunnelgate.flows.crossings import Crossing, Fate, Piece
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate_targets.pf.read import Dialect
from tunnelgate_targets.pf.read.walk import walks

ADDRESSES = {"em0": (axes.address_of("203.0.113.1"),), "lo0": (axes.address_of("127.0.0.1"),)}


def fates(text: str, dialect: Dialect, interface: str = "em0", *, inward: bool) -> list[Fate]:
    walked = walks({"pf.conf": text}, dialect)[4].on(ADDRESSES)
    crossing = Crossing(inward, interface, interface)
    return [fate for _, fate in walked.crossed(Piece(), crossing)]


@pytest.mark.parametrize(
    ("text", "dialect", "why"),
    [
        ("binat on em0 inet from 10.0.0.1 to any -> 203.0.113.9\n", Dialect.CLASSIC, "`binat`"),
        ("no binat on em0 inet from 10.0.0.1 to any\n", Dialect.CLASSIC, "`binat`"),
        (
            "nat on em0 inet from 10.0.0.0/8 to any -> 203.0.113.0/28\npass quick\n",
            Dialect.CLASSIC,
            "several addresses",
        ),
        ("match out inet nat-to 203.0.113.0/28\npass quick\n", Dialect.MODERN, "several addresses"),
        (
            "match out inet nat-to { 203.0.113.1, 203.0.113.2 }\npass quick\n",
            Dialect.MODERN,
            "several addresses",
        ),
        ("match out inet nat-to (self:0)\npass quick\n", Dialect.MODERN, "several addresses"),
        ("block all\npass quick on any\n", Dialect.MODERN, "`any` interface"),
        ("block all\npass quick on ! any\n", Dialect.MODERN, "`any` interface"),
    ],
)
def test_what_is_refused(text: str, dialect: Dialect, why: str) -> None:
    with pytest.raises(Unmodelled, match=why):
        fates(text, dialect, inward=False)


def test_one_address_is_no_choice() -> None:
    for pool in ("203.0.113.1", "203.0.113.1/32", "(em0:0)"):
        assert fates(f"match out inet nat-to {pool}\npass quick\n", Dialect.MODERN, inward=False)


@pytest.mark.parametrize(
    ("asked", "interface", "passes"),
    [
        ("on em0", "em0", True),
        ("on em0", "em1", False),
        ("on ! em0", "em0", False),
        ("on ! em0", "em1", True),
        ("on em", "em1", True),
        ("on { em0, em1 }", "em1", True),
        ("received-on em0", "em0", True),
        ("received-on em1", "em0", False),
        ("! received-on em1", "em0", True),
        ("! received-on em0", "em0", False),
        ("! tagged x", "em0", True),
        ("tagged x", "em0", False),
    ],
)
def test_what_is_negated(asked: str, interface: str, passes: bool) -> None:
    text = f"block all\npass out quick {asked}\n"
    if "tagged" in asked or "received" in asked:
        text = f"block all\npass out quick all {asked}\n"
    found = fates(text, Dialect.MODERN, interface, inward=False)
    assert (Fate.KEPT in found or Fate.BOUND in found) is passes, found


@pytest.mark.parametrize(
    ("asked", "source"),
    [
        ("from 10.0.0.0/8", "10.1.2.3"),
        ("from ! 10.0.0.0/8", "192.0.2.1"),
        ("from <nets>", "10.1.2.3"),
        ("from ! <nets>", "10.9.2.3"),
        ("proto udp from any port 53", "10.1.2.3"),
    ],
)
def test_sides(asked: str, source: str) -> None:
    text = f"table <nets> const {{ 10.0.0.0/8, !10.9.0.0/16 }}\nblock all\npass quick {asked}\n"
    if "proto" not in asked:
        text = text.replace("quick", "quick inet")
    walked = walks({"pf.conf": text}, Dialect.MODERN)[4].on(ADDRESSES)
    kept = [
        piece
        for piece, fate in walked.crossed(Piece(), Crossing(True, "em0", "em0"))
        if fate in {Fate.KEPT, Fate.BOUND}
    ]
    held = [piece.sets[4] for piece in kept]
    assert held
    assert all(one is None or axes.address_of(source) in one for one in held)
