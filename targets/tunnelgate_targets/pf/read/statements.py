"""Text to statements: the grammar is asked once for each shape that a statement has.

A ruleset has thousands of rules that differ in addresses and labels alone. What the grammar makes
of a statement depends on its keywords and marks and not on its other words, so its tree is kept and
filled with the words of the next one of that shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from tunnelgate_grammar import open_grammar
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.written import Builder, Written

#: The terminals of the grammar; last, a character that begins none.
_PIECE = re.compile(
    r"""[A-Za-z0-9:_][^\s(){}<>!=/#,"']*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
    r"""|!=|<=|>=|<>|><|->|\n|[^ \t]"""
)
#: Longer statements, as large tables, are alike to no other.
_MOST = 200


class _Leaf(NamedTuple):
    """A terminal: the number of its piece."""

    piece: int
    type: str


class _Node(NamedTuple):
    """A rule of the grammar: what makes its value, and of what."""

    make: Callable[[list[Any]], Any]
    children: tuple[_Node | _Leaf, ...]


class _Block(NamedTuple):
    """The lines of a statement: its pieces, each with its line."""

    text: str
    pieces: list[str]
    lines: list[int]


def statements(text: str) -> Iterator[Written]:
    """The statements of a text without comments and macros. Raises Refused."""
    shapes: dict[tuple[str, ...], _Node] = {}
    builder = Builder()
    for block in _blocks(text):
        shape = tuple(map(_kind, block.pieces))
        node = shapes.get(shape)
        if node is None:
            node = _parsed(block, builder)
            if len(shape) <= _MOST:
                shapes[shape] = node
        yield from _value(node, block)


def _blocks(text: str) -> Iterator[_Block]:
    """Lines with text; several together where a brace is still open."""
    block = _Block("", [], [])
    depth = 0
    for number, line in enumerate(text.split("\n"), start=1):
        pieces = _PIECE.findall(line)
        depth += pieces.count("{") - pieces.count("}")
        pieces.append("\n")
        lines = [number] * len(pieces)
        block = _Block(f"{block.text}{line}\n", block.pieces + pieces, block.lines + lines)
        if depth <= 0:
            if len(block.pieces) > 1:
                yield block
            block, depth = _Block("", [], []), 0
    if len(block.pieces) > 1:
        yield block


def _kind(piece: str) -> str:
    """What the grammar tells a piece by: a keyword or a mark by itself."""
    if piece in _literals():
        return piece
    if piece[0] in "\"'" and len(piece) > 1:
        return '"'
    return "a" if piece[0].isalnum() or piece[0] in ":_" else piece


@cache
def _parser() -> Lark:
    return open_grammar("pf", lexer="basic")


@cache
def _literals() -> frozenset[str]:
    """The terminals that are one word or mark."""
    patterns = [one.pattern for one in _parser().terminals]
    return frozenset(str(one.value) for one in patterns if one.type == "str")


def _parsed(block: _Block, builder: Builder) -> _Node:
    """The tree of a statement. Raises Refused."""
    try:
        tree = _parser().parse(block.text)
    except UnexpectedInput as error:
        raise _refused(error, block.lines) from error
    starts = {found.start(): number for number, found in enumerate(_PIECE.finditer(block.text))}
    return _node(tree, starts, builder)


def _node(tree: Tree[Token], starts: dict[int, int], builder: Builder) -> _Node:
    children = tuple(
        _node(child, starts, builder)
        if isinstance(child, Tree)
        else _Leaf(starts[child.start_pos or 0], child.type)
        for child in tree.children
    )
    return _Node(getattr(builder, str(tree.data)), children)


def _value(node: _Node | _Leaf, block: _Block) -> Any:
    if isinstance(node, _Leaf):
        number, kind = node
        return Token(kind, block.pieces[number], line=block.lines[number])
    make, children = node
    return make([_value(child, block) for child in children])


def _refused(error: UnexpectedInput, lines: list[int]) -> Refused:
    """A syntax error, at the word that does not fit; `lines` are those of the statement."""
    line = min(lines[0] + error.line - 1, lines[-1]) if error.line > 0 else lines[-1]
    if isinstance(error, UnexpectedToken):
        word = str(error.token)
        if word == "\n":
            return Refused("the line ends too early", line)
        return Refused(f"`{word}` does not fit here" if word else "the text ends too early", line)
    assert isinstance(error, UnexpectedCharacters)
    return Refused(f"`{error.char}` does not fit here", line)
