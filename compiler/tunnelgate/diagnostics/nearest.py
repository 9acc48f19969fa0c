"""The known word that a misspelt one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be; None where none is near enough.

    Near is up to one slip (a letter more, less, other, or two swapped) for each three letters.
    """
    if not 2 <= len(word) <= 40:
        return None
    limit = max(1, len(word) // 3)
    near = (other for other in known if abs(len(other) - len(word)) <= limit)
    slips, other = min(
        ((_slips(word.lower(), other.lower()), other) for other in near), default=(99, "")
    )
    return other if slips <= limit and slips < len(other) else None


def _slips(one: str, other: str) -> int:
    """How many slips lie between two words (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, match in enumerate(other, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != match)))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == match:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]
