"""The one way of text into a ruleset for iptables-restore.

A newline inside `--comment "…"` injects a rule and an open quote swallows the verdict, both with
exit status 0 (targets page, Text in a ruleset). So nothing that could end a string or a line is let
through: a double quote becomes a single one, a backslash (the escape of iptables-restore) a slash,
and what is no printable ASCII a question mark. `#` and `%` mean nothing inside a string.
"""

from __future__ import annotations

import re

#: `struct xt_comment_info` of the kernel holds 256 bytes, the last one zero.
MAX_COMMENT = 255
#: iptables-extensions(8), LOG: "up to 29 letters long".
MAX_PREFIX = 29

_INSTEAD = {'"': "'", "\\": "/", "\n": " ", "\r": " ", "\t": " "}
#: IFNAMSIZ less the final zero.
MAX_INTERFACE = 15
_PLAIN_NAME = re.compile(r"\w[\w.-]*\+?", re.ASCII)
_ELLIPSIS = "..."


def plain(text: str) -> str:
    """Text on one line of printable ASCII, without double quotes and backslashes."""
    shown = (_INSTEAD.get(char, char) for char in text)
    return "".join(char if " " <= char <= "~" else "?" for char in shown)


def cut(text: str, limit: int) -> str:
    """Text of at most `limit` characters; three dots stand for what was cut."""
    return text if len(text) <= limit else f"{text[: limit - len(_ELLIPSIS)]}{_ELLIPSIS}"


def quote(text: str, limit: int) -> str:
    """A string for iptables-restore, quotes included."""
    return f'"{cut(plain(text), limit)}"'


def interface(name: str) -> str:
    """The name of an interface, in quotes where it holds more than letters and digits."""
    return name if _PLAIN_NAME.fullmatch(name) else quote(name, MAX_INTERFACE)


def comment(text: str) -> str:
    """The match that carries a comment."""
    return f"-m comment --comment {quote(text, MAX_COMMENT)}"


def log_prefix(text: str) -> str:
    """The option of LOG that carries a prefix; `refuse` has seen to it that nothing is cut."""
    return f"--log-prefix {quote(text, MAX_PREFIX)}"
