"""The grammars of tunnelgate, and the one place where a parser is made of them.

Making the tables of a grammar takes about ten times as long as reading them back, so they are
kept in the user's cache folder. They are pickles: they are read only from a folder that nobody
but the user can write to, and what stands in the way of the cache is never an error.
"""

from __future__ import annotations

import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
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
    options = {"transformer": transformer, "lexer_callbacks": dict(lexer_callbacks or {})}
    folder = _cache_folder()
    if folder is None:
        return _load(_build(text, start), options)
    path = folder / f"{name}-{_key(text, start)}.tables"
    if _is_private(path, stat.S_ISREG):
        with suppress(Exception):  # a damaged pickle may raise anything
            return _load(path.read_bytes(), options)
    tables = _build(text, start)
    _keep(tables, path)
    return _load(tables, options)


def _build(text: str, start: Sequence[str]) -> bytes:
    """The tables of a grammar."""
    tables = BytesIO()
    lark.Lark(text, parser="lalr", lexer="contextual", start=list(start)).save(tables)
    return tables.getvalue()


def _load(tables: bytes, options: dict[str, Any]) -> lark.Lark:
    """A parser of tables; this is how lark's own stand-alone parsers take a transformer."""
    load: Callable[..., lark.Lark] = lark.Lark._load_from_dict  # noqa: SLF001
    return load(**pickle.loads(tables), **options)


def _keep(tables: bytes, path: Path) -> None:
    """Write tables aside, then rename them, so that nobody sees them half done."""
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}-")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(tables)
        os.replace(aside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(aside)


def _key(text: str, start: Sequence[str]) -> str:
    """What the tables depend on, as a part of a file name."""
    parts = (text, lark.__version__, sys.version, *start)
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cache_folder() -> Path | None:
    """The folder for tables, made if need be; None where there is none we may trust."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "tunnelgate"
        if not base.is_absolute():  # to be ignored, says the XDG base directory specification
            return None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return None
    return folder if _is_private(folder, stat.S_ISDIR) else None


def _is_private(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether a path is of that kind, ours, no link, and closed to everybody else."""
    if not hasattr(os, "geteuid"):
        return False  # no owners and modes to judge by
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
