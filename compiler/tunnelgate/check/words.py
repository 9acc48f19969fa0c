"""The words of a statement: where exactly something is said, and how another word is put there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.diagnostics import Edit, Fix, Safety
from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy.model import Forward, ProtocolSet, Rule, Side, Statement
from tunnelgate.policy.protocols import parse_literal
from tunnelgate.policy.table import BY_NAME
from tunnelgate.source import Span

#: A protocol as the grammar has it; the commas of `tcp/80,443` are its own, and a comment is none.
_WORD = re.compile(
    r"#[^\n]*"
    r"|(\$?[A-Za-z][A-Za-z0-9_-]*(?:/\$?[A-Za-z0-9_-]+(?:,[0-9][0-9-]*)*)?"
    r"(?:[ \t]+port[ \t]+\$?[A-Za-z0-9_-]+)?)"
)
_COMMENT = re.compile(r"#[^\n]*")
#: Words that are ESP, or IKE and ESP, and nothing besides.
_MOSTLY_ESP = frozenset({"esp", "ipsec", "l2tp-ipsec", "ip/50"})


def protocol_word(protocols: ProtocolSet, channel: int) -> Span:
    """The word that brings a channel in: one that names it, else one's own protocol, else `any`."""
    ranked = sorted(words(protocols.span), key=lambda word: _rank(word.text, channel))
    return ranked[0] if ranked else protocols.span


def says(protocols: ProtocolSet, channel: int) -> bool:
    """Whether a statement says a channel itself: not through `any`, nor by a range that holds it.

    `tcp/1723` is about PPTP, `tcp/1024-65535` is not; of a parameter it counts what it means.
    """
    if channel not in protocols.named:
        return False
    _, _, numbers = protocol_word(protocols, channel).text.partition("/")
    number = channel & 0xFFFF if channel >> 16 in axes.WITH_PORTS else channel >> 16
    return not numbers or numbers[0] == "$" or str(number) in numbers.split(",")


def words(span: Span) -> Iterator[Span]:
    """The protocols of a list as they are written, each with its `port`; not what it excepts."""
    for match in _WORD.finditer(span.text):
        if match[1] == "except":
            return
        if match[1]:
            yield Span(span.file, span.start + match.start(1), span.start + match.end(1))


def _rank(word: str, channel: int) -> int:
    if word == "any":
        return 2
    meant = _meaning(word)
    if meant is None:
        return 1
    return 0 if channel in meant else 3


def _meaning(word: str) -> Intervals | None:
    """The channels of a word, None where only the policy's own definitions know them."""
    if word in BY_NAME:
        return BY_NAME[word].l4
    return parse_literal(word) if "/" in word and not set(" $").intersection(word) else None


def replace_word(word: Span, by: str) -> Fix:
    """Another protocol instead of one."""
    return Fix((Edit(word, by),), Safety.UNSAFE)


def without_esp(rule: Rule) -> Fix | None:
    """ESP in UDP instead of bare ESP; None where one's own protocol or an option brings it in."""
    protocols = rule.protocols
    if rule.options.single or rule.options.tracking:
        return None
    if ESP_CHANNEL not in protocols.named:
        return except_protocol(protocols, "esp")
    word = protocol_word(protocols, ESP_CHANNEL)
    return replace_word(word, "ipsec-nat-t") if word.text in _MOSTLY_ESP else None


def add_option(statement: Rule | Forward, option: str) -> Fix:
    """One more option."""
    if statement.options_span is not None:
        return Fix((Edit(_after(statement.options_span), f", {option}"),), Safety.UNSAFE)
    return Fix((Edit(_after(statement.span), f" with {option}"),), Safety.UNSAFE)


def except_protocol(protocols: ProtocolSet, name: str, safety: Safety = Safety.UNSAFE) -> Fix:
    """A statement's protocols less one."""
    return Fix((_except(protocols.span, name),), safety)


def without_place(side: Side, name: str) -> Fix:
    """A side less one place: not named in its list any more, or named behind `except`."""
    places = side.span.text.partition("except")[0]
    found = re.search(rf",[ \t]*{name}(?![\w-])|(?<![\w-]){name}[ \t]*,[ \t]*", places)
    if found is None:
        return Fix((_except(side.span, name),), Safety.UNSAFE)
    start = side.span.start
    word = Span(side.span.file, start + found.start(), start + found.end())
    return Fix((Edit(word, ""),), Safety.UNSAFE)


def except_places(side: Side, other: Side) -> Fix | None:
    """A side less another one; None where the other has an `except` of its own."""
    text = _plain(other.span)
    if _says_except(text):
        return None
    return Fix((_except(side.span, text),), Safety.UNSAFE)


def _except(span: Span, text: str) -> Edit:
    return Edit(_after(span), f", {text}" if _says_except(_plain(span)) else f" except {text}")


def _says_except(text: str) -> bool:
    return "except" in text.split()


def _plain(span: Span) -> str:
    """The words of a span on one line, without comments."""
    return " ".join(_COMMENT.sub("", span.text).split())


def _after(span: Span) -> Span:
    return Span(span.file, span.end, span.end)


def delete(statement: Statement, safety: Safety = Safety.UNSAFE) -> Fix | None:
    """The policy without a statement; None where a doc comment would go to the next one."""
    if statement.doc:
        return None
    span, text = statement.span, statement.span.file.text
    start = text.rfind("\n", 0, span.start) + 1
    end = (text.find("\n", span.end) + 1) or len(text)
    is_alone = not text[start : span.start].strip() and not text[span.end : end].strip()
    lines = Span(span.file, start, end) if is_alone else span
    return Fix((Edit(lines, ""),), safety)


def add_line(statement: Rule | Forward, line: str) -> Fix:
    """One more statement behind another."""
    return Fix((Edit(_after(statement.span), f"\n{line}"),), Safety.UNSAFE)
