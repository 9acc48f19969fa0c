"""Formats a policy, and proves on each run that nothing but blanks and line ends changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tunnelgate.diagnostics import Diagnostic
from tunnelgate.source import SourceFile
from tunnelgate.syntax import ast
from tunnelgate.syntax.comments import find_comments
from tunnelgate.syntax.formatting.layout import Layout
from tunnelgate.syntax.parser import parse


class Formatted(NamedTuple):
    """A policy in canonical form.

    Attributes:
        text: None where the policy has mistakes, which are not touched.
        diagnostics: the mistakes.
    """

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


class Unproven(Exception):
    """A fault of ours: the text made would not say what the policy says, so there is none."""


def format_policy(file: SourceFile) -> Formatted:
    """Format a policy. Line ends of Windows and a byte order mark are no mistakes here.

    Raises:
        Unproven: what was made is not the same policy, or would be formatted differently.
    """
    given = SourceFile(file.text.removeprefix("\ufeff").replace("\r\n", "\n"), file.path)
    parsed = parse(given)
    if parsed.diagnostics:
        return Formatted(None, parse(file).diagnostics)
    text = str(Layout(given.text, parsed.policy))
    _prove(given, parsed.policy, SourceFile(text, file.path))
    return Formatted(text, ())


def _prove(given: SourceFile, tree: ast.Policy, made: SourceFile) -> None:
    """Show that a text made of a tree says the same, keeps its comments, and is stable.

    Raises:
        Unproven: it does not.
    """
    parsed = parse(made)
    again = parsed.policy
    if parsed.diagnostics:
        reason = parsed.diagnostics[0].message
        raise Unproven(f"{given.path}: the formatted text could not be read: {reason}")
    if again.statements != tree.statements:
        raise Unproven(f"{given.path}: the formatted text would say something else")
    if list(_docs(again)) != list(_docs(tree)) or _comments(made) != _comments(given):
        raise Unproven(f"{given.path}: a comment would be lost or moved")
    if str(Layout(made.text, again)) != made.text:
        raise Unproven(f"{given.path}: formatting it twice would change it again")


def _docs(tree: ast.Policy) -> Iterator[str]:
    """The doc comments of statements and items of zones, in order."""
    for statement in tree.statements:
        yield statement.doc
        if isinstance(statement, ast.Zone):
            yield from (item.doc for item in statement.members)


def _comments(file: SourceFile) -> list[str]:
    """All comments of a text, doc comments too."""
    return [comment.text for comment in find_comments(file, file.text, [])]
