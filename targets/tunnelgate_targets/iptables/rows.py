"""Rows of many statements as sets: which type of set holds a row, and what its element is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from tunnelgate.flows.intervals import Interval
from tunnelgate.plan import Channel, Kind, Row
from tunnelgate_targets.iptables.grouping import SET_PORTS
from tunnelgate_targets.iptables.lens import Lens
from tunnelgate_targets.iptables.sets import Sets, halved
from tunnelgate_targets.iptables.words import prefixes

#: Types that came late (Linux 3.17) and that small kernels leave out; so few rows are rules.
_LATE = frozenset({"hash:net,net", "hash:net,port,net"})
_FEW = 16


class Layout(NamedTuple):
    """A type of set, and which ends of a packet a rule looks up in it.

    In a `turned` one the destination stands first, because the network has to stand last.
    """

    kind: str
    directions: str
    turned: bool = False


class Found(NamedTuple):
    """Rows that became one set, or, where `match` is None, that stay rules."""

    match: str | None
    rows: Sequence[Row]


def as_sets(
    sets: Sets, label: str, rows: Iterable[Row], ports: bool, lens: Lens
) -> Iterator[Found]:
    """The rows of one shape as few sets; with `ports` an element has a channel."""
    layouts: dict[Layout, list[Row]] = defaultdict(list)
    for row in rows:
        layouts[_layout(row, ports)].append(row)
    for layout, some in sorted(layouts.items()):
        if layout.kind in _LATE and len(some) < _FEW:
            yield Found(None, some)
            continue
        parts, size = _parts(some, layout, ports, lens)
        name = sets.add(label, layout.kind, lens.family, parts, size)
        yield Found(f"-m set --match-set {name} {layout.directions}", some)


def _parts(
    rows: list[Row], layout: Layout, ports: bool, lens: Lens
) -> tuple[list[tuple[str, list[str]]], int]:
    """The elements of rows by their statement, in alphabetical order; and their number."""
    parts: dict[str, list[str]] = {}
    size = 0
    for row in sorted(rows, key=_text):
        elements, spread = _elements(row, layout, ports, lens)
        parts.setdefault(row.origin.text, []).extend(elements)
        size += len(elements) * spread
    return list(parts.items()), size


def _text(row: Row) -> str:
    return row.origin.text


def _layout(row: Row, ports: bool) -> Layout:
    source, destination, _ = row.element
    if source is None or destination is None:
        kind = "ip" if _is_single(source) and _is_single(destination) else "net"
        end = "src" if destination is None else "dst"
        return Layout(f"hash:{kind},port", f"{end},dst") if ports else Layout(f"hash:{kind}", end)
    if not ports:
        return Layout("hash:net,net", "src,dst")
    if _is_single(source):
        last = "ip" if _is_single(destination) else "net"
        return Layout(f"hash:ip,port,{last}", "src,dst,dst")
    if _is_single(destination):
        return Layout("hash:ip,port,net", "dst,dst,src", turned=True)
    return Layout("hash:net,port,net", "src,dst,dst")


def _is_single(interval: Interval | None) -> bool:
    return interval is None or interval[0] == interval[1]


def _elements(row: Row, layout: Layout, ports: bool, lens: Lens) -> tuple[list[str], int]:
    """The elements of a row, and how many each of them is in the kernel."""
    source, destination, channel = row.element
    ends = [_texts(interval) for interval in (source, destination) if interval is not None]
    if layout.turned:
        ends.reverse()
    spread = 1
    if ports:
        texts, spread = _channel(channel, lens)
        ends.insert(1, texts)
    return [",".join(parts) for parts in product(*ends)], spread


@lru_cache(maxsize=65536)
def _texts(interval: Interval) -> tuple[str, ...]:
    return tuple(halved(prefixes(interval)))


@lru_cache(maxsize=4096)
def _channel(channel: Channel, lens: Lens) -> tuple[tuple[str, ...], int]:
    """A channel as ipset says it, and how many elements it is in the kernel."""
    numbers = range(channel.low, channel.high + 1)
    if channel.kind is not Kind.PORT:
        return tuple(f"{number}:0" for number in numbers if lens.shows(number)), 1
    ports = str(channel.low) if len(numbers) == 1 else f"{channel.low}-{channel.high}"
    return (f"{SET_PORTS[channel.protocol]}:{ports}",), len(numbers)
