"""The known word that a misspelt one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The nearest of the known words, None where none is near enough to be worth saying."""
    words = sorted(set(known))
    same = [one for one in words if one.lower() == word.lower()]
    return next(iter(same or get_close_matches(word, words, n=1, cutoff=0.7)), None)
