"""The one way of text into a ruleset for iptables-restore.

A newline inside `--comment "…"` injects a rule and an open quote swallows the verdict, both with
exit status 0 (kernel facts, Syntax traps). So nothing that could end a string or a line is let
through: a double quote becomes a single one, a backslash (the escape of iptables-restore) a slash,
and what cannot be printed a question mark. `#` and `%` mean nothing inside a string.
"""

from __future__ import annotations

#: `struct xt_comment_info` of the kernel holds 256 bytes, the last one zero.
MAX_COMMENT = 255
#: iptables-extensions(8), LOG: "up to 29 letters long".
MAX_PREFIX = 29

_INSTEAD = {'"': "'", "\\": "/", "\n": " ", "\r": " ", "\t": " "}
_ELLIPSIS = "..."


def plain(text: str) -> str:
    """Text on one line, without double quotes, backslashes, and what cannot be printed."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    shown = (_INSTEAD.get(char, char) for char in text)
    return "".join(char if char.isprintable() else "?" for char in shown)


def cut(text: str, limit: int) -> str:
    """Text of at most `limit` bytes; three dots stand for what was cut."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len(_ELLIPSIS)].decode(errors="ignore") + _ELLIPSIS


def quote(text: str, limit: int) -> str:
    """A string for iptables-restore, quotes included."""
    return f'"{cut(plain(text), limit)}"'


def comment(text: str) -> str:
    """The match that carries a comment."""
    return f"-m comment --comment {quote(text, MAX_COMMENT)}"


def log_prefix(text: str) -> str:
    """The option of LOG that carries a prefix; `refuse` has seen to it that nothing is cut."""
    return f"--log-prefix {quote(text, MAX_PREFIX)}"
