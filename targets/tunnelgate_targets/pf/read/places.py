"""Addresses, ports, protocols, types and flags: from words to numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Intervals
from tunnelgate_targets.pf.read.parts import (
    Host,
    NotModelled,
    Ports,
    Word,
    WrittenPool,
    checked,
)
from tunnelgate_targets.pf.read.refused import Refused
from tunnelgate_targets.pf.read.ruleset import (
    ANY_PORT,
    Address,
    Flags,
    Icmp,
    OfInterface,
    Pool,
    Span,
)
from tunnelgate_targets.pf.read.words import ICMP_CODES, ICMP_TYPES, PROTOCOLS, SERVICES

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+){0,3}")
_INTERFACE = re.compile(
    r"(?P<name>self|[A-Za-z][A-Za-z_]*[0-9]+(?:\.[0-9]+)?)(?P<parts>(?::[a-z0]+)*)"
)
_DYNAMIC = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_.-]*)(?P<parts>(?::[a-z0]+)*)")
_PARTS = {"network", "broadcast", "peer"}
_FLAGS = frozenset("FSRPAUEW")
_LAST_PORT = axes.PORTS - 1


def number(word: Word, names: Mapping[str, int], last: int, what: str) -> int:
    """The number that a word is, or stands for. Raises Refused."""
    text = word.text
    if re.fullmatch(r"0[xX][0-9A-Fa-f]+|[0-9]+", text):
        value = int(text, 0) if text[:2] in {"0x", "0X"} else int(text)
        if value <= last:
            return value
        raise Refused(f"the {what} `{text}` is above {last}", word.line)
    if text in names:
        return int(names[text])
    raise Refused(f"`{text}` is no {what} that is known here", word.line)


def protocol(word: Word) -> int:
    """A protocol's number; 0 is none. Raises Refused."""
    found = number(word, PROTOCOLS, 255, "protocol")
    if found == 0:
        raise Refused("protocol 0 cannot be asked for", word.line)
    return found


def icmp(family: int, kind: Word, code: Word | None = None) -> tuple[int, Icmp]:
    """A type of ICMP, with its family. Raises Refused."""
    type_number = number(kind, ICMP_TYPES[family], 255, "ICMP type")
    if code is None:
        return family, Icmp(type_number, None)
    codes = ICMP_CODES[family].get(type_number, {})
    return family, Icmp(type_number, number(code, codes, 255, "ICMP code"))


def flags(children: Sequence[Any]) -> Flags:
    """`any`, `S/SA` or `/SA`: what must be on of what is looked at. Raises Refused."""
    if not isinstance(children[0], Word) and str(children[0]) == "any":
        return Flags()
    sets = [frozenset[str](), frozenset[str]()]
    after = 0
    line = 0
    for child in children:
        if isinstance(child, Word):
            sets[after], line = frozenset(child.text), child.line
        else:
            after, line = 1, child.line
    on, among = sets
    if not among or not on <= among or not among <= _FLAGS:
        raise Refused("the flags ask for what can never be", line)
    return Flags(on, among)


# -- ports


def ports(comparison: Sequence[Any]) -> Ports:
    """Which ports a comparison holds for. Raises Refused."""
    words = [child for child in comparison if isinstance(child, Word)]
    operator = next((str(child) for child in comparison if not isinstance(child, Word)), "=")
    if len(words) == 1 and ":" in words[0].text and operator == "=":
        first, _, last = words[0].text.partition(":")
        low, high = (_port(words[0]._replace(text=text)) for text in (first, last))
        if low > high:
            raise Refused(f"the range `{words[0].text}` is empty", words[0].line)
        return Ports(Intervals.span(low, high), f"{low}:{high}")
    numbers = [_port(word) for word in words]
    if len(numbers) == 2:
        return Ports(_between(operator, *numbers), f"{numbers[0]}{operator}{numbers[1]}")
    text = str(numbers[0]) if operator == "=" else f"{operator}{numbers[0]}"
    return Ports(_compared(operator, numbers[0]), text)


def _port(word: Word) -> int:
    return number(word, SERVICES, _LAST_PORT, "port")


def _compared(operator: str, port: int) -> Intervals:
    one = Intervals.span(port, port)
    below = Intervals.span(0, port - 1) if port else Intervals.EMPTY
    above = Intervals.span(port + 1, _LAST_PORT) if port < _LAST_PORT else Intervals.EMPTY
    found = {
        "=": one,
        "!=": below | above,
        "<": below,
        "<=": below | one,
        ">": above,
        ">=": above | one,
    }
    return found[operator]


def _between(operator: str, low: int, high: int) -> Intervals:
    """`a >< b` is what lies between, `a <> b` what lies outside; neither end belongs to either."""
    if operator == "><":
        return _compared(">", low) & _compared("<", high)
    return _compared("<", low) | _compared(">", high)


# -- addresses


