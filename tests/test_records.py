"""Records behave as frozen dataclasses with slots do, and are some to the standard library."""

from __future__ import annotations

import dataclasses
import pickle
from functools import cached_property
from typing import ClassVar

import pytest

from tunnelgate.records import field, fields_of, record, replace


@record(kw_only=True)
class Base:
    place: int = field(compare=False)
    doc: str = field(default="", compare=False)


@record(kw_only=True)
class Derived(Base):
    name: str


@record
class Pair:
    """Two things."""

    one: int
    two: str = "b"
    KNOWN: ClassVar[int] = 3

    def both(self) -> str:
        return f"{self.one}{self.two}"

    @cached_property
    def long(self) -> str:
        return self.both() * 2


@record(eq=False)
class Place:
    name: str

    def __repr__(self) -> str:
        return f"Place({self.name})"


@record
class Lists:
    some: list[int] = field(default_factory=list)


@record
class Empty:
    pass


def test_fields_by_place_and_by_name():
    assert Pair(1, "x") == Pair(two="x", one=1)
    assert Pair(1).two == "b"
    assert Pair(1).both() == "1b"
    assert Pair.KNOWN == 3
    assert Pair.__doc__ == "Two things."
    assert Empty() == Empty()


@pytest.mark.parametrize(
    "call",
    [lambda: Pair(), lambda: Pair(1, "b", 2), lambda: Pair(1, three=3), lambda: Derived(1, "")],
)
def test_wrong_arguments(call):
    with pytest.raises(TypeError):
        call()


def test_defaults_that_are_made_anew():
    assert Lists() == Lists([])
    assert Lists().some is not Lists().some
    assert dataclasses.replace(Lists(), some=[1]) == Lists([1])


def test_equality_is_of_the_class_and_of_what_is_compared():
    assert Derived(place=1, name="a") == Derived(place=2, doc="x", name="a")
    assert hash(Derived(place=1, name="a")) == hash(Derived(place=2, name="a"))
    assert Derived(place=1, name="a") != Derived(place=1, name="b")
    assert Base(place=1) == Base(place=2)
    assert Base(place=1) != Derived(place=1, name="a")
    assert Pair(1) != (1, "b")


def test_equality_by_identity():
    place = Place("a")
    assert place == place
    assert place != Place("a")
    assert len({place, Place("a")}) == 2


def test_what_is_shown():
    assert repr(Pair(1)) == "Pair(one=1, two='b')"
    assert repr(Derived(place=1, name="a")) == "Derived(place=1, doc='', name='a')"
    assert repr(Place("a")) == "Place(a)"


def test_it_is_frozen_and_has_no_room_for_more():
    pair = Pair(1)
    with pytest.raises(AttributeError, match="frozen: `one`"):
        pair.one = 2
    with pytest.raises(AttributeError, match="frozen"):
        del pair.one
    with pytest.raises(AttributeError):
        object.__setattr__(Place("a"), "more", 1)
    assert not hasattr(Place("a"), "__dict__")


def test_what_is_cached_is_kept():
    pair = Pair(1)
    assert pair.long is pair.long


def test_replace():
    assert replace(Pair(1), two="c") == Pair(1, "c")
    assert replace(Derived(place=1, doc="d", name="a"), name="b").doc == "d"
    with pytest.raises(TypeError):
        replace(Pair(1), three=3)


def test_patterns():
    match Pair(1):
        case Pair(one, two):
            assert (one, two) == (1, "b")
    assert Derived.__match_args__ == ()


def test_pickles():
    for one in (Pair(1), Derived(place=1, doc="d", name="a"), Empty()):
        again = pickle.loads(pickle.dumps(one))
        assert repr(again) == repr(one)
        assert type(again) is type(one)


def test_the_standard_library_takes_it_for_a_dataclass():
    assert dataclasses.is_dataclass(Pair)
    assert [one.name for one in dataclasses.fields(Derived)] == ["place", "doc", "name"]
    assert [one.compare for one in dataclasses.fields(Derived)] == [False, False, True]
    assert dataclasses.asdict(Pair(1)) == {"one": 1, "two": "b"}
    assert dataclasses.replace(Pair(1), one=2) == Pair(2)
    assert not dataclasses.is_dataclass(object())
    assert fields_of(Pair(1)) == ("one", "two")
    assert fields_of(1) == ()
