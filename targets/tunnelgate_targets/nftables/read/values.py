"""Words of nft as sets on the axes of flows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.fields import ANY_PORT, Sets
from tunnelgate.flows.intervals import Interval
from tunnelgate.flows.netfilter import Unmodelled
from tunnelgate.flows.sets import of_family, sets

_UNIT = re.compile(r"([0-9]+)([dhms])")
_TIME = re.compile(rf"({_UNIT.pattern})+")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_NUMBER = re.compile(r"0x[0-9a-f]+|[0-9]+")
#: /etc/protocols, as far as the emitted rules name one.
_PROTOCOLS = {"tcp": axes.TCP, "udp": axes.UDP, "icmp": axes.ICMP, "ipv6-icmp": axes.ICMPV6}
_FAMILIES = {"ip": 4, "ip6": 6, "ipv4": 4, "ipv6": 6}
_ALL = {
    "meta l4proto": 255,
    "th dport": 65535,
    "tcp dport": 65535,
    "udp dport": 65535,
    "udp sport": 65535,
    "icmp type": 255,
    "icmpv6 type": 255,
    "esp spi": 0xFFFFFFFF,
}
_ESP = Intervals.of([axes.l4(axes.ESP)])


@lru_cache(maxsize=1 << 16)
def address(word: str) -> Interval:
    """An address, a prefix or a range, as places on the axis of addresses."""
    low, dash, high = word.partition("-")
    try:
        if dash:
            return axes.address_of(low), axes.address_of(high)
        if "/" in word:
            return axes.network(ip_network(word))
        value = axes.address(ip_address(word))
    except ValueError as error:
        raise Unmodelled(f"address `{word}`") from error
    return value, value


@lru_cache(maxsize=4096)
def number(word: str) -> Interval:
    """A number, the name of a protocol, or a range of numbers."""
    if word in _PROTOCOLS:
        return _PROTOCOLS[word], _PROTOCOLS[word]
    low, dash, high = word.partition("-")
    if not _NUMBER.fullmatch(low) or (dash and not _NUMBER.fullmatch(high)):
        raise Unmodelled(f"number `{word}`")
    found = _value(low), _value(high if dash else low)
    if found[0] > found[1]:
        raise Unmodelled(f"numbers `{word}`")
    return found


def seconds(word: str) -> int:
    """A time as nft has it: `10m`, `1h30m`."""
    if not _TIME.fullmatch(word):
        raise Unmodelled(f"time `{word}`")
    return sum(int(number) * _SECONDS[unit] for number, unit in _UNIT.findall(word))


def _value(digits: str) -> int:
    return int(digits, 16) if digits.startswith("0x") else int(digits)


def family_of(selector: str) -> int:
    """The family of `ip saddr` or `ip6 saddr`; 0 where a selector is of neither."""
    return _FAMILIES.get(selector.partition(" ")[0], 0)


def one_key(selector: str, words: Iterable[str], *, negated: bool) -> tuple[Sets, ...]:
    """The boxes of a comparison of one selector with some words.

    What a selector presupposes holds for its negation too: `ip saddr != x` is about IPv4 alone,
    `tcp dport != x` about TCP (nft(8), section PAYLOAD EXPRESSIONS).
    """
    family = family_of(selector)
    if family:
        found = Intervals.of(address(word) for word in words)
        axis = axes.family_axis(family)
        if negated:
            found = axis - found
        if selector.endswith("saddr"):
            return (sets(source=found, destination=axis),)
        return (sets(destination=found, source=axis),)
    if selector == "meta nfproto":
        named = {_nfproto(word) for word in words}
        asked = {4, 6} - named if negated else named
        return tuple(of_family(one) for one in sorted(asked))
    values = Intervals.of(number(word) for word in words)
    if negated:
        values = Intervals.span(0, _ALL[selector]) - values
    return tuple(_of_numbers(selector, values))


def _nfproto(word: str) -> int:
    if word not in {"ipv4", "ipv6"}:
        raise Unmodelled(f"family `{word}`")
    return _FAMILIES[word]


def _of_numbers(selector: str, values: Intervals) -> Iterable[Sets]:
    if selector == "udp sport":
        yield sets(l4=Intervals.of([axes.l4(axes.UDP)]), source_port=values & ANY_PORT)
        return
    if selector == "esp spi":
        yield sets(l4=_ESP, source_port=values)
        return
    found = Intervals.of(interval for low, high in values for interval in _l4(selector, low, high))
    yield sets(l4=found)


def _l4(selector: str, low: int, high: int) -> list[Interval]:
    match selector:
        case "meta l4proto":
            return [(low << 16, high << 16 | 0xFFFF)]
        case "tcp dport":
            return [axes.l4(axes.TCP, low, high)]
        case "udp dport":
            return [axes.l4(axes.UDP, low, high)]
        case "icmp type":
            return [axes.l4(axes.ICMP, low << 8, high << 8 | 0xFF)]
        case "icmpv6 type":
            return [axes.l4(axes.ICMPV6, low << 8, high << 8 | 0xFF)]
        case _:
            raise Unmodelled(f"`{selector}` by itself")


def together(key: tuple[str, ...], words: tuple[str, ...]) -> Sets:
    """The box of one element of a concatenation."""
    if len(key) != len(words):
        raise Unmodelled(f"{len(words)} words for {len(key)} fields")
    source = destination = l4 = spis = None
    protocols: Interval | None = None
    for selector, word in zip(key, words, strict=True):
        if selector.endswith("saddr"):
            source = Intervals((address(word),))
        elif selector.endswith("daddr"):
            destination = Intervals((address(word),))
        elif selector == "meta l4proto":
            protocols = number(word)
            l4 = Intervals(((protocols[0] << 16, protocols[1] << 16 | 0xFFFF),))
        elif selector == "th dport" and protocols is not None and protocols[0] == protocols[1]:
            l4 = _ports(protocols[0], word)
        elif selector in {"icmp type", "icmpv6 type"}:
            l4 = Intervals(tuple(_l4(selector, *number(word))))
        elif selector == "esp spi":
            l4, spis = _ESP, Intervals((number(word),))
        else:
            raise Unmodelled(f"`{selector}` in a concatenation")
    return sets(l4=l4, source_port=spis, destination=destination, source=source)


@lru_cache(maxsize=4096)
def _ports(protocol: int, word: str) -> Intervals:
    return Intervals((axes.l4(protocol, *number(word)),))
