"""Places on the axes: addresses of both families, unknown ones, protocols and ports."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import Intervals, axes

_addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(_addresses)
def test_an_address_goes_there_and_back(
    value: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    place = axes.address(value)
    assert axes.to_address(place) == value
    assert axes.family(place) == value.version
    assert place in axes.family_axis(value.version)
    assert axes.address_of(str(value)) == place


def test_the_families_share_nothing_and_are_all() -> None:
    assert not axes.IPV4.overlaps(axes.IPV6)
    assert axes.IPV4 | axes.IPV6 == axes.ANY_ADDRESS


@pytest.mark.parametrize("family", [4, 6])
def test_an_unknown_address_is_of_its_family_and_has_no_notation(family: int) -> None:
    place = axes.unknown_address(3, family)
    assert axes.is_unknown(place)
    assert axes.family(place) == family
    assert place in axes.family_axis(family)
    with pytest.raises(ValueError, match="unknown"):
        axes.to_address(place)


@given(_addresses, _addresses)
def test_a_range_as_prefixes_holds_the_same(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if one.version != other.version:
        return
    low, high = sorted((axes.address(one), axes.address(other)))
    prefixes = axes.to_networks((low, high))
    assert Intervals.of(map(axes.network, prefixes)) == Intervals.span(low, high)
    assert axes.is_network((low, high)) == (len(prefixes) == 1)


@given(_addresses, st.integers(0, 128))
def test_a_prefix_is_one(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, host_bits: int
) -> None:
    length = max(0, address.max_prefixlen - host_bits)
    low, high = axes.network(ipaddress.ip_network((address, length), strict=False))
    assert axes.is_network((low, high))
    assert high - low < 2 or not axes.is_network((low + 1, high))


def test_protocols_and_ports() -> None:
    assert axes.l4(axes.ESP) == (50 << 16, (50 << 16) + 65535)
    assert axes.l4(axes.UDP, 500, 500) == ((17 << 16) + 500,) * 2
    assert Intervals.of(axes.l4(number) for number in range(256)) == axes.ANY_L4


@given(_addresses, st.integers(1, 65535))
def test_an_endpoint_is_an_address_and_ports(
    value: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    shown = f"[{value}]" if value.version == 6 else str(value)
    assert axes.endpoint_of(f"{shown}:{port}") == (axes.address(value), str(port))
    assert axes.endpoint_of(shown) == axes.endpoint_of(str(value)) == (axes.address(value), "")


@pytest.mark.parametrize(
    "text",
    ["", ":80", "[]:80", "host:80", "192.0.2.1:", "[2001:db8::1]80", "[2001:db8::1]:", "[::1]x:80"],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        axes.endpoint_of(text)
