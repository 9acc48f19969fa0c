"""Mistakes between the words of a statement: what joins them, and what ought to follow."""

from __future__ import annotations

import re

from tunnelgate.diagnostics import Diagnostic, Safety
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.syntax.trouble import Level, Trouble, quote
from tunnelgate.syntax.words import END, FORMS, JOINTS, MEMBERS, SIGNS, STATEMENTS, fixed_words

ONE_A_LINE = "a line holds one statement"
_JOINED = "the items of a list are joined with `,`"

#: What a list may stand behind.
_BEFORE_A_LIST = ("=", ",", *JOINTS, *MEMBERS, "allow", "deny")

#: What a name, an address or another item of a list begins with.
_ITEM = re.compile(r'[A-Za-z0-9$:"]')


def option_missing(trouble: Trouble) -> Diagnostic | None:
    """`with`, and nothing or no name behind it."""
    if trouble.before.text != "with" or "NAME" not in trouble.expected:
        return None
    at = trouble.before if not trouble.word.text else trouble.word
    return trouble.found(
        "`with` needs an option",
        "name one, e.g. `with log`, or leave `with` out",
        at=(at.start, at.end),
    )


def misspelt_verdict(trouble: Trouble) -> Diagnostic | None:
    """`expect alow esp`, where `alow` was taken for the protocol."""
    before, meant = trouble.before, nearest(trouble.before.text, ("allow", "deny"))
    if trouble.verb != "expect" or trouble.neighbour(-2).text != "expect" or meant is None:
        return None
    return trouble.found(
        f"unknown verdict {quote(before.text)}",
        f"did you mean `{meant}`?",
        at=(before.start, before.end),
        replace=(before.start, before.end, meant),
    )


def misspelt_joint(trouble: Trouble) -> Diagnostic | None:
    """`form` where `from` was expected."""
    meant = nearest(trouble.word.text, fixed_words(trouble.expected))
    if meant is None or trouble.follows(meant):
        return None
    return trouble.did_you_mean(trouble.expectation, meant)


def blank_missing(trouble: Trouble) -> Diagnostic | None:
    """`fromlan` where `from` was expected."""
    word = trouble.word
    for joint in fixed_words(trouble.expected):
        if joint.isalpha() and word.text.startswith(joint) and not trouble.follows(joint):
            behind = word.start + len(joint)
            return trouble.found(
                f"expected a blank after `{joint}`",
                f"write `{joint} {word.text[len(joint) :]}`",
                replace=(behind, behind, " "),
            )
    return None


def comma_missing(trouble: Trouble) -> Diagnostic | None:
    """Two items of a list with only a blank between them; the list goes on to its end."""
    word, before = trouble.word, trouble.before
    if "_COMMA" not in trouble.expected or not _is_item(word.text):
        return None
    ends = [sign for sign in ("from", "to") if f"_{sign.upper()}" in trouble.expected]
    if not any(trouble.follows(sign) for sign in ends):
        return None
    return trouble.found(
        f"expected `,` before {quote(word.text)}",
        _JOINED,
        replace=(before.end, before.end, ","),
    )


def comma_too_many(trouble: Trouble) -> Diagnostic | None:
    """`esp, from`: a list that does not go on behind its `,`."""
    word, before = trouble.word, trouble.before
    if before.text not in (",", "+") or word.text not in JOINTS:
        return None
    return trouble.found(
        trouble.expectation,
        f"name one more, or leave the `{before.text}` out",
        replace=(before.start, before.end, ""),
        safety=Safety.SHOWN,
    )


def braces(trouble: Trouble) -> Diagnostic | None:
    """`from { a, b }`, as nftables and pf write a list."""
    word, text = trouble.word, trouble.text
    behind = (each for each in trouble.words[trouble.index + 1 :] if each.text in ("{", "}"))
    closing = next(behind, None)
    if word.text != "{" or trouble.before.text not in _BEFORE_A_LIST:
        return None
    if closing is None or closing.text == "{":
        return None
    inside = text[word.end : closing.start].strip()
    is_apart = text[word.start - 1].isspace() and not text[closing.end : closing.end + 1].strip()
    return trouble.found(
        "a list has no braces",
        f"{_JOINED}, and that is all",
        replace=(word.start, closing.end, inside) if inside and is_apart else None,
        safety=Safety.SAFE,
    )


def _is_item(text: str) -> bool:
    """Whether a word may be one of a list: a name, an address, a literal, a string."""
    return _ITEM.match(text) is not None and text not in (*JOINTS, *STATEMENTS)


def otherwise_expected(trouble: Trouble) -> Diagnostic:
    """What was expected, and how to get there where there is one way only."""
    word, message = trouble.word, trouble.expectation
    is_item = _is_item(word.text)
    if END in trouble.expected and word.text in STATEMENTS:
        return trouble.found(message, ONE_A_LINE)
    if END in trouble.expected and "_COMMA" in trouble.expected and is_item:
        end = trouble.before.end
        return trouble.found(message, _JOINED, replace=(end, end, ","))
    needed = [
        SIGNS[name] for name in ("_FROM", "_TO", "EQUAL", "COLON") if name in trouble.expected
    ]
    if len(needed) == 1 and is_item and not trouble.follows(needed[0]):
        where = (word.start, word.start, needed[0] + " ")
        return trouble.found(message, f"write `{needed[0]}` before it", replace=where)
    return trouble.found(message, _form(trouble))


def _form(trouble: Trouble) -> str:
    if trouble.level is Level.QUESTION:
        return "a question is written `PROTOCOL from PLACE to PLACE`"
    return f"it is written `{FORMS[trouble.verb]}`" if trouble.verb in FORMS else ""
