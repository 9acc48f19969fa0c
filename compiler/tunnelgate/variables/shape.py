"""Whether a value from outside is a text, a number, or a list of them, as its parameter asks.

pydantic says so, strictly: `"500"` is no number, `500` no text, `true` neither.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tunnelgate.source import Span
from tunnelgate.variables.model import Value, Word

_WHAT = {(False, False): "a text", (False, True): "a list of texts"}
_WHAT |= {(True, False): "a number", (True, True): "a list of numbers"}


def misfits(value: Value, *, is_number: bool, is_list: bool) -> list[tuple[Span, str, str]]:
    """What is of another shape than it should be: its place, what is said of it, the way out."""
    plain = value.plain
    if is_number:  # whether a word is the number that it should be, its type says
        plain = _numbers(plain)
    try:
        _adapter(is_number, is_list).validate_python(plain)
    except ValidationError as error:
        return [_misfit(value, is_number, is_list, one["loc"]) for one in error.errors()]
    return []


def _numbers(plain: object) -> object:
    if isinstance(plain, list):
        return [_numbers(one) for one in plain]
    return 0 if isinstance(plain, Word) else plain


@cache
def _adapter(is_number: bool, is_list: bool) -> TypeAdapter[Any]:
    one: Any = int if is_number else str
    wanted: Any = Annotated[list[one], Field(min_length=1)] if is_list else one
    return TypeAdapter(wanted, config=ConfigDict(strict=True))


def _misfit(
    value: Value, is_number: bool, is_list: bool, where: tuple[int | str, ...]
) -> tuple[Span, str, str]:
    plain, span = value.plain, value.span
    if where and isinstance(plain, list):
        at = int(where[0])
        plain, span, is_list = plain[at], value.items[at], False
    elif is_list and plain == []:
        help = "a statement about nothing would say something else: leave the value out"
        return span, "the list is empty", help
    wanted = _WHAT[is_number, is_list]
    return span, f"{_kind(plain)} stands where {wanted} belongs", _help(plain, wanted)


def _kind(plain: object) -> str:
    match plain:
        case Word():
            return "a word"
        case bool():
            return "a truth value"
        case str():
            return "a text"
        case int():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
        case None:
            return "nothing"
        case _:
            return "something else"


def _help(plain: object, wanted: str) -> str:
    if isinstance(plain, str) and wanted == "a number":
        return "write the number without quotes"
    if isinstance(plain, str | int) and wanted.startswith("a list"):
        return "put it into brackets: `[…]`"
    if not isinstance(plain, list | dict) and wanted == "a text":
        return "write it in double quotes"
    return f"give it {wanted}"
