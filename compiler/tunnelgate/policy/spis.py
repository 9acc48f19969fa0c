"""SPIs as people and IPsec write them, and how a host is told which ones to draw.

The SPI of what a host receives is drawn by that host (RFC 4303 section 2.1), so that a range of its
own is set there. strongSwan asks the kernel for one between `charon.spi_min` and `charon.spi_max`
(strongswan.conf(5)). Libreswan always asks for 0x1000 to 0xffffffff (programs/pluto/kernel.c,
`get_ipsec_spi`): it has no setting for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tunnelgate.flows.intervals import Interval


def show_spis(spis: Interval) -> str:
    """`0x1000-0x1fff`, or one."""
    low, high = spis
    return f"{low:#x}" if low == high else f"{low:#x}-{high:#x}"


def strongswan(spis: Interval) -> str:
    """What strongswan.conf says of a host that draws these."""
    return f"`charon.spi_min = {spis[0]:#x}` and `charon.spi_max = {spis[1]:#x}`"


def drawing(host: str, ranges: Iterable[Interval]) -> str:
    """A clause on what a host has to draw; strongSwan takes one range, the widest."""
    some = sorted(set(ranges))
    widest = max(some, key=lambda one: one[1] - one[0])
    words = ", ".join(map(show_spis, some))
    return f"`{host}` has to draw its SPIs from {words} (strongSwan: {strongswan(widest)})"
