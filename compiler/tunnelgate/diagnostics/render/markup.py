"""Text as Markdown that shows it as it is, whatever it says: also where a policy gave the words."""

from __future__ import annotations

import re

#: What Markdown or the HTML in it would take for more than text.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>&~@:$-])")
#: What sites make links and mentions of in rendered text, where a backslash is gone.
_LINKED = re.compile(r"[@#]|://|www\.|GH-\d", re.IGNORECASE)
_BLANKS = re.compile(r"(\s+)")
#: What ends a code span, or the cell it is in.
_ENDS = re.compile(r"[`|\r\n]")
#: What would be markup inside an HTML element.
_MARKS = re.compile(r"[^A-Za-z0-9 ./,;=-]")


def escaped(text: str) -> str:
    """Prose that is nothing but text; a word that would become a link is code."""
    return "".join(
        code(word) if _LINKED.search(word) else _SPECIAL.sub(r"\\\1", word)
        for word in _BLANKS.split(text)
    )


def with_code(text: str) -> str:
    """Prose in which words between backticks stay code."""
    parts = text.split("`")
    return "".join(code(one) if at % 2 else escaped(one) for at, one in enumerate(parts))


def code(text: str) -> str:
    """Text as code, in a cell of a table too: nothing in it ends the code, the cell or the line.

    What would is written as an HTML element: a backslash in a code span is a backslash.
    """
    if not _ENDS.search(text):
        return f"`{text}`" if text else ""
    return f"<code>{_MARKS.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"
