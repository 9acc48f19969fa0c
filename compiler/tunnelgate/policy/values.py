"""Atoms taken apart: addresses, prefixes, ranges, ports, interfaces, numbers.

Nothing is passed on as text: `010.0.0.1` is octal to some programs and decimal to others, so it is
refused here, and what goes into a ruleset is printed from the number.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.syntax.lengths import LONGEST_NAME
from tunnelgate.syntax.words import JOINING

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]|-(?=[A-Za-z0-9]))*")
_INTERFACE = re.compile(r"[A-Za-z0-9._@-]+\*?")
_LEADING_ZERO = re.compile(r"(?:^|\.)0[0-9]")
_MAX_INTERFACE = 15


class BadValue(Exception):
    """A word that is no value of its kind; `fix` is what was probably meant."""

    def __init__(self, message: str, help: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.fix = fix


class AddressValue(NamedTuple):
    """An address, a prefix or a range, as places on the axis of addresses."""

    interval: Interval
    is_single: bool
    family: int


def _plain(text: str) -> IPv4Address | IPv6Address:
    if text.isascii() and _LEADING_ZERO.search(text) and ":" not in text:
        mended = ".".join(str(int(part)) if part.isdigit() else part for part in text.split("."))
        raise BadValue(
            f"`{text}` has a leading zero, which some programs read as octal",
            "write the number without it",
            mended,
        )
    if "%" in text:
        raise BadValue(
            f"`{text}` names an interface", "leave out what follows the `%`", text.split("%")[0]
        )
    try:
        return ip_address(text)
    except ValueError:
        raise BadValue(
            f"`{text}` is no IP address",
            "an address looks like `192.0.2.1` or `2001:db8::1`",
        ) from None


def _prefix(text: str) -> AddressValue:
    base_text, _, bits_text = text.partition("/")
    base = _plain(base_text)
    if len(bits_text) > 1 and bits_text[0] == "0":
        mended = f"{base}/{bits_text.lstrip('0') or '0'}"
        raise BadValue(
            f"prefix length `{bits_text}` has a leading zero", "write the number without it", mended
        )
    if not bits_text.isascii() or not bits_text.isdecimal():
        raise BadValue(f"`{bits_text}` is no prefix length", "a prefix looks like `192.0.2.0/24`")
    bits = int(bits_text[:4])
    if bits > base.max_prefixlen:
        raise BadValue(
            f"`/{bits_text}` is longer than an IPv{base.version} address",
            f"a prefix length is between 0 and {base.max_prefixlen}",
        )
    network = ip_network((int(base), bits) if base.version == 4 else (base, bits), strict=False)
    if network.network_address != base:
        raise BadValue(
            f"`{text}` has bits set behind its prefix",
            "write the prefix alone, or the address without a length",
            str(network),
        )
    return AddressValue(axes.network(network), bits == base.max_prefixlen, base.version)


def _range(text: str) -> AddressValue:
    first_text, _, last_text = text.partition("-")
    first, last = _plain(first_text), _plain(last_text)
    if first.version != last.version:
        raise BadValue(f"`{text}` mixes IPv4 and IPv6", "write both ends in one family")
    low, high = axes.address(first), axes.address(last)
    if low > high:
        raise BadValue(
            f"`{text}` ends before it begins", "write the lower end first", f"{last}-{first}"
        )
    return AddressValue((low, high), low == high, first.version)


@lru_cache(maxsize=65536)
def parse_address(text: str) -> AddressValue:
    """Read an address, a prefix or a range. Raises BadValue."""
    if "-" in text:
        return _range(text)
    if "/" in text:
        return _prefix(text)
    value = _plain(text)
    place = axes.address(value)
    return AddressValue((place, place), True, value.version)


def show_address(value: int) -> str:
    """An address in its canonical notation (RFC 5952), or what stands for an unknown one."""
    return "its dynamic address" if axes.is_unknown(value) else str(axes.to_address(value))


def parse_port(text: str) -> int:
    """Read a port, 1 to 65535. Raises BadValue."""
    return parse_number(text, 1, 65535, "port")


def parse_number(text: str, low: int, high: int, what: str) -> int:
    """Read a decimal number within bounds. Raises BadValue."""
    if not text.isascii() or not text.isdigit():
        raise BadValue(f"`{text}` is no {what}", f"a {what} is a number from {low} to {high}")
    if len(text) > 1 and text[0] == "0":
        raise BadValue(
            f"{what} `{text}` has a leading zero",
            "write the number without it",
            text.lstrip("0") or "0",
        )
    if len(text) > 9 or not low <= int(text) <= high:
        raise BadValue(
            f"{what} {text} does not exist", f"a {what} is a number from {low} to {high}"
        )
    return int(text)


def parse_ports(text: str, high: int, what: str) -> list[Interval]:
    """Read `80,443,5000-5010`. Raises BadValue."""
    found = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        least = 1 if what == "port" else 0
        low = parse_number(first, least, high, what)
        top = parse_number(last, least, high, what) if dash else low
        if top < low:
            raise BadValue(f"`{part}` ends before it begins", "write the lower end first")
        found.append((low, top))
    return found


def parse_interface(text: str) -> str:
    """Check the name of an interface, a final `*` allowed (Linux: IFNAMSIZ 16). Raises BadValue."""
    if len(text.encode()) > _MAX_INTERFACE:
        raise BadValue(
            f"interface `{text}` is longer than {_MAX_INTERFACE} characters",
            "no kernel has an interface with such a name",
        )
    if not _INTERFACE.fullmatch(text) or text in {".", ".."}:
        raise BadValue(
            f"`{text}` is no name of an interface",
            "use letters, digits and `._@-`, and a `*` only at the end",
        )
    return text


def parse_name(text: str) -> str:
    """Check a name. Raises BadValue."""
    if not _NAME.fullmatch(text) or text in JOINING or len(text) > LONGEST_NAME:
        raise BadValue(
            f"`{text}` is no name",
            f"a name begins with a letter and has at most {LONGEST_NAME} letters, digits, `_` and "
            "`-`",
        )
    return text


def parse_rate(text: str) -> tuple[int, str]:
    """Read `10/second` or `10/minute`. Raises BadValue."""
    count, _, unit = text.partition("/")
    if unit not in {"second", "minute"}:
        raise BadValue(f"`{text}` is no rate", "write it as `10/second` or `10/minute`")
    return parse_number(count, 1, 1_000_000, "rate"), unit


def parse_spi(text: str) -> tuple[int, int]:
    """Read `0x100-0x1ff`, or one. Raises BadValue. SPIs up to 255 are reserved (RFC 4303 section
    2.1).
    """
    first, dash, last = text.partition("-")
    low, high = _spi(first), _spi(last if dash else first)
    if not 256 <= low <= high <= 0xFFFFFFFF:
        raise BadValue(
            f"`{text}` is no range of SPIs", "SPIs are 256 to 4294967295, the lower end first"
        )
    return low, high


def _spi(text: str) -> int:
    """A number, 0x allowed; one with more digits than an SPI can have is as wrong as 0."""
    if len(text) > len("4294967295"):
        return 0
    if text.startswith("0x"):
        return int(text, 16)
    return int(text) if text.isascii() and text.isdigit() else 0
