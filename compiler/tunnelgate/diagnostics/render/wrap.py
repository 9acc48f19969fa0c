"""Paragraphs of a terminal's width, measured in columns (textwrap counts characters)."""

from __future__ import annotations

from tunnelgate.diagnostics.render.visible import clipped, visible
from tunnelgate.diagnostics.width import text_width

#: Narrower text is harder to read than text that the terminal breaks.
NARROWEST = 40


def wrap(text: str, width: int, taken: int = 0) -> list[str]:
    """The words of a text in lines of at most `width` columns; a longer word has its own line.

    Of the first line, `taken` columns are in use already. There is always a first line. An absurdly
    long text is cut.
    """
    width = max(width, NARROWEST)
    lines = [""]
    used = taken
    for word in map(visible, clipped(text).split()):
        needed = text_width(word)
        if not lines[-1]:
            lines[-1] = word
            used += needed
        elif used + 1 + needed <= width:
            lines[-1] += f" {word}"
            used += 1 + needed
        else:
            lines.append(word)
            used = needed
    return lines
