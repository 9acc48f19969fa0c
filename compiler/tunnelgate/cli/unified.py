"""What a change of a text is, as `diff -u` shows it."""

from __future__ import annotations

from difflib import unified_diff

_UNENDED = "\n\\ No newline at end of file\n"


def unified(old: str, new: str, name: str) -> str:
    """The unified diff of two texts of one file; empty where they are the same."""
    lines = unified_diff(_lines(old), _lines(new), name, name)
    return "".join(line if line.endswith("\n") else f"{line}{_UNENDED}" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines with their ends; `str.splitlines` would end them at other characters too."""
    *whole, last = text.split("\n")
    return [*(f"{line}\n" for line in whole), *filter(None, [last])]
