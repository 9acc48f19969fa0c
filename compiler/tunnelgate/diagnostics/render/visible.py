"""Text of a policy made safe to print: a terminal obeys characters that people cannot see.

An escape sequence can rewrite what is on the screen, and a bidirectional control can show a rule
in another order than the compiler reads it (CVE-2021-42574, "Trojan Source").
"""

from __future__ import annotations

#: Messages quote the policy, and a word of a policy may be megabytes long.
_LONGEST = 4000


def visible_char(char: str) -> str:
    """The character, or its number where it cannot be seen: `<U+202E>`.

    `str.isprintable` refuses controls, format characters, surrogates, characters not assigned,
    and every space but the common one: a no-break space looks right and is read as an error.
    """
    return char if char.isprintable() else f"<U+{ord(char):04X}>"


def clipped(text: str) -> str:
    """The text, cut where it is absurdly long."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def visible(text: str) -> str:
    """A text as one line that is safe to print, cut where it is absurdly long."""
    text = clipped(text)
    return text if text.isprintable() else "".join(map(visible_char, text))
