"""What statements mean, names and spelling aside: of a key those that mean the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Side


class Meaning:
    """What a statement means. Compared by all of it, hashed by a part: a group may be long."""

    def __init__(self, plain: Hashable, sides: Iterable[tuple[Hashable, Intervals]]) -> None:
        self._plain = plain
        self._sides = tuple(sides)
        self._hash = hash((plain, *((what, _brief(one)) for what, one in self._sides)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Meaning) and (self._plain, self._sides) == (
            other._plain,
            other._sides,
        )


def _brief(one: Intervals) -> Hashable:
    return len(one.items), one.items[:1], one.items[-1:]


def places(source: Side, destination: Side) -> Iterator[tuple[Hashable, Intervals]]:
    """What the sides of a statement say."""
    for word, side in (("from", source), ("to", destination)):
        for zone, addresses in side:
            yield (word, zone), addresses
