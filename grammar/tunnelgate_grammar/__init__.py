"""The grammars of tunnelgate, and the one place where a parser is made of them.

Making the tables of a grammar takes about ten times as long as reading them back, so they are
kept in the user's cache folder. They are pickles: they are read only from a folder that nobody
but the user can write to, and what stands in the way of the cache is never an error.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import lark

__all__ = ["grammar_text", "open_grammar"]

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
    lexer_callbacks: Mapping[str, Callable[[lark.Token], lark.Token]] | None = None,
) -> lark.Lark:
    """Make a parser of the grammar `name`; its tables come from the cache where possible.

    Args:
        name: the file name in this folder, without `.lark`.
        transformer: any object with a method for each rule (given the list of its children)
            and, if wanted, each terminal (given the token). It runs while parsing, so that no
            tree is built.
        start: the rules that a text may be parsed as.
        lexer_callbacks: functions from token to token, by terminal; ignored terminals too.

    Raises:
        FileNotFoundError: there is no such grammar.
    """
    text = grammar_text(name)
    options: dict[str, Any] = {
        "parser": "lalr",
        "lexer": "contextual",
        "start": list(start),
        "transformer": transformer,
        "lexer_callbacks": dict(lexer_callbacks or {}),
    }
    folder = _cache_folder()
    if folder is None:
        return lark.Lark(text, **options)
    tables = folder / f"{name}-{_key(text, start)}.tables"
    if _is_private(tables, stat.S_ISREG):
        # lark compares a digest of its own and builds anew where the file is damaged.
        return lark.Lark(text, cache=str(tables), **options)
    return _build(text, tables, options)


def _build(text: str, tables: Path, options: dict[str, Any]) -> lark.Lark:
    """Build a parser and keep its tables: written aside, then renamed, so never seen half done."""
    try:
        handle, aside = tempfile.mkstemp(dir=tables.parent, prefix=f"{tables.stem}-")
    except OSError:
        return lark.Lark(text, **options)
    os.close(handle)
    try:
        parser = lark.Lark(text, cache=aside, **options)
        with suppress(OSError):
            os.replace(aside, tables)
    finally:
        with suppress(OSError):
            os.unlink(aside)
    return parser


def _key(text: str, start: Sequence[str]) -> str:
    """What the tables depend on, as a part of a file name."""
    parts = (text, lark.__version__, sys.version, *start)
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cache_folder() -> Path | None:
    """The folder for tables, made if need be; None where there is none we may trust."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "tunnelgate"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None
    return folder if base.is_absolute() and _is_private(folder, stat.S_ISDIR) else None


def _is_private(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether a path is of that kind, ours, no link, and closed to everybody else."""
    if not hasattr(os, "geteuid"):
        return False  # no owners and modes to judge by
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
