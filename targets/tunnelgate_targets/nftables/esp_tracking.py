"""ESP of many inside hosts behind one address, told apart by the SPIs that are learned.

The maps and the chains that learn are the same for every policy and stand in the template
(`templates/esp-tracking.nft.j2`); here is which packets are sent to them.

- A host has a zone of its own, drawn when its first ESP packet comes; it is kept over loads, and
  needs no network that is small enough to be numbered. What shares its address and is not tracked,
  the gateway itself too, stays in zone 0, and takes part as one more host.
- A packet with a new SPI for a peer *claims* it: for ten seconds, or until a second after the first
  answer, what the peer sends with an SPI that nobody knows is the claimant's. Packets of others
  with new SPIs for that peer are dropped meanwhile. What has had its claim passes, answered or not.
- Claims are made behind the filters, or by a connection that has passed them, and learned is what
  belongs to a connection: nothing of what the policy does not let pass.
- An unknown SPI without a claim is of the one host that has spoken to the peer, if it is one alone.
- A packet with a known SPI, of either direction, is looked up once before connection tracking, and
  nothing else is done with it. All others, and of a known SPI one in 64, which keep it alive, are
  set aside there for what is done behind connection tracking: as packets of another host
  (`pkttype other`), of which none ever gets so far (`ip_rcv_core`). Nothing else that a rule may
  write is free: marks are the administrator's. Between the two stands connection tracking alone,
  so that no table of others meets that type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunnelgate.flows import Intervals
from tunnelgate.plan import Link, Match, Plan, Snat, Tracking
from tunnelgate.records import replace
from tunnelgate_targets.nftables.quote import comment
from tunnelgate_targets.nftables.translate import Translator
from tunnelgate_targets.nftables.words import address_match, join

_ESP = "meta l4proto 50 meta nfproto ipv4"
#: All but one in 64, by the number that a sender gives each packet (RFC 4303 section 2.2). That one
#: keeps alive what is known of its SPI.
_MOST = "esp sequence & 63 != 0"
#: An ICMP error whose quoted packet is ESP, without IP options: protocol and SPI are where they are
#: in an IPv4 header of 20 octets behind the 8 of ICMP (RFC 792).
_ABOUT_ESP = "icmp type { 3, 11, 12 } @th,64,8 69 @th,136,8 50"


@dataclass(frozen=True, slots=True)
class Lines:
    """Which packets meet the chains of the template, as finished lines.

    Attributes:
        arriving: from where peers may come; of these, `received` is from peers, and `begun` what
            belongs to no connection although a host is known for it.
        beginning: the first packets of connections to peers, of whoever shares an address;
            `going_on` are packets of those that have passed, `own` are the gateway's.
        only_host: whose the unknown SPI of a peer is that one host alone has spoken to.
    """

    arriving: tuple[str, ...]
    received: tuple[str, ...]
    begun: tuple[str, ...]
    beginning: tuple[str, ...]
    going_on: tuple[str, ...]
    own: tuple[str, ...]
    only_host: tuple[str, ...]


def lines(plan: Plan, translator: Translator) -> Lines | None:
    """What a plan needs of the template; None where nothing is tracked."""
    if not plan.trackings:
        return None
    return Lines(
        arriving=_distinct(_arriving(plan, translator)),
        received=_distinct(_received(plan, translator)),
        begun=_distinct(_begun(plan, translator)),
        beginning=_distinct(_beginning(plan, translator)),
        going_on=_distinct(_going_on(plan, translator)),
        own=_distinct(_own(plan, translator)),
        only_host=tuple(_only_host(plan)),
    )


def zone_lines(plan: Plan, translator: Translator) -> Iterator[str]:
    """Before connection tracking: the zone of ESP, and of ICMP errors about it."""
    if plan.trackings:
        known = "ct zone set ip saddr . ip daddr . esp spi map @known return"
        yield f"{_ESP} {_MOST} {known}"
        yield f"{_ESP} meta pkttype host meta pkttype set other"
        yield f"{_ESP} {known}"
    yield from _distinct(_with_hosts(plan, translator))
    yield from _distinct(_from_peers(plan, translator))
    links = dict.fromkeys(end for one in plan.trackings for end in (one.source, *one.ways))
    for link in links:
        for arrival in translator.arrives(link, 4):
            yield join(arrival, _ABOUT_ESP, "ct zone set @th,224,32 map @quoted")


def _with_hosts(plan: Plan, translator: Translator) -> Iterator[str]:
    """What a host sends, and what comes for its own address, where nothing is translated."""
    for one in plan.trackings:
        hosts, peers = _hosts(one), _peers(one)
        to_others = "fib daddr type != local goto"
        for links, ends, chain in (
            ((one.source,), _ends(hosts, peers), "esp-from-host"),
            (one.ways, _ends(peers, hosts), "esp-to-host"),
        ):
            for link in links:
                for arrival in translator.arrives(link, 4):
                    verdict = f"{to_others} {chain} {comment(_statements(one))}"
                    yield join(_ESP, arrival, ends, verdict)


def _from_peers(plan: Plan, translator: Translator) -> Iterator[str]:
    for one in plan.trackings:
        for way in one.ways:
            for arrival in translator.arrives(way, 4):
                for public in _public(plan, one, way):
                    peers = address_match(4, "saddr", _peers(one))
                    yield join(_ESP, arrival, peers, public, "goto esp-from-peer")


def _public(plan: Plan, tracking: Tracking, way: Link) -> Iterator[str]:
    """What an answer is sent to: an address that the hosts share there."""
    given = {snat.address for snat in _sharing(plan, tracking) if snat.destination is way}
    for address in sorted(one for one in given if one is not None):
        yield address_match(4, "daddr", Intervals.single(address))
    if None in given:
        yield "fib daddr type local"


def _sharing(plan: Plan, tracking: Tracking) -> Iterator[Snat]:
    """The translations towards the peers: who is behind them shares addresses with the hosts."""
    for snat in plan.snats:
        if snat.family == 4 and snat.destination in tracking.ways and not snat.hairpin:
            peers = snat.match.destination & _peers(tracking)
            if peers:
                yield replace(snat, match=Match(snat.match.source, peers, tracking.match.l4))


def _arriving(plan: Plan, translator: Translator) -> Iterator[str]:
    for _, _, arrival in _arrivals(plan, translator):
        yield f"{arrival} jump esp-arrived"


def _received(plan: Plan, translator: Translator) -> Iterator[str]:
    for one, _, arrival in _arrivals(plan, translator):
        yield join(arrival, address_match(4, "saddr", _peers(one)), "goto esp-received")


def _begun(plan: Plan, translator: Translator) -> Iterator[str]:
    for one, way, arrival in _arrivals(plan, translator):
        for public in _public(plan, one, way):
            yield join(_ESP, arrival, public, "ct zone 4096-65535 counter drop")


def _arrivals(plan: Plan, translator: Translator) -> Iterator[tuple[Tracking, Link, str]]:
    """How peers arrive."""
    for one in plan.trackings:
        for way in one.ways:
            for arrival in translator.arrives(way, 4):
                yield one, way, arrival


def _beginning(plan: Plan, translator: Translator) -> Iterator[str]:
    for one in plan.trackings:
        for snat in _sharing(plan, one):
            yield from (f"{path} goto esp-sent" for path in translator.path(snat))


def _going_on(plan: Plan, translator: Translator) -> Iterator[str]:
    """The same before the route: by which way is not known, but that they have one."""
    for one in plan.trackings:
        for snat in _sharing(plan, one):
            ends = _ends(snat.match.source, snat.match.destination)
            for arrival in translator.arrives(snat.source, 4):
                passed = "ct status confirmed fib daddr type != local goto esp-sent"
                yield join(arrival, ends, passed)


def _own(plan: Plan, translator: Translator) -> Iterator[str]:
    for one in plan.trackings:
        for way in one.ways:
            for departure in translator.leaves(way, 4):
                peers = address_match(4, "daddr", _peers(one))
                yield join(_ESP, departure, peers, "goto esp-sent")


def _only_host(plan: Plan) -> Iterator[str]:
    """Not where the policy lets the gateway or a forward have what the peer begins."""
    peers = Intervals.union_of(_peers(one) for one in plan.trackings)
    rest = peers - Intervals.union_of(one.taken for one in plan.trackings)
    if rest:
        others = "" if rest == peers else address_match(4, "saddr", rest)
        yield join(others, "ct zone set ip saddr map @first")


def _hosts(tracking: Tracking) -> Intervals:
    """Without what is spoofed there: it would draw zones before it is dropped."""
    allowed = tracking.source.sources
    return tracking.match.source if allowed is None else tracking.match.source & allowed


def _peers(tracking: Tracking) -> Intervals:
    return tracking.match.destination


def _statements(tracking: Tracking) -> str:
    """What a host is tracked for: one statement by its text, several by the first."""
    first, *others = tracking.origins
    return f"{first.text} (and {len(others)} more)" if others else first.text


def _ends(source: Intervals, destination: Intervals) -> str:
    return join(address_match(4, "saddr", source), address_match(4, "daddr", destination))


def _distinct(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
