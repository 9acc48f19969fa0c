"""The TextMate grammar, read by a small engine of its kind: what each word of the examples is.

The engine knows what the grammar uses: `match`, `captures`, `begin` and `end`, `include`. Its
patterns are ones that Oniguruma and Python read alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast, parse
from tunnelgate.syntax.words import JOINTS, MEMBERS, STATEMENTS

ROOT = Path(__file__).parents[2]
GRAMMAR = json.loads((ROOT / "grammar" / "tunnelgate.tmLanguage.json").read_text("utf-8"))
EXAMPLES = sorted(
    path for path in (ROOT / "examples").rglob("*.tg") if not path.name.startswith("TG00")
)

Rule = dict[str, Any]
Token = tuple[int, int, str]


def rules(patterns: list[Rule]) -> Iterator[Rule]:
    """The patterns, with those that they include."""
    for pattern in patterns:
        if "include" in pattern:
            yield from rules([GRAMMAR["repository"][pattern["include"].removeprefix("#")]])
        elif "match" in pattern or "begin" in pattern:
            yield pattern
        else:
            yield from rules(pattern["patterns"])


def captured(match: re.Match[str], captures: Rule) -> Iterator[Token]:
    for group, about in captures.items():
        if match[int(group)] is not None:
            yield (*match.span(int(group)), about["name"])


def tokens(text: str) -> list[Token]:
    """Start, end and scope of all that the grammar knows in a text."""
    found: list[Token] = []
    stack: list[Rule] = []
    offset = 0
    for line in text.splitlines(keepends=True):
        at = 0
        while (step := _next(line, at, stack)) is not None:
            match, rule = step
            if rule is None:
                ended = stack.pop()
                new = captured(match, ended["endCaptures"])
            elif "begin" in rule:
                stack.append(rule)
                new = captured(match, rule["beginCaptures"])
            elif "name" in rule:
                new = iter([(*match.span(), rule["name"])])
            else:
                new = captured(match, rule["captures"])
            found += [(start + offset, end + offset, scope) for start, end, scope in new]
            assert match.end() > at or match.end() > match.start(), "a pattern that takes nothing"
            at = match.end()
        offset += len(line)
    return found


def _next(line: str, at: int, stack: list[Rule]) -> tuple[re.Match[str], Rule | None] | None:
    """The leftmost match of what may follow, the first pattern of several; None for the end."""
    matches: list[tuple[int, int, re.Match[str], Rule | None]] = []
    if stack and (match := re.compile(stack[-1]["end"]).search(line, at)):
        matches.append((match.start(), -1, match, None))
    patterns = stack[-1]["patterns"] if stack else GRAMMAR["patterns"]
    for number, rule in enumerate(rules(patterns)):
        if match := re.compile(rule.get("match") or rule["begin"]).search(line, at):
            matches.append((match.start(), number, match, rule))
    if not matches:
        return None
    _, _, match, rule = min(matches, key=lambda one: one[:2])
    return match, rule


def scopes(text: str) -> dict[str, str]:
    """What each word of a text is."""
    return {
        text[start:end].strip(): scope.split(".tunnelgate")[0] for start, end, scope in tokens(text)
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    """Everything is known, comments and words of the tree are what they are."""
    text = path.read_text("utf-8")
    found = tokens(text)
    known = bytearray(len(text))
    for start, end, _ in found:
        known[start:end] = b"\1" * (end - start)
    assert not re.sub(
        r"\s", "", "".join(c for c, is_known in zip(text, known, strict=True) if not is_known)
    )
    where = {start: (end, scope) for start, end, scope in found}
    policy = parse(SourceFile(text)).policy
    for comment in policy.comments:
        assert where[comment.span.start][1].startswith("comment."), comment.text
    for statement in policy.statements:
        first = statement.span.text.split()[0]
        assert where[statement.span.start] == (
            statement.span.start + len(first),
            where[statement.span.start][1],
        )
        assert where[statement.span.start][1].startswith("keyword."), statement.span.text
        if isinstance(statement, ast.Zone):
            assert where[statement.name.span.start][1].startswith("entity.name.type.zone")
            for host in statement.members:
                if isinstance(host, ast.Host | ast.Group):
                    assert where[host.name.span.start][1].startswith("entity.name.constant")


def test_every_word_of_the_language_is_a_keyword() -> None:
    for word in STATEMENTS:
        assert scopes(f"{word} x")[word].startswith("keyword."), word
    for word in MEMBERS:
        assert scopes(f"zone z {{\n  {word} x\n}}")[word].startswith("keyword."), word
    for word in JOINTS:
        assert scopes(f"allow x {word} y")[word].startswith("keyword."), word


@pytest.mark.parametrize(
    ("text", "word", "scope"),
    [
        ("allow from-here from lan to wan", "from-here", "variable.other"),
        ("expect deny ah from a to b", "deny", "keyword.control.verdict"),
        ("allow tcp/80,443 from a to b", "tcp/80,443", "support.type.protocol"),
        ("allow ssh from 2001:db8::1/64 to b", "2001:db8::1/64", "constant.numeric.address"),
        ('allow ssh from a to b with log "a # b"', '"a # b"', "string.quoted.double"),
        ("allow udp/$p from $somewhere to b", "$somewhere", "variable.parameter"),
        ("nat ipv6 from a to b", "ipv6", "keyword.operator.word"),
        ("allow any from a to gateway", "gateway", "constant.language"),
        ("param p : prefix... = 10.0.0.0/8", "prefix", "storage.type"),
        ("zone wan { interface eth0 }", "interface", "keyword.declaration"),
        ("## said of it", "## said of it", "comment.block.documentation"),
        ("### ruler", "### ruler", "comment.line.number-sign"),
    ],
)
def test_words(text: str, word: str, scope: str) -> None:
    assert scopes(text)[word] == scope
