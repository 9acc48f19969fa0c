"""How many columns of a terminal text takes (Unicode Annex 11, by the standard library)."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, east_asian_width

#: Conjoining Hangul vowels and finals are drawn into the syllable before them.
_JAMO = range(0x1160, 0x1200)


@lru_cache(maxsize=4096)
def char_width(char: str) -> int:
    """0 for a mark drawn over the character before it, 2 for a wide character, else 1.

    Meaningless for control characters: those must never reach a terminal (see render/visible.py).
    """
    if category(char) in ("Mn", "Me") or ord(char) in _JAMO:
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1


def text_width(text: str) -> int:
    """The columns that a line of printable text takes."""
    return len(text) if text.isascii() else sum(map(char_width, text))
