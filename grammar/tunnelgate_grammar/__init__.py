"""The grammars of tunnelgate, and the one place where a parser is made of them.

Making the tables of a grammar takes about ten times as long as reading them back, so they are
kept in the user's cache folder. lark is imported where it is used: who asks only for the cache
folder does not wait for it.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunnelgate_grammar.cache import cache_folder, keep, read_ours

if TYPE_CHECKING:
    import lark

__all__ = ["grammar_text", "open_grammar"]

Lexer = Literal["contextual", "basic"]

_FOLDER = Path(__file__).parent


def grammar_text(name: str) -> str:
    """The text of the grammar `name`, e.g. `policy`.

    Raises:
        FileNotFoundError: there is no such grammar.
    """
    return (_FOLDER / f"{name}.lark").read_text(encoding="utf-8")


def open_grammar(
    name: str,
    transformer: object | None = None,
    *,
    start: Sequence[str] = ("start",),
    lexer: Lexer = "contextual",
    lexer_callbacks: Mapping[str, Callable[[lark.Token], lark.Token]] | None = None,
) -> lark.Lark:
    """Make a parser of the grammar `name`; its tables come from the cache where possible.

    Args:
        name: the file name in this folder, without `.lark`.
        transformer: any object with a method for each rule (given the list of its children)
            and, if wanted, each terminal (given the token). It runs while parsing, so that no
            tree is built.
        start: the rules that a text may be parsed as.
        lexer: `basic` where a word that is a keyword is one wherever it stands; else a word is a
            keyword where the grammar may go on with one.
        lexer_callbacks: functions from token to token, by terminal; ignored terminals too.

    Raises:
        FileNotFoundError: there is no such grammar.
    """
    text = grammar_text(name)
    options = {"transformer": transformer, "lexer_callbacks": dict(lexer_callbacks or {})}
    folder = cache_folder()
    if folder is None:
        return _load(_build(text, start, lexer), options)
    path = folder / f"{name}-{_key(text, start, lexer)}.tables"
    kept = read_ours(path)
    if kept is not None:
        with suppress(Exception):  # a damaged pickle may raise anything
            return _load(kept, options)
    tables = _build(text, start, lexer)
    keep(tables, path)
    return _load(tables, options)


def _build(text: str, start: Sequence[str], lexer: Lexer) -> bytes:
    """The tables of a grammar."""
    import lark

    tables = BytesIO()
    lark.Lark(text, parser="lalr", lexer=lexer, start=list(start)).save(tables)
    return tables.getvalue()


def _load(tables: bytes, options: dict[str, Any]) -> lark.Lark:
    """A parser of tables; this is how lark's own stand-alone parsers take a transformer."""
    import lark

    load: Callable[..., lark.Lark] = lark.Lark._load_from_dict  # noqa: SLF001
    return load(**pickle.loads(tables), **options)


def _key(text: str, start: Sequence[str], lexer: Lexer) -> str:
    """What the tables depend on, as a part of a file name."""
    import lark

    parts = (text, lark.__version__, sys.version, lexer, *start)
    return sha256("\0".join(parts).encode()).hexdigest()[:16]
