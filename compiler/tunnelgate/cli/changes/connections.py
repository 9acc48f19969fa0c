"""The connections that a load does not end: entries of before that the new policy would not make.

An established connection passes whatever the rules say, and keeps its translation (targets page,
What a reload leaves; language reference, Always on). So what is newly denied or treated otherwise
goes on until its entry is deleted: conntrack(8) on Linux, pfctl(8) on pf.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product
from math import prod
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE
from tunnelgate.meaning.difference import Change, Kind, Report

#: More commands than this for one change, and its protocols or addresses are left out: what is
#: deleted without need begins anew, what is not deleted goes on.
_MOST = 32

_WITH_NAMES = {axes.TCP: "tcp", axes.UDP: "udp", axes.SCTP: "sctp", axes.DCCP: "dccp"}


class Commands(NamedTuple):
    """The commands of each tool; they may end more than has to end, which then begins anew."""

    conntrack: tuple[str, ...]
    pf: tuple[str, ...]


def commands(report: Report) -> Commands:
    """What ends the connections that the new policy would not make."""
    ended = [change for change in report.changes if change.kind is not Kind.ALLOWED]
    some = dict.fromkeys(one for change in ended for one in _conntrack(change))
    pf = dict.fromkeys(one for change in ended for one in _pf(change))
    return Commands(tuple(some), tuple(pf))


def _conntrack(change: Change) -> Iterator[str]:
    family = "" if change.family == 4 else " -f ipv6"
    for protocol, source, destination in _asked(change):
        yield f"conntrack -D{family}{protocol}{source}{destination}"


def _asked(change: Change) -> Iterable[tuple[str, ...]]:
    """The words of each command: exact where these are few, else with less asked."""
    sides = [
        [f" -p {one}" for one in _protocols(change)] or [""],
        [f" -s {one}" for one in _networks(change, SOURCE)] or [""],
        [f" -d {one}" for one in _networks(change, DESTINATION)] or [""],
    ]
    while prod(map(len, sides)) > _MOST:
        sides[max(range(3), key=lambda side: len(sides[side]))] = [""]
    return product(*sides)


def _protocols(change: Change) -> list[str]:
    """`udp --orig-port-dst 500` for each port, a protocol where all of it is meant; none for any.

    A range of ports is no argument of conntrack(8): its protocol is named.
    """
    l4 = change.box[L4]
    if l4.size() > axes.ANY_L4.size() // 2:
        return []
    found: dict[str, None] = {}
    for low, high in l4:
        for protocol in range(low >> 16, (high >> 16) + 1):
            word = _WITH_NAMES.get(protocol, str(protocol))
            if low == high and protocol in _WITH_NAMES:
                word += f" --orig-port-dst {low & 0xFFFF}"
            found[word] = None
    return list(found)


def _networks(change: Change, axis: int) -> list[str]:
    """The addresses as prefixes; none where they are everybody's or not known."""
    addresses = change.box[axis]
    if addresses.overlaps(axes.UNKNOWN) or addresses.size() > 1 << 31:
        return []
    return [
        str(network if network.num_addresses > 1 else network.network_address)
        for interval in islice(addresses, _MOST + 1)
        for network in axes.to_networks(interval)
    ]


def _pf(change: Change) -> Iterator[str]:
    everybody = "0.0.0.0/0" if change.family == 4 else "::/0"
    sources = _networks(change, SOURCE) or [everybody]
    destinations = _networks(change, DESTINATION) or [everybody]
    if len(sources) * len(destinations) > _MOST:
        sources = destinations = [everybody]
    for source, destination in product(sources, destinations):
        yield f"pfctl -k {source} -k {destination}"
