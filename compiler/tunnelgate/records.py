"""Records: frozen classes with slots, made in a tenth of the time that `dataclass` takes.

`dataclass` writes and compiles up to eight methods for each class. A run of `tunnelgate check`
makes some ninety classes, and that was a third of its time. A record has one method of its own
that is compiled, `__init__`; the others are written once, here. To whoever asks, a record is a
dataclass: `dataclasses.fields`, `replace` and `asdict` take it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, dataclass_transform, overload

T = TypeVar("T")

_MISSING = object()


class Field(NamedTuple):
    """One field of a record: its default or what makes one, and whether equality looks at it."""

    default: Any = _MISSING
    default_factory: Any = _MISSING
    compare: bool = True
    kw_only: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether whoever makes a record must say it."""
        return self.default is self.default_factory is _MISSING


def field(*, default: Any = _MISSING, default_factory: Any = _MISSING, compare: bool = True) -> Any:
    """What a field has besides its type; as `dataclasses.field`."""
    return Field(default, default_factory, compare)


def replace(old: T, /, **changes: Any) -> T:
    """A record like another one, with some fields changed; as `dataclasses.replace`."""
    values = {name: getattr(old, name) for name in old.__record__}  # type: ignore[attr-defined]
    return type(old)(**(values | changes))


def fields_of(value: object) -> tuple[str, ...]:
    """The names of a record's fields, in their order; none of what is no record."""
    return tuple(getattr(value, "__record__", ()))


@overload
def record(cls: type[T]) -> type[T]: ...
@overload
def record(*, eq: bool = ..., kw_only: bool = ...) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[Any] | None = None, *, eq: bool = True, kw_only: bool = False) -> Any:
    """Make a class of annotations a record, as `dataclass(frozen=True, slots=True)` would.

    A method that the class or a base of its own defines is left as it is. A class with a
    `cached_property` has a dictionary besides its slots.

    Args:
        cls: the class; None where the decorator is given arguments.
        eq: whether two records with the same fields are equal; otherwise by identity.
        kw_only: whether its fields are given by name.
    """
    if cls is None:
        return lambda cls: _record(cls, eq, kw_only)
    return _record(cls, eq, kw_only)


def _record(cls: Any, eq: bool, kw_only: bool) -> Any:
    namespace = dict(cls.__dict__)
    own = {name: _own_field(namespace, name, kw_only) for name in _annotated(cls)}
    fields: dict[str, Field] = {**getattr(cls, "__record__", {}), **own}
    has_cache = any(isinstance(value, cached_property) for value in namespace.values())
    namespace["__slots__"] = (*own, "__dict__") if has_cache else tuple(own)
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    namespace["__record__"] = fields
    namespace["__dataclass_fields__"] = _AsDataclass()
    namespace["__match_args__"] = tuple(name for name, one in fields.items() if not one.kw_only)
    inherited: Mapping[str, Any] = _SHARED | (_BY_FIELDS if eq else {})
    for name, method in inherited.items():
        if getattr(cls, name) is getattr(object, name):
            namespace[name] = method
    made = type(cls)(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    compared = [name for name, one in fields.items() if one.compare]
    made.__compared__ = attrgetter(*(compared or ["__class__"]))
    made.__init__ = _initializer(made, fields)
    return made


def _annotated(cls: Any) -> list[str]:
    return [
        name
        for name, type_ in cls.__annotations__.items()  # its own alone, as classes have it
        if not str(type_).startswith("ClassVar")
    ]


def _own_field(namespace: dict[str, Any], name: str, kw_only: bool) -> Field:
    """The field of a name, whose default must not stand where its slot is to be."""
    default = namespace.pop(name, _MISSING)
    found = default if isinstance(default, Field) else Field(default)
    return found._replace(kw_only=kw_only)


def _initializer(cls: Any, fields: Mapping[str, Field]) -> Any:
    """The `__init__` of a record: each field goes into its slot, past the `__setattr__`."""
    known: dict[str, Any] = {"MISSING": _MISSING}
    lines: list[str] = []
    for name, one in fields.items():
        known[f"set_{name}"] = getattr(cls, name).__set__
        known[f"default_{name}"] = one.default
        known[f"make_{name}"] = one.default_factory
        value = name
        if one.default_factory is not _MISSING:
            value = f"make_{name}() if {name} is MISSING else {name}"
        lines.append(f"    set_{name}(self, {value})\n")

    def parameters(kw_only: bool) -> list[str]:
        return [
            name if one.is_needed else f"{name}=default_{name}"
            for name, one in fields.items()
            if one.kw_only is kw_only
        ]

    named = parameters(kw_only=True)
    head = ", ".join(["self", *parameters(kw_only=False), *(["*", *named] if named else [])])
    exec(f"def __init__({head}):\n{''.join(lines) or '    pass'}", known)
    initializer = known["__init__"]
    initializer.__qualname__ = f"{cls.__qualname__}.__init__"
    return initializer


def _repr(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record__)
    return f"{type(self).__qualname__}({values})"


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _refuse(self: Any, name: str, *_value: object) -> None:
    raise AttributeError(f"a {type(self).__qualname__} is frozen: `{name}` stays as it is")


def _reduce(self: Any) -> tuple[Any, ...]:
    return _restored, (type(self), tuple(getattr(self, name) for name in self.__record__))


def _restored(cls: type[T], values: tuple[Any, ...]) -> T:
    """A record of the values of its fields: what a pickle of one calls."""
    made = cls.__new__(cls)
    for name, value in zip(cls.__record__, values, strict=True):  # type: ignore[attr-defined]
        getattr(cls, name).__set__(made, value)
    return made


class _AsDataclass:
    """What the standard library asks a dataclass for; made when it first asks."""

    def __get__(self, _instance: object, cls: Any) -> Any:
        import dataclasses

        def described(one: Field) -> Any:
            found = {"default": one.default, "default_factory": one.default_factory}
            given = {name: value for name, value in found.items() if value is not _MISSING}
            return dataclasses.field(compare=one.compare, kw_only=one.kw_only, **given)

        types: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            types |= getattr(base, "__annotations__", {})
        fields = [(name, types[name], described(one)) for name, one in cls.__record__.items()]
        made: Any = dataclasses.make_dataclass(cls.__name__, fields)
        cls.__dataclass_fields__ = made.__dataclass_fields__
        return made.__dataclass_fields__


_SHARED: dict[str, Any] = {
    "__repr__": _repr,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__reduce__": _reduce,
}
_BY_FIELDS: dict[str, Any] = {"__eq__": _eq, "__hash__": _hash}
