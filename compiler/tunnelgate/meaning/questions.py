"""The packets that a question means, as parts of the space of first-match lists."""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import ANY_PORT, DESTINATION, L4, SOURCE, SOURCE_PORT, SPI, Arrival
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import CLIENT_PORT, Packet
from tunnelgate.meaning.flatten import arrivals
from tunnelgate.meaning.members import NOBODY, members
from tunnelgate.policy.model import BEGINS_NOTHING, Policy, Question, Zone
from tunnelgate.records import record


@record
class Part:
    """Packets of a question: from one zone to another, of one family, by one way in.

    Attributes:
        arrival: how they arrive.
        home: the zone that their source is of, as the question says.
        ingress: the zone that they come in by.
        egress: the zone that the question sends them to, before any translation.
        family: 4 or 6.
        box: the packets, on the axes of `flatten`.
    """

    arrival: Arrival
    home: Zone
    ingress: Zone
    egress: Zone
    family: int
    box: Box

    @property
    def is_loopback(self) -> bool:
        """Whether the gateway sends to itself, which the lists are not about."""
        return self.ingress.is_gateway and self.egress.is_gateway

    def packet(self, box: Box) -> Packet:
        """One packet of a box of the part, the first; its source port is that of a client."""
        ports = box[SOURCE_PORT] & ANY_PORT
        return Packet(
            self.ingress,
            box[SOURCE].first(),
            box[DESTINATION].first(),
            box[L4].first(),
            CLIENT_PORT if CLIENT_PORT in ports or not ports else ports.first(),
            self.arrival.decrypted,
            box[SPI].first(),
        )


def parts(
    policy: Policy, question: Question, inside: Intervals, arriving: Zone | None = None
) -> Iterator[Part]:
    """All packets of a question, in disjoint parts; none is empty.

    Args:
        policy: the policy that the question was resolved with.
        question: what is asked.
        inside: what is asked about of that which the gateway's own IPsec decrypts in a zone that is
            no tunnel: there `l2tp-ipsec` alone lets anything in.
        arriving: the zone that the packets come in by, whosever their source is.
    """
    ways = arrivals(policy)
    for home, addresses in question.source:
        ingress = home if arriving is None else arriving
        if ingress is home:
            sources = members(policy, home, addresses)
        else:
            sources = addresses - policy.own_addresses - NOBODY
        plain, decrypted = Arrival(ingress.name), Arrival(ingress.name, decrypted=True)
        asked = question.protocols.l4
        # of ICMP, what may begin something is meant, unless nothing else is
        channels = {plain: (asked - BEGINS_NOTHING) or asked}
        if decrypted in ways and inside:
            channels[decrypted] = inside & _inside(policy, ingress)
        for arrival, l4 in channels.items():
            for egress, destinations in question.destination:
                to = members(policy, egress, destinations)
                for family in (4, 6):
                    box = _box(family, egress, (l4, question.spis), to, sources)
                    if all(box):
                        yield Part(arrival, home, ingress, egress, family, box)


def _inside(policy: Policy, ingress: Zone) -> Intervals:
    """What statements let a zone send inside IPsec alone."""
    return Intervals.union_of(
        rule.protocols.inside_ipsec for rule in policy.rules if rule.source.addresses(ingress)
    )


def _box(family: int, egress: Zone, channels: Box, to: Intervals, sources: Intervals) -> Box:
    """Each family has an ICMP of its own (RFC 792, RFC 4443)."""
    axis = axes.family_axis(family)
    other_icmp = axes.l4(axes.ICMPV6 if family == 4 else axes.ICMP)
    l4, spis = channels
    return (
        Intervals.single(egress.index),
        l4 - Intervals.of([other_icmp]),
        spis,
        to & axis,
        sources & axis,
    )
