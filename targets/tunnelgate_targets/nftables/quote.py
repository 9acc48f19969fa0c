"""The one way of text into an nftables ruleset.

nft knows no escape inside `"…"`: a quote ends the string, and what follows is a rule (targets
page, Text in a ruleset). So nothing that could end a string or a line is let through; what comes
out is printable ASCII without quotes.
"""

from __future__ import annotations

#: nft refuses longer comments (NFTNL_UDATA_COMMENT_MAXLEN) and log prefixes (NF_LOG_PREFIXLEN).
MAX_COMMENT = 128
MAX_PREFIX = 127

_INSTEAD = {'"': "'", "\\": "/", "\t": " ", "\n": " "}


def plain(text: str) -> str:
    """Text on one line of printable ASCII, without quotes and backslashes."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    shown = (_INSTEAD.get(char, char) for char in text)
    return "".join(char if " " <= char <= "~" else "?" for char in shown)


def cut(text: str, limit: int) -> str:
    """Text of at most `limit` characters; what is cut shows three dots."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def quote(text: str, limit: int) -> str:
    """A string for nft, quotes included."""
    return f'"{cut(plain(text), limit)}"'


def comment(text: str) -> str:
    """The comment of a rule."""
    return f"comment {quote(text, MAX_COMMENT)}"
