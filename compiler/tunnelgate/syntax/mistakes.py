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
    MEMBERS,
    SIGNS,
    STATEMENTS,
    fixed_words,
    must_follow,
    nearest,
    one_of,
)

_ATOM = re.compile(r'[A-Za-z0-9$:"]')


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
        return trouble.found("a line holds one statement", "write each on a line of its own")
    return trouble.found(
        "a statement ends with its line, not with `;`",
        "leave it out",
        replace=(trouble.before.end, word.end, ""),
        safety=Safety.SAFE,
    )


def _comma_at_line_end(trouble: Trouble) -> Diagnostic | None:
    """A `,` or `+` behind which the next line begins something new."""
    sign = trouble.text[trouble.end - 1]
    if trouble.word.text or sign not in ",+":
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
        return trouble.found(message, f"a line begins with {one_of([f'`{each}`' for each in known])}")
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


def _misspelt_joint(trouble: Trouble) -> Diagnostic | None:
    """`form` where `from` was expected."""
    meant = nearest(trouble.word.text, fixed_words(trouble.expected))
    if meant is None or trouble.follows(meant):
        return None
    return _did_you_mean(trouble, _expectation(trouble), meant)


def _comma_missing(trouble: Trouble) -> Diagnostic | None:
    """Two items of a list with only a blank between them; the list goes on to its end."""
    word, before = trouble.word, trouble.before
    if "_COMMA" not in trouble.expected or not _ATOM.match(word.text):
        return None
    ends = [sign for sign in ("from", "to") if f"_{sign.upper()}" in trouble.expected]
    if not any(trouble.follows(sign) for sign in ends):
        return None
    return trouble.found(
        f"expected `,` before {quote(word.text)}",
        "the items of a list are joined with `,`",
        replace=(before.end, before.end, ","),
    )


def _did_you_mean(trouble: Trouble, message: str, meant: str) -> Diagnostic:
    word = trouble.word
    return trouble.found(
        message, f"did you mean `{meant}`?", replace=(word.start, word.end, meant)
    )


def _otherwise_expected(trouble: Trouble) -> Diagnostic:
    """What was expected, and how to get there where there is one way only."""
    word, message = trouble.word, _expectation(trouble)
    if END in trouble.expected and word.text:
        joined = "_COMMA" in trouble.expected and _ATOM.match(word.text)
        return trouble.found(
            message, "the items of a list are joined with `,`" if joined else "a line holds one statement"
        )
    needed = [SIGNS[name] for name in trouble.expected if name in ("_FROM", "_TO", "EQUAL", "COLON")]
    if len(needed) == 1 and _ATOM.match(word.text):
        return trouble.found(
            message, f"write `{needed[0]}` before it", replace=(word.start, word.start, needed[0] + " ")
        )
    return trouble.found(message, _form(trouble))


def _expectation(trouble: Trouble) -> str:
    needed = must_follow(trouble.expected)
    after = f" after {trouble.clause}" if trouble.before.text else ""
    if END in trouble.expected and trouble.word.text or not needed:
        return f"unexpected {quote(trouble.word.text)}{after}"
    return f"expected {one_of(needed)}{after}"


#: How statements look, for those that stop half-way.
_FORMS = {
    "allow": "allow PROTOCOL from PLACE to PLACE",
    "deny": "deny PROTOCOL from PLACE to PLACE",
    "forward": "forward PROTOCOL from PLACE to HOST",
    "nat": "nat from PLACE to PLACE",
    "expect": "expect allow PROTOCOL from PLACE to PLACE",
    "zone": "zone NAME {",
    "protocol": "protocol NAME = udp/8443 + tcp/8443",
    "param": "param NAME : TYPE",
    "include": 'include "FILE"',
    "set": "set OPTION VALUE",
    "gateway": "gateway NAME",
    "interface": "interface eth0, eth1",
    "network": "network 192.168.1.0/24",
    "address": "address 203.0.113.1",
    "host": "host NAME = ADDRESS",
    "group": 'group NAME = PLACE, PLACE` or `group NAME from "FILE"',
    "mss": "mss clamp` or `mss 1380",
    "ipsec": "ipsec over ZONE",
}


def _form(trouble: Trouble) -> str:
    if trouble.level is Level.QUESTION:
        return "a question is written `PROTOCOL from PLACE to PLACE`"
    return f"it is written `{_FORMS[trouble.verb]}`" if trouble.verb in _FORMS else ""


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
    _misspelt_joint,
    _comma_missing,
)
