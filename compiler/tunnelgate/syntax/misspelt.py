"""Words that are none: names, literal protocols, strings and characters gone wrong."""

from __future__ import annotations

import re
import unicodedata

from tunnelgate.diagnostics import Diagnostic, Safety
from tunnelgate.syntax.trouble import Trouble, quote
from tunnelgate.syntax.words import JOINING, JOINTS

_NAME_IS = "a name is a letter, then letters, digits, `_`, and `-` between letters or digits"

_TYPOGRAPHIC_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb"

#: A literal protocol with blanks in it; the numbers behind a `,` are no addresses.
_SPACED_LITERAL = re.compile(
    rf"\b[A-Za-z][A-Za-z0-9]*[ \t]*/[ \t]*(?:[0-9]+|(?!(?:{'|'.join(JOINTS)})\b)\$?[A-Za-z][\w-]*)"
    r"(?:[ \t]*[,-][ \t]*[0-9]+(?![\w.:/]))*"
)
_BACKWARDS = re.compile(r"([0-9]+(?:-[0-9]+)?)/([A-Za-z]+)")
_TRANSPORTS = ("tcp", "udp", "sctp", "dccp", "udplite", "ip", "icmp", "icmpv6")
_NETMASK = re.compile(r"[0-9.]+/[0-9]+\.[0-9.]+")


def quotation(trouble: Trouble) -> Diagnostic | None:
    """A string in other quotes, or without its last one."""
    word = trouble.word
    quote_sign = trouble.text[trouble.at : trouble.at + 1]
    if word.text.startswith("'") or (quote_sign and quote_sign in _TYPOGRAPHIC_QUOTES):
        inner = word.text.strip("'" + _TYPOGRAPHIC_QUOTES)
        exact = len(word.text) - len(inner) == 2
        return trouble.found(
            "strings stand in straight double quotes",
            f'write `"{inner}"`' if exact else "",
            replace=(word.start, word.end, f'"{inner}"') if exact else None,
            safety=Safety.SAFE,
        )
    if word.text and trouble.expected == {"STRING"} and word.text[0] != '"':
        return trouble.found(
            "a file name stands in double quotes",
            replace=(word.start, word.end, f'"{word.text}"'),
            safety=Safety.SAFE,
        )
    if not word.text.startswith('"'):
        return None
    if len(word.text) == 1 or not word.text.endswith('"'):
        return trouble.found('the string has no closing `"`', "a string ends on its line")
    if "\t" in word.text:
        return trouble.found("a string may not hold a tab", "write blanks")
    return None


def foreign_character(trouble: Trouble) -> Diagnostic | None:
    """A character that no word of the language holds."""
    character = trouble.text[trouble.at : trouble.at + 1]
    if not character or character.isascii() or trouble.at >= trouble.end:
        return None
    name = unicodedata.name(character, "").lower()
    message = f"unexpected character U+{ord(character):04X}" + (f" ({name})" if name else "")
    at = (trouble.at, trouble.at + 1)
    if character.isspace():
        return trouble.found(
            message, "write a blank", at=at, replace=(*at, " "), safety=Safety.SAFE
        )
    return trouble.found(message, "words are of the letters `A` to `Z`, digits, `_` and `-`", at=at)


def blank_in_protocol(trouble: Trouble) -> Diagnostic | None:
    """`tcp / 80`, `tcp/80, 443`."""
    line_start = trouble.words[0].start if trouble.words else trouble.start
    for match in _SPACED_LITERAL.finditer(trouble.text, line_start, trouble.end):
        if match.end() <= trouble.at:
            continue
        whole = re.sub(r"[ \t]", "", match[0])
        if match.start() > trouble.at or whole == match[0]:
            return None
        return trouble.found(
            "a literal protocol is one word, without blanks",
            f"write {quote(whole)}",
            at=match.span(),
            replace=(*match.span(), whole),
            safety=Safety.SAFE,
        )
    return None


def literal_written_otherwise(trouble: Trouble) -> Diagnostic | None:
    """`80/tcp`, `tcp 80`, `tcp:80`."""
    word, before = trouble.word, trouble.before
    if match := _BACKWARDS.fullmatch(word.text):
        start, whole = word.start, f"{match[2]}/{match[1]}"
        if "LITERAL" not in trouble.expected:
            return None
    elif before.text in _TRANSPORTS and word.text.isdecimal():
        start, whole = before.start, f"{before.text}/{word.text}"
    elif word.text.partition(":")[0] in _TRANSPORTS and ":" in word.text:
        start, whole = word.start, word.text.replace(":", "/", 1)
    else:
        return None
    return trouble.found(
        f"a literal protocol is written {quote(whole)}",
        "the protocol, `/`, its ports",
        at=(start, word.end),
        replace=(start, word.end, whole),
    )


def reserved_name(trouble: Trouble) -> Diagnostic | None:
    """`from`, `to`, `with`, `as`, `at`, `over` where a name is due.

    In `from to hq` the name is missing; in `from at to hq`, and where it is defined, it is one.
    """
    word, after = trouble.word, trouble.after.text
    if word.text not in JOINING or "NAME" not in trouble.expected:
        return None
    defines = trouble.verb in ("zone", "host", "group", "protocol", "param", "gateway")
    if not (defines or not after or after in (*JOINING, ",", "=", "{")):
        return None
    return trouble.found(
        f"`{word.text}` joins the parts of a statement and is nobody's name", "choose another name"
    )


def bad_name(trouble: Trouble) -> Diagnostic | None:
    """A word that begins as a name or number does and does not go on as one."""
    word = trouble.word.text
    if trouble.is_inside:
        return _bad_ending(trouble, word)
    if "NAME" not in trouble.expected or not re.fullmatch(r"[0-9][\w-]*[A-Za-z_][\w-]*", word):
        return None
    if "IFNAME" in trouble.expected and "STRING" in trouble.expected:
        return trouble.found(
            f"the interface {quote(word)} begins with a digit",
            "such a one stands in double quotes",
            replace=(trouble.word.start, trouble.word.end, f'"{word}"'),
            safety=Safety.SAFE,
        )
    return trouble.found(f"the name {quote(word)} begins with a digit", _NAME_IS)


def _bad_ending(trouble: Trouble, word: str) -> Diagnostic:
    shorter = word.rstrip("-")
    if re.fullmatch(r"[A-Za-z][\w-]*", shorter) and shorter != word:
        return trouble.found(
            f"the name {quote(word)} ends with a hyphen",
            _NAME_IS,
            replace=(trouble.word.start, trouble.word.end, shorter),
        )
    if _NETMASK.fullmatch(word):
        return trouble.found(
            f"{quote(word)} is no prefix", "write the length of the prefix, e.g. `10.0.0.0/8`"
        )
    if "/" in word and word[0].isalpha():
        return trouble.found(f"{quote(word)} is no protocol", "a literal one is e.g. `tcp/80,443`")
    if word[0].isalpha():
        return trouble.found(f"{quote(word)} is no name", _NAME_IS)
    return trouble.found(f"{quote(word)} is no word of the language", "")
