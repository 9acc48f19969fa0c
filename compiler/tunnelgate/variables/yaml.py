"""Variables in YAML.

PyYAML composes the nodes and makes no values of them: a node has its place and its text. YAML 1.1
would read `22:22` as 1342 and `no` as false; here the parameter says what a word is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tunnelgate.source import SourceFile, Span
from tunnelgate.variables.model import Malformed, Value, Word

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_QUOTES = frozenset("'\"|>")
#: libyaml is ten times as fast, and not everywhere.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def named_values(file: SourceFile) -> Iterator[tuple[str, Value]]:
    """The values under the names of the one mapping of a file. Raises Malformed."""
    try:
        root = yaml.compose(file.text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        what = (error.problem or str(error)).lower()
        mark = error.problem_mark or error.context_mark
        raise Malformed(f"is no YAML: {what}", 0 if mark is None else _at(file, mark)) from None
    except yaml.YAMLError as error:  # a character that YAML has no place for
        raise Malformed(f"is no YAML: {str(error).splitlines()[0].lower()}", 0) from None
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise Malformed(
            "holds no names", _at(file, root.start_mark), "write lines of `NAME: VALUE`"
        )
    for key, value in root.value:
        if not isinstance(key, yaml.ScalarNode):
            at = _at(file, key.start_mark)
            raise Malformed("has a name that is no word", at, "write lines of `NAME: VALUE`")
        items = value.value if isinstance(value, yaml.SequenceNode) else []
        spans = tuple(_span(file, item) for item in items)
        yield key.value, Value(_span(file, key), _span(file, value), _plain(value), spans)


def _plain(node: yaml.Node) -> object:
    match node:
        case yaml.SequenceNode():
            return [_member(item) for item in node.value]
        case _:
            return _member(node)


def _member(node: yaml.Node) -> object:
    """A member of a list, or a single value; what is deeper is wrong, whatever is in it."""
    match node:
        case yaml.ScalarNode():
            if node.style in _QUOTES:
                return str(node.value)
            return None if node.value in _NOTHING else Word(node.value)
        case yaml.SequenceNode():
            return []
        case _:
            return {}


def _span(file: SourceFile, node: yaml.Node) -> Span:
    start, end = _at(file, node.start_mark), _at(file, node.end_mark)
    return file.span(start, start + len(file.text[start:end].rstrip()))


def _at(file: SourceFile, mark: yaml.Mark) -> int:
    return min(int(mark.index), len(file.text))
