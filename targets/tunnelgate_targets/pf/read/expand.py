"""One rule with lists becomes several, as pfctl makes them (parse.y, `expand_rule`).

In this order, the last one fastest: interface, protocol, ICMP type, source, destination, source
port, destination port. What no packet can have (an IPv4 source, an IPv6 destination) is left out;
pfctl says nothing about it unless nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from tunnelgate.flows import axes
from tunnelgate_targets.pf.read.labels import Names
from tunnelgate_targets.pf.read.parts import Host, NotModelled, Ports
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import (
    ANY_PORT,
    Criteria,
    Flags,
    Icmp,
    OfInterface,
    Side,
    Span,
)
from tunnelgate_targets.pf.read.written import Written

_WITH_PORTS = {axes.TCP, axes.UDP}
_WITH_FLAGS = {None, axes.TCP}
_ICMP = {4: axes.ICMP, 6: axes.ICMPV6}
NO_FLAGS, ANYWHERE = Flags(), Side()
#: What no statement of the typed ruleset has a place for.
_NOT_MODELLED = frozenset(
    {
        "os",
        "af-to",
        "route-to",
        "fragment",
        "rtable",
        "probability",
        "user",
        "group",
        "tos",
        "prio",
        "divert-to",
        "divert-reply",
        "divert-packet",
        "once",
        "max-pkt-rate",
        "max-pkt-size",
    }
)


@dataclass(frozen=True, slots=True)
class Expanded:
    """One rule of several, and what its labels call its parts."""

    criteria: Criteria
    names: Names


def expand(written: Written, default_flags: Flags = NO_FLAGS) -> Iterator[Expanded]:
    """The rules that a statement with lists stands for.

    `default_flags` are those of TCP where the statement names none. Raises Refused.
    """
    for name in _NOT_MODELLED & written.parts.keys():
        raise Refused(f"`{name}` is not modelled", written.line)
    if written.get("flags") and not _WITH_FLAGS & set(written.get("proto", [None])):
        raise Refused("flags are asked of TCP alone", written.line)
    found = False
    for expanded in _all(written, default_flags):
        found = True
        yield expanded
    if not found:
        raise Refused("no packet can match: its addresses are of two families", written.line)


def _all(written: Written, default_flags: Flags) -> Iterator[Expanded]:
    line = written.line
    source, destination = written.get("from"), written.get("to")
    lists = product(
        written.get("on", [None]),
        written.get("proto", [None]),
        written.get("icmp", [None]),
        source.hosts if source else (Host(None),),
        destination.hosts if destination else (Host(None),),
        (source.ports if source else None) or (None,),
        (destination.ports if destination else None) or (None,),
    )
    for interface, protocol, icmp, origin, target, origin_ports, target_ports in lists:
        family = _family(written, origin, target)
        if family is None:
            continue
        _check_protocol(protocol, family, icmp, (origin_ports, target_ports), line)
        flags = written.get("flags", default_flags) if protocol in _WITH_FLAGS else NO_FLAGS
        names = Names(interface, protocol, origin, origin_ports, target, target_ports)
        yield Expanded(
            Criteria(
                written.get("direction"),
                interface,
                family,
                protocol,
                _side(origin, origin_ports, family, line),
                _side(target, target_ports, family, line),
                None if icmp is None else icmp[1],
                flags,
                names.tagged(written.get("tagged"), line),
                written.get("received-on"),
            ),
            names,
        )


def _family(written: Written, source: Host, destination: Host) -> int | None:
    """The family of a rule, 0 for both; None where its parts cannot meet."""
    asked = {written.get("family", 0)}
    asked |= {
        host.address.family for host in (source, destination) if isinstance(host.address, Span)
    }
    asked -= {0}
    return None if len(asked) > 1 else asked.pop() if asked else 0


def _check_protocol(
    protocol: int | None,
    family: int,
    icmp: tuple[int, Icmp] | None,
    ports: tuple[Ports | None, Ports | None],
    line: int,
) -> None:
    if ports != (None, None) and protocol not in _WITH_PORTS:
        raise Refused("a port is asked of TCP and UDP alone", line)
    if family and protocol == _ICMP[10 - family]:
        raise Refused(f"IPv{family} carries no such ICMP", line)
    if icmp is None:
        return
    if protocol != _ICMP[icmp[0]]:
        raise Refused("a type of ICMP is asked of another protocol", line)
    if family != icmp[0]:
        raise Refused("a type of ICMP needs `inet` or `inet6`", line)


def _side(host: Host, ports: Ports | None, family: int, line: int) -> Side:
    address = host.address
    if isinstance(address, NotModelled):
        raise Refused(f"`{address.what}` is not modelled", line)
    if isinstance(address, OfInterface) and address.length is not None:
        # `(self)/40` is about IPv6 prefixes, and about whole addresses of IPv4
        whole = address.length >= (32 if family == 4 else 128)
        address = replace(address, length=None) if family and whole else address
    if address is None and ports is None and not host.negated:
        return ANYWHERE
    return Side(address, host.negated, ports.ports if ports else ANY_PORT)
