"""Maps to zones of connection tracking, of packets and of what ICMP errors quote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.intervals import Interval, Intervals
from tunnelgate.flows.netfilter import Case, HostZone, Unmodelled
from tunnelgate.flows.sets import sets
from tunnelgate_targets.nftables.read.build import Change
from tunnelgate_targets.nftables.read.values import number, one_key, together

#: An IPv4 header without options stands 8 octets into an ICMP error (RFC 792): its first octet, its
#: protocol, its addresses, and the SPI behind it (RFC 791, RFC 4303).
QUOTED = {"@th,64,8": 0x45, "@th,136,8": axes.ESP}
_BY_ENDS = ("@th,192,32", "@th,160,32")
_BY_SPI = ("@th,192,32", "@th,224,32")
_QUOTED_SPI = ("@th,224,32",)
#: The destination and the SPI of a packet (RFC 791, RFC 4303), to be found by what quotes it.
_SENT = ("@nh,128,32", "@th,0,32")
#: Zones of hosts are numbered up to here, those above are handed out as packets come.
LAST_OF_HOSTS = 4095
#: A zone is 16 bits (nf_conntrack_zones_common).
_MOST = 0xFFFF


def cases(key: tuple[str, ...], entries: Iterable[tuple[str, str]], line: int) -> Iterator[Case]:
    """What a map that is written out puts where."""
    if key != _BY_ENDS and any(field.startswith("@") for field in key):
        raise Unmodelled(f"a zone by `{' . '.join(key)}`", line)
    for word, data in entries:
        zone = _zone(data, line)
        fields = tuple(word.split(" . "))
        if key == _BY_ENDS:
            host, peers = (Intervals((_address(field, line),)) for field in fields)
            yield Case(sets(source=host, destination=peers), HostZone(zone, quoted=True))
        elif len(key) == 1:
            (box,) = one_key(key[0], fields, negated=False)
            yield Case(box, HostZone(zone))
        else:
            yield Case(together(key, fields), HostZone(zone))


def expect_learned(
    name: str, key: tuple[str, ...], changes: Iterable[Iterable[Change]], line: int
) -> None:
    """Refuse a look-up of what errors quote where nothing puts it as it is looked up.

    Raises:
        Unmodelled: with the line of the look-up.
    """
    if key == _BY_SPI:
        put = {one.element.key for some in changes for one in some if one.name == name}
        if put != {_SENT}:
            raise Unmodelled(f"what `{name}` has learned", line)
    elif key != _QUOTED_SPI and any(field.startswith("@") for field in key):
        raise Unmodelled(f"a zone by `{' . '.join(key)}`", line)


def _zone(word: str, line: int) -> int:
    low, high = number(word)
    if low != high or not 0 < low <= _MOST:
        raise Unmodelled(f"zone `{word}`", line)
    return low


def _address(word: str, line: int) -> Interval:
    """A number as the address that it is, which has the same place on the axis of addresses."""
    low, high = number(word)
    if not low <= high <= 0xFFFFFFFF:
        raise Unmodelled(f"address `{word}`", line)
    return low, high
