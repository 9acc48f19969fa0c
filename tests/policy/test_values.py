"""Atoms taken apart: what is no value is refused with the value that was meant."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelgate.flows import axes
from tunnelgate.policy.values import (
    BadValue,
    parse_address,
    parse_interface,
    parse_port,
    parse_ports,
    parse_rate,
    parse_spi,
)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_every_address_is_read(value: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    found = parse_address(str(value))
    place = axes.address(value)
    assert found.interval == (place, place)
    assert (found.is_single, found.family) == (True, value.version)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_prefix_is_read_or_its_mended_form_is_offered(
    base: ipaddress.IPv4Address, length: int
) -> None:
    network = ipaddress.ip_network((int(base), length), strict=False)
    assert parse_address(str(network)).interval == axes.network(network)
    if network.network_address != base:
        with pytest.raises(BadValue) as caught:
            parse_address(f"{base}/{length}")
        assert caught.value.fix == str(network)


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        (
            "010.0.0.1",
            "`010.0.0.1` has a leading zero, which some programs read as octal",
            "10.0.0.1",
        ),
        ("10.0.0.256", "`10.0.0.256` is no IP address", None),
        ("10.0.0", "`10.0.0` is no IP address", None),
        ("2001:db8:::1", "`2001:db8:::1` is no IP address", None),
        ("10.0.0.0/33", "`/33` is longer than an IPv4 address", None),
        ("10.0.0.9-10.0.0.5", "`10.0.0.9-10.0.0.5` ends before it begins", "10.0.0.5-10.0.0.9"),
        ("10.0.0.5-::1", "`10.0.0.5-::1` mixes IPv4 and IPv6", None),
        ("fe80::1%eth0", "`fe80::1%eth0` names an interface", "fe80::1"),
        ("10.0.0.1/08", "prefix length `08` has a leading zero", "10.0.0.1/8"),
    ],
)
def test_what_is_no_address(text: str, message: str, fix: str | None) -> None:
    with pytest.raises(BadValue) as caught:
        parse_address(text)
    assert (caught.value.message, caught.value.fix) == (message, fix)


@pytest.mark.parametrize("text", ["0", "65536", "70000", "080", "99999999999999999999", "٣", ""])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(BadValue):
        parse_port(text)


def test_lists_of_ports() -> None:
    assert parse_ports("80,443,5000-5010", 65535, "port") == [(80, 80), (443, 443), (5000, 5010)]
    with pytest.raises(BadValue):
        parse_ports("5010-5000", 65535, "port")


@pytest.mark.parametrize("name", ["eth0", "ppp*", "6in4-wan", "br-lan.10", "veth1@if2", "a" * 15])
def test_interfaces(name: str) -> None:
    assert parse_interface(name) == name


@pytest.mark.parametrize(
    "name", ["a" * 16, "e h", 'e"; accept', "*", "p*p", "", ".", "..", "eth0\n", "é", "eth/0"]
)
def test_what_is_no_interface(name: str) -> None:
    with pytest.raises(BadValue):
        parse_interface(name)


def test_rates_and_spis() -> None:
    assert parse_rate("10/second") == (10, "second")
    assert parse_spi("0x100-0x1ff") == (256, 511)
    for bad in ("0/second", "10/hour", "1e3/minute"):
        with pytest.raises(BadValue):
            parse_rate(bad)
    assert parse_spi("0x100") == parse_spi("256") == (256, 256)
    for bad in ("0x10-0x1ff", "512-256", "0-4294967296", "0x1000-", "-0x1000", "1000,2000", "١٢٣٤"):
        with pytest.raises(BadValue):
            parse_spi(bad)
