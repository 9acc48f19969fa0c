"""What is wrong with a line: the mistakes that people make, each in its own words.

`explain` asks each of `CHECKS` in turn; the first that knows the mistake names it. Whatever none
of them knows is told as what was expected instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tunnelgate.diagnostics import Diagnostic, Safety
from tunnelgate.syntax.misspelt import (
    bad_name,
    blank_in_protocol,
    foreign_character,
    literal_written_otherwise,
    quotation,
    reserved_name,
)
from tunnelgate.syntax.trouble import Level, Trouble, quote
from tunnelgate.syntax.words import (
    ELSEWHERE,
    END,
    FORMS,
    JOINING,
    MEMBERS,
    SIGNS,
    STATEMENTS,
    fixed_words,
    must_follow,
    nearest,
    one_of,
)

_ONE_A_LINE = "a line holds one statement"
_JOINED = "the items of a list are joined with `,`"

#: What a name, an address or another item of a list begins with.
_ITEM = re.compile(r'[A-Za-z0-9$:"]')


def explain(trouble: Trouble) -> Diagnostic:
    """The one finding for a line that could not be read."""
    for check in CHECKS:
        if (found := check(trouble)) is not None:
            return found
    return _otherwise_expected(trouble)


def _semicolon(trouble: Trouble) -> Diagnostic | None:
    word = trouble.word
    if word.text != ";":
        return None
    if trouble.after.text:
        return trouble.found(_ONE_A_LINE, "write each on a line of its own")
    return trouble.found(
        "a statement ends with its line, not with `;`",
        "leave it out",
        replace=(trouble.before.end, word.end, ""),
        safety=Safety.SAFE,
    )


def _comma_at_line_end(trouble: Trouble) -> Diagnostic | None:
    """A `,` or `+` behind which the next line begins something new."""
    sign = trouble.text[trouble.start : trouble.end][-1:]
    if trouble.word.text or sign not in (",", "+"):
        return None
    return trouble.found(
        f"nothing follows this `{sign}`",
        "a line that ends with it goes on with the next one; leave it out, or add what is missing",
        at=(trouble.end - 1, trouble.end),
        replace=(trouble.end - 1, trouble.end, ""),
    )


def _first_word(trouble: Trouble) -> Diagnostic | None:
    """A line that begins as no line does."""
    if not trouble.is_first or trouble.level is Level.QUESTION:
        return None
    word = trouble.word.text
    if word in ("{", "}"):
        does = "closes" if word == "}" else "opens"
        return trouble.found(f"this `{word}` {does} nothing", "leave it out")
    return _misplaced(trouble, word) or _unknown(trouble, word)


def _misplaced(trouble: Trouble, word: str) -> Diagnostic | None:
    if trouble.level is Level.ZONE and word in STATEMENTS:
        return trouble.found(
            f"`{word}` may not stand in a zone", "statements stand behind the `}` of the zone"
        )
    if trouble.level is Level.POLICY and word in MEMBERS:
        return trouble.found(
            f"`{word}` may stand in a zone only", "move it between the `{` and `}` of its zone"
        )
    return None


def _unknown(trouble: Trouble, word: str) -> Diagnostic | None:
    known, kind = (MEMBERS, "item") if trouble.level is Level.ZONE else (STATEMENTS, "statement")
    if word in known:
        return None
    message = f"unknown {kind} {quote(word)}" + (" in a zone" if kind == "item" else "")
    meant = ELSEWHERE.get(word.lower()) if kind == "statement" else None
    meant = meant or nearest(word, known) or nearest(word, (*STATEMENTS, *MEMBERS))
    if meant is None:
        return trouble.found(
            message, f"a line begins with {one_of([f'`{each}`' for each in known])}"
        )
    return _did_you_mean(trouble, message, meant)


def _option_missing(trouble: Trouble) -> Diagnostic | None:
    if trouble.before.text != "with" or "NAME" not in trouble.expected:
        return None
    at = trouble.before if not trouble.word.text else trouble.word
    return trouble.found(
        "`with` needs an option",
        "name one, e.g. `with log`, or leave `with` out",
        at=(at.start, at.end),
    )


def _misspelt_verdict(trouble: Trouble) -> Diagnostic | None:
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


def _misspelt_joint(trouble: Trouble) -> Diagnostic | None:
    """`form` where `from` was expected."""
    meant = nearest(trouble.word.text, fixed_words(trouble.expected))
    if meant is None or trouble.follows(meant):
        return None
    return _did_you_mean(trouble, _expectation(trouble), meant)


def _blank_missing(trouble: Trouble) -> Diagnostic | None:
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


def _comma_missing(trouble: Trouble) -> Diagnostic | None:
    """Two items of a list with only a blank between them; the list goes on to its end."""
    word, before = trouble.word, trouble.before
    if "_COMMA" not in trouble.expected or not _ITEM.match(word.text):
        return None
    ends = [sign for sign in ("from", "to") if f"_{sign.upper()}" in trouble.expected]
    if not any(trouble.follows(sign) for sign in ends):
        return None
    return trouble.found(
        f"expected `,` before {quote(word.text)}",
        _JOINED,
        replace=(before.end, before.end, ","),
    )


def _comma_too_many(trouble: Trouble) -> Diagnostic | None:
    """`esp, from`: a list that does not go on behind its `,`."""
    word, before = trouble.word, trouble.before
    if before.text not in (",", "+") or word.text not in (*JOINING, "except"):
        return None
    return trouble.found(
        _expectation(trouble),
        f"name one more, or leave the `{before.text}` out",
        replace=(before.start, before.end, ""),
    )


def _did_you_mean(trouble: Trouble, message: str, meant: str) -> Diagnostic:
    word = trouble.word
    return trouble.found(message, f"did you mean `{meant}`?", replace=(word.start, word.end, meant))


def _otherwise_expected(trouble: Trouble) -> Diagnostic:
    """What was expected, and how to get there where there is one way only."""
    word, message = trouble.word, _expectation(trouble)
    is_item = _ITEM.match(word.text) and word.text not in STATEMENTS
    if END in trouble.expected and word.text in STATEMENTS:
        return trouble.found(message, _ONE_A_LINE)
    if END in trouble.expected and "_COMMA" in trouble.expected and is_item:
        return trouble.found(message, _JOINED)
    needed = [
        SIGNS[name] for name in ("_FROM", "_TO", "EQUAL", "COLON") if name in trouble.expected
    ]
    if len(needed) == 1 and is_item:
        where = (word.start, word.start, needed[0] + " ")
        return trouble.found(message, f"write `{needed[0]}` before it", replace=where)
    return trouble.found(message, _form(trouble))


def _expectation(trouble: Trouble) -> str:
    needed, word = must_follow(trouble.expected), trouble.word.text
    after = f" after {trouble.clause}" if trouble.before.text else ""
    if needed and not (END in trouble.expected and word):
        return f"expected {one_of(needed)}{after}"
    return f"unexpected {quote(word)}{after}" if word else "the line breaks off"


def _form(trouble: Trouble) -> str:
    if trouble.level is Level.QUESTION:
        return "a question is written `PROTOCOL from PLACE to PLACE`"
    return f"it is written `{FORMS[trouble.verb]}`" if trouble.verb in FORMS else ""


#: In this order: the first that knows the mistake names it.
CHECKS: tuple[Callable[[Trouble], Diagnostic | None], ...] = (
    _semicolon,
    quotation,
    foreign_character,
    _comma_at_line_end,
    _first_word,
    blank_in_protocol,
    literal_written_otherwise,
    _option_missing,
    reserved_name,
    bad_name,
    _misspelt_verdict,
    _misspelt_joint,
    _blank_missing,
    _comma_missing,
    _comma_too_many,
)
