"""What is wrong with a line: the mistakes that people make, each in its own words.

`explain` asks each of `CHECKS` in turn; the first that knows the mistake names it. Whatever none
of them knows is told as what was expected instead.
"""

from __future__ import annotations

from collections.abc import Callable

from tunnelgate.diagnostics import Diagnostic, Safety
from tunnelgate.diagnostics.nearest import nearest
from tunnelgate.syntax.customs import (
    name_of_a_machine,
    negation,
    option_elsewhere,
    option_without_with,
    port_behind,
    port_elsewhere,
    quoted_name,
)
from tunnelgate.syntax.joints import (
    ONE_A_LINE,
    blank_missing,
    braces,
    comma_missing,
    comma_too_many,
    misspelt_joint,
    misspelt_verdict,
    option_missing,
    otherwise_expected,
)
from tunnelgate.syntax.misspelt import (
    bad_name,
    blank_in_protocol,
    foreign_character,
    literal_written_otherwise,
    quotation,
    reserved_name,
)
from tunnelgate.syntax.outline import first_word, next_word
from tunnelgate.syntax.trouble import Level, Trouble, quote
from tunnelgate.syntax.words import ELSEWHERE, JOINTS, MEMBERS, STATEMENTS, one_of


def explain(trouble: Trouble) -> Diagnostic:
    """The one finding for a line that could not be read."""
    for check in CHECKS:
        if (found := check(trouble)) is not None:
            return found
    return otherwise_expected(trouble)


def _semicolon(trouble: Trouble) -> Diagnostic | None:
    word = trouble.word
    if word.text != ";":
        return None
    if trouble.after.text:
        return trouble.found(ONE_A_LINE, "write each on a line of its own")
    return trouble.found(
        "a statement ends with its line, not with `;`",
        "leave it out",
        replace=(trouble.before.end, word.end, ""),
        safety=Safety.SAFE,
    )


def _comment(trouble: Trouble) -> Diagnostic | None:
    """`// why`, a comment elsewhere; as are `/* why */` and `-- why`."""
    word = trouble.word
    if not word.text.startswith(("//", "/*", "--")):
        return None
    return trouble.found(
        "a comment begins with `#`",
        "write `#`",
        at=(word.start, word.start + 2),
        replace=(word.start, word.start + 2, "#"),
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
        safety=Safety.SHOWN,
    )


def _broken_line(trouble: Trouble) -> Diagnostic | None:
    """A statement over several lines without a `,` at the end of the line."""
    end = trouble.end
    behind = next_word(trouble.text, end, len(trouble.text))
    if trouble.word.text or first_word(trouble.text, behind) not in JOINTS:
        return None
    is_blank = not trouble.text[end:behind].strip()
    return trouble.found(
        "a statement ends with its line",
        "a line goes on with the next one only after `,` or `+`; write it on one line",
        replace=(end, behind, " ") if is_blank else None,
        safety=Safety.SAFE,
    )


def _first_word(trouble: Trouble) -> Diagnostic | None:
    """A line that begins as no line does."""
    if not trouble.is_first or trouble.level is Level.QUESTION:
        return None
    word = trouble.word.text
    if word in ("{", "}"):
        does = "closes" if word == "}" else "opens"
        return trouble.found(f"this `{word}` {does} nothing", "leave it out")
    if word in JOINTS:
        return trouble.found(
            f"no line begins with `{word}`",
            "a statement is one line, which goes on with the next one only after `,` or `+`",
        )
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
    return trouble.did_you_mean(message, meant)


#: In this order: the first that knows the mistake names it.
CHECKS: tuple[Callable[[Trouble], Diagnostic | None], ...] = (
    _semicolon,
    _comment,
    quoted_name,
    quotation,
    foreign_character,
    _comma_at_line_end,
    _broken_line,
    _first_word,
    braces,
    blank_in_protocol,
    literal_written_otherwise,
    port_elsewhere,
    port_behind,
    option_missing,
    option_without_with,
    option_elsewhere,
    negation,
    reserved_name,
    name_of_a_machine,
    bad_name,
    misspelt_verdict,
    misspelt_joint,
    blank_missing,
    comma_missing,
    comma_too_many,
)