def address(word: Word, length: Word | None = None) -> Span | OfInterface | NotModelled:
    """An address or prefix, whose host bits pf masks; or what an interface had at load.

    Raises Refused, also for a name that pfctl would ask the resolver for.
    """
    bits = None if length is None else number(length, {}, 128, "length of a prefix")
    numeric = _numeric(word, bits)
    if numeric is not None:
        return numeric
    match = _INTERFACE.fullmatch(word.text)
    if match is None:
        raise Refused(f"`{word.text}` is neither an address nor an interface", word.line)
    return _of_interface(match, word, bits, dynamic=False)


def dynamic(word: Word, length: Word | None = None) -> OfInterface:
    """What an interface has when a packet comes. Raises Refused."""
    match = _DYNAMIC.fullmatch(word.text)
    if match is None:
        raise Refused(f"`{word.text}` is no interface", word.line)
    bits = None if length is None else number(length, {}, 128, "length of a prefix")
    return _of_interface(match, word, bits, dynamic=True)


def _of_interface(
    match: re.Match[str], word: Word, bits: int | None, *, dynamic: bool
) -> OfInterface:
    parts = [part for part in match["parts"].split(":") if part]
    named = [part for part in parts if part in _PARTS]
    if len(named) > 1 or not set(parts) <= _PARTS | {"0"}:
        raise Refused(f"`{word.text}` asks for no part that an interface has", word.line)
    name = checked(word._replace(text=match["name"]), "interface")
    return OfInterface(name, named[0] if named else "", "0" in parts, bits, dynamic)


def _numeric(word: Word, bits: int | None) -> Span | None:
    text = word.text
    try:
        if _DOTTED.fullmatch(text) and (bits is not None or text.count(".") == 3):
            text += ".0" * (3 - text.count("."))
            return _masked(IPv4Address(text), 32 if bits is None else bits)
        if ":" in text and not _INTERFACE.fullmatch(text):
            if "%" in text:
                raise Refused(f"the scope of `{text}` is not modelled", word.line)
            return _masked(IPv6Address(text), 128 if bits is None else bits)
    except ValueError as error:
        raise Refused(f"`{word.text}` is no address", word.line) from error
    return None


def _masked(value: IPv4Address | IPv6Address, bits: int) -> Span:
    if bits > value.max_prefixlen:
        raise ValueError(bits)
    place, host_bits = axes.address(value), value.max_prefixlen - bits
    first = place - (int(value) & (1 << host_bits) - 1)
    return Span((first, first + (1 << host_bits) - 1))


def span(first: Word, last: Word) -> Span:
    """`a - b`: from one address to another. Raises Refused."""
    try:
        low, high = ip_address(first.text), ip_address(last.text)
    except ValueError as error:
        raise Refused(f"`{first.text} - {last.text}` is no range", first.line) from error
    if low.version != high.version or int(low) > int(high):
        raise Refused(f"the range `{first.text} - {last.text}` is empty", first.line)
    return Span((axes.address(low), axes.address(high)))


# -- what an address is translated to

_CHOICES = ("bitmask", "random", "source_hash", "round_robin", "least_states")


def pool(written: WrittenPool, line: int, family: int, asked: Intervals = ANY_PORT) -> Pool:
    """Addresses, a port, and how one is chosen.

    What is not of the family asked for is left out, and pfctl says nothing about it. `asked` are
    the destination ports of the rule, which `port 3004:*` follows. Raises Refused.
    """
    addresses = tuple(
        address
        for host in written.hosts
        if not isinstance(address := _pooled(host, line), Span) or family in {0, address.family}
    )
    if not addresses:
        raise Refused("it would be translated to another family", line)
    first = addresses[0]
    one = len(addresses) == 1 and (
        isinstance(first, Span) or (isinstance(first, OfInterface) and first.primary)
    )
    if "endpoint_independent" in written.options:
        raise Refused("`endpoint-independent` is not modelled", line)
    if "static_port" in written.options and written.port is not None:
        raise Refused("a port cannot be given and kept", line)
    if "bitmask" in written.options and not isinstance(first, Span):
        raise Refused("`bitmask` needs a prefix", line)
    chosen = [name.replace("_", "-") for name in _CHOICES if name in written.options]
    return Pool(
        addresses,
        None if written.port is None else _pool_ports(written.port, asked),
        static="static_port" in written.options,
        choice=chosen[0] if chosen else "" if one else "round-robin",
        sticky="sticky" in written.options,
    )


def _pooled(host: Host, line: int) -> Address:
    if host.negated or host.address is None:
        raise Refused("nothing can be translated to `any`, or to what something is not", line)
    if isinstance(host.address, NotModelled):
        raise Refused(f"`{host.address.what}` is not modelled", line)
    return host.address


def _pool_ports(word: Word, asked: Intervals) -> tuple[int, int]:
    first, colon, last = word.text.partition(":")
    low = _port(word._replace(text=first))
    if not colon:
        return low, low
    if last != "*":
        high = _port(word._replace(text=last))
        return min(low, high), max(low, high)
    ((begin, end),) = asked.items if len(asked.items) == 1 else ((0, 0),)
    if low + end - begin > _LAST_PORT:
        raise Refused(f"the ports `{word.text}` end behind {_LAST_PORT}", word.line)
    return low, low + end - begin
