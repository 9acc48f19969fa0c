r"""The one way of text into a pf.conf.

pfctl reads on behind a line end that follows a backslash, in comments too, and refuses carriage
returns; inside `"…"` only `\"` is an escape, and a label has `$if`, `$nr`, … replaced (pf.conf(5)).
So what comes out is printable ASCII on one line, without backslashes and dollars.
"""

from __future__ import annotations

import re
from hashlib import blake2s

#: Less the final zero each: PF_RULE_LABEL_SIZE, PF_TAG_NAME_SIZE, PF_TABLE_NAME_SIZE, IFNAMSIZ.
MAX_LABEL, MAX_TAG, MAX_TABLE, MAX_INTERFACE = 63, 63, 31, 15

_INSTEAD = {"\\": "/", "$": "%", "\n": " ", "\r": " ", "\t": " "}
_ELLIPSIS = "..."
_TAG = re.compile(r"tg[.:][\w.:-]+", re.ASCII)
#: What pfctl takes for a name without quotes: no keyword of it ends in a digit but these.
_PLAIN_INTERFACE = re.compile(r"(?!inet6$|icmp6$)[a-z]+[0-9]+(?:\.[0-9]+)?", re.ASCII)
_DIGITS = 10


def plain(text: str) -> str:
    """Text on one line of printable ASCII, without backslashes and dollars."""
    shown = (_INSTEAD.get(char, char) for char in text)
    return "".join(char if " " <= char <= "~" else "?" for char in shown)


def cut(text: str, limit: int) -> str:
    """Text of at most `limit` characters; three dots stand for what was cut."""
    return text if len(text) <= limit else f"{text[: limit - len(_ELLIPSIS)]}{_ELLIPSIS}"


def quote(text: str, limit: int) -> str:
    """A string for pfctl, quotes included; the limit is that of the text itself."""
    inside = cut(plain(text), limit).replace('"', '\\"')
    return f'"{inside}"'


def label(text: str) -> str:
    """The label of a rule."""
    return f"label {quote(text, MAX_LABEL)}"


def tag(name: str) -> str:
    """A tag of ours, which needs no quotes.

    Raises:
        ValueError: it is too long, or none of ours.
    """
    if len(name) > MAX_TAG or not _TAG.fullmatch(name):
        raise ValueError(f"`{name}` is no tag")
    return name


def interface(name: str, modifier: str = "") -> str:
    """An interface or a group of them, in quotes where pfctl might read something else.

    Raises:
        ValueError: it is too long: `refuse` has seen to that.
    """
    if len(name) > MAX_INTERFACE:
        raise ValueError(f"`{name}` is too long for an interface")
    text = f"{name}{modifier}"
    return text if _PLAIN_INTERFACE.fullmatch(name) else quote(text, len(text))


def table(word: str, content: str) -> str:
    """The name of a table by its content, so that one content is one table."""
    word = re.sub(r"[^\w-]", "-", word, flags=re.ASCII)
    readable = f"tg.{word}"[: MAX_TABLE - _DIGITS - 1]
    return f"<{readable}.{digest(content)}>"


def digest(text: str) -> str:
    """Ten hexadecimal digits that stand for a text."""
    return blake2s(text.encode(), digest_size=_DIGITS // 2).hexdigest()
