"""Tables of a plan as named sets and maps.

Rows that are single points go into a hash set, whatever their number. Rows with a range go into
sets of intervals (the kernel's pipapo), where no two may overlap: a row that another contains is
left out, one that overlaps another goes into a further set.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.plan import Channel, Element, Kind, Shape, channels
from tunnelgate_targets.nftables.quote import plain
from tunnelgate_targets.nftables.words import FAMILY_TYPE, FAMILY_WORD, addresses, numbers, spis

_KIND_KEYS = {
    Kind.PROTOCOL: "meta l4proto",
    Kind.PORT: "meta l4proto . th dport",
    Kind.ICMP: "icmp type",
    Kind.ICMPV6: "icmpv6 type",
    Kind.SPI: "esp spi",
}
_KIND_TYPES = {
    Kind.ANY: (),
    Kind.PROTOCOL: ("inet_proto",),
    Kind.PORT: ("inet_proto", "inet_service"),
    Kind.ICMP: ("icmp_type",),
    Kind.ICMPV6: ("icmpv6_type",),
}
_KIND_NAMES = {
    Kind.ANY: (),
    Kind.PROTOCOL: ("protocol",),
    Kind.PORT: ("port",),
    Kind.ICMP: ("icmp",),
    Kind.ICMPV6: ("icmpv6",),
    Kind.SPI: ("spi",),
}
(ANY_CHANNEL,) = channels(axes.ANY_L4)
#: The type of the values of a verdict map.
VERDICT = "verdict"


class Entry(NamedTuple):
    """One row of a set, of a map where `value` is not empty, and its statement's text."""

    element: Element
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A set or map of the ruleset, ready to be written.

    Attributes:
        holds: what it is declared to hold.
        key: what is looked up, as a rule says it.
        lines: the elements, with a comment behind the first of each statement.
    """

    kind: str
    name: str
    holds: str
    key: str
    interval: bool
    lines: tuple[str, ...]
    texts: tuple[str, ...]


def key(shape: Shape) -> str:
    """What rows of a shape are looked up by.

    An SPI stands first: of rows with a range the kernel follows all that fit the fields so far
    (nft_set_pipapo), and the peers of many hosts are the same.
    """
    family = FAMILY_WORD.get(shape.family, "")
    parts = [f"{family} saddr"] if shape.source else []
    parts += [f"{family} daddr"] if shape.destination else []
    if shape.kind is Kind.SPI:
        parts.insert(0, _KIND_KEYS[Kind.SPI])
    elif shape.kind in _KIND_KEYS:
        parts.append(_KIND_KEYS[shape.kind])
    return " . ".join(parts)


def shape_name(shape: Shape) -> str:
    """A shape in the name of a set: `ip.source.destination.port`."""
    parts = [FAMILY_WORD[shape.family]] if shape.family else []
    parts += ["source"] if shape.source else []
    parts += ["destination"] if shape.destination else []
    parts += _KIND_NAMES[shape.kind]
    parts += ["translated"] if shape.translated else []
    return ".".join(parts)


def named_sets(
    prefix: str, shape: Shape, entries: Sequence[Entry], value: str = ""
) -> list[NamedSet]:
    """The sets (or maps) that hold some rows of one shape: points first, then layers of ranges.

    `value` is the type of what a map gives; an address without it.
    """
    points = [entry for entry in entries if entry.element.is_exact]
    ranges = [entry for entry in entries if not entry.element.is_exact]
    name = ".".join((prefix, shape_name(shape)))
    value = value or f"{FAMILY_WORD.get(shape.family, '')} daddr"
    found = [_named(f"{name}.points", shape, points, value, interval=False)] if points else []
    for number, layer in enumerate(layers(ranges), start=1):
        suffix = "ranges" if number == 1 else f"ranges.{number}"
        found.append(_named(f"{name}.{suffix}", shape, layer, value, interval=True))
    return found


def _named(
    name: str, shape: Shape, entries: Sequence[Entry], value: str, *, interval: bool
) -> NamedSet:
    is_map = bool(entries[0].value)
    what = key(shape)
    return NamedSet(
        kind="map" if is_map else "set",
        name=name,
        holds=_holds(shape, value) if is_map else f"typeof {what}",
        key=what,
        interval=interval,
        lines=tuple(_lines(entries)),
        texts=tuple(dict.fromkeys(entry.text for entry in entries)),
    )


def _holds(shape: Shape, value: str) -> str:
    """What a map is declared to hold; before nft 0.9.9 `typeof` knew no verdict."""
    if value != VERDICT:
        return f"typeof {key(shape)} : {value}"
    ends = [FAMILY_TYPE[shape.family] for side in (shape.source, shape.destination) if side]
    return f"type {' . '.join([*ends, *_KIND_TYPES[shape.kind]])} : {value}"


def _lines(entries: Sequence[Entry]) -> Iterable[str]:
    """Elements by statement, in alphabetical order: one line more there is one more here.

    The statement stands behind its first element: before nft 1.0.5 no comment may have a line of
    its own among elements.
    """
    ordered = sorted(entries, key=lambda entry: entry.text)
    last = len(ordered) - 1
    before = None
    for at, entry in enumerate(ordered):
        value = f" : {entry.value}" if entry.value else ""
        about = f" # {plain(entry.text)}" if entry.text != before else ""
        yield f"{_element(entry.element)}{value}{',' if at < last else ''}{about}"
        before = entry.text


def _element(element: Element) -> str:
    parts = [addresses(side) for side in (element.source, element.destination) if side is not None]
    channel = element.channel
    if channel.kind is Kind.PORT:
        parts.append(f"{channel.protocol} . {numbers(channel.low, channel.high)}")
    elif channel.kind is Kind.SPI:
        parts.insert(0, spis(channel.low, channel.high))
    elif channel.kind is not Kind.ANY:
        parts.append(numbers(channel.low, channel.high))
    return " . ".join(parts)


# -- layers of rows that do not overlap

_Span = tuple[int, int]
_ALL: _Span = (0, 1 << 140)


def _spans(element: Element) -> tuple[_Span, _Span, _Span]:
    return element.source or _ALL, element.destination or _ALL, _channel_span(element.channel)


def _channel_span(channel: Channel) -> _Span:
    if channel.kind is Kind.PORT:
        return channel.protocol << 16 | channel.low, channel.protocol << 16 | channel.high
    return channel.low, channel.high


def layers(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Rows in as few layers as a sweep finds, none overlapping another of its layer.

    A row inside another of the same value is left out. The sweep goes along the axis with the most
    different intervals, so that few rows are active at a time.
    """
    spans = {entry: _spans(entry.element) for entry in entries}
    axis = (
        max(range(3), key=lambda one: len({span[one] for span in spans.values()})) if spans else 0
    )
    order = sorted(
        entries,
        key=lambda entry: (
            spans[entry][axis][0],
            -spans[entry][axis][1],
            entry.element,
            entry.text,
        ),
    )
    found: list[list[Entry]] = []
    active: list[tuple[int, int, Entry, int]] = []
    for number, entry in enumerate(order):
        low, high = spans[entry][axis]
        while active and active[0][0] < low:
            active.pop(0)
        near = [
            (other, layer) for _, _, other, layer in active if _overlap(spans[other], spans[entry])
        ]
        if any(
            other.value == entry.value and _inside(spans[entry], spans[other]) for other, _ in near
        ):
            continue
        taken = {layer for _, layer in near}
        layer = next(one for one in range(len(found) + 1) if one not in taken)
        if layer == len(found):
            found.append([])
        found[layer].append(entry)
        insort(active, (high, number, entry, layer), key=lambda one: one[:2])
    return found


def _overlap(one: tuple[_Span, ...], other: tuple[_Span, ...]) -> bool:
    return all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(one, other, strict=True))


def _inside(one: tuple[_Span, ...], other: tuple[_Span, ...]) -> bool:
    return all(b[0] <= a[0] and a[1] <= b[1] for a, b in zip(one, other, strict=True))
