"""Rows with ranges: no two of one layer overlap, and nothing gets lost."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.plan import Channel, Element, Kind
from tunnelgate_targets.nftables.sets import Entry, layers

_side = st.one_of(
    st.none(),
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda pair: (min(pair), max(pair))),
)
_ports = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda pair: (min(pair), max(pair)))


@st.composite
def _entries(draw: st.DrawFn) -> list[Entry]:
    sources, destinations = draw(st.booleans()), draw(st.booleans())
    found = []
    for number in range(draw(st.integers(0, 12))):
        source = draw(_side.filter(bool)) if sources else None
        destination = draw(_side.filter(bool)) if destinations else None
        channel = Channel(Kind.PORT, draw(st.sampled_from([6, 17])), *draw(_ports))
        found.append(
            Entry(
                Element(source, destination, channel),
                draw(st.sampled_from(["a", "b"])),
                f"s{number}",
            )
        )
    return found


def _points(entry: Entry) -> set[tuple[int, int, int, int]]:
    source, destination = entry.element.source or (0, 0), entry.element.destination or (0, 0)
    channel = entry.element.channel
    return {
        (s, d, channel.protocol, p)
        for s in range(source[0], source[1] + 1)
        for d in range(destination[0], destination[1] + 1)
        for p in range(channel.low, channel.high + 1)
    }


@given(_entries())
def test_layers(entries: list[Entry]) -> None:
    made = layers(entries)
    for layer in made:
        for one, other in combinations(layer, 2):
            assert not _points(one) & _points(other)
    for value in ("a", "b"):
        wanted = [_points(entry) for entry in entries if entry.value == value]
        given_ = [_points(entry) for layer in made for entry in layer if entry.value == value]
        assert set().union(*wanted) == set().union(*given_)


@given(_entries())
def test_the_order_of_rows_does_not_matter(entries: list[Entry]) -> None:
    assert layers(entries) == layers(entries[::-1])
