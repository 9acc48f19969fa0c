"""What a policy means for packets that begin nothing: of connections that there are, or of none.

By the section *Always on* of the language: replies pass, but for the drops that hold for them too.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnelgate.flows import axes
from tunnelgate.flows.fields import DROP, EVERYTHING, Delivered
from tunnelgate.flows.firstmatch import Row
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import ACCEPT
from tunnelgate.flows.sets import sets
from tunnelgate.meaning.decide import ICMPV6_ERRORS
from tunnelgate.policy import Policy, Rule, Verdict, Zone
from tunnelgate.policy.model import AH

_UDP = Intervals.of([axes.l4(axes.UDP)])
_L2TP_PORT = Intervals.single(1701)
_L2TP = Intervals.of([axes.l4(axes.UDP, 1701, 1701)])
PASSES = Row(EVERYTHING, ACCEPT, "always on")
"""Everything passes."""


class Known:
    """What holds for established packets, by where they come from and go to."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.gateway = policy.gateway
        self.ipsec = [zone for zone in policy.zones if zone.over is not None]
        self.tunnels = Intervals.union_of(zone.holds for zone in self.ipsec)

    def carried(self, carrier: Zone) -> Intervals:
        """What the ipsec zones over a zone hold."""
        return Intervals.union_of(zone.holds for zone in self.ipsec if zone.over is carrier)

    def established(
        self, ingress: Zone, egress: Zone, *, decrypted: bool, protected: bool, reply: bool
    ) -> list[Row]:
        """Which packets of a connection are dropped all the same; the rest passes.

        Args:
            ingress, egress: where they come from and go to; the gateway for its own.
            decrypted: they came through the gateway's own IPsec.
            protected: they leave through it.
            reply: they are of the other direction than the packet that began it.
        """
        if egress.over is not None and not protected:
            return [Row(EVERYTHING, DROP, egress)]
        if ingress is self.gateway:
            return [*self._answers(egress, reply and not protected), PASSES]
        found = [*self._stopped(ingress, egress, decrypted)]
        if egress is not self.gateway and not reply:
            found += self._untranslatable(ingress, egress)
        return [*found, PASSES]

    def _stopped(self, ingress: Zone, egress: Zone, decrypted: bool) -> Iterator[Row]:
        """Dropped for what protected them on the way in, or did not."""
        if not decrypted:
            if self.tunnels:
                yield Row(sets(source=self.tunnels), DROP, ingress)
            if egress is self.gateway and self.never_clear(ingress):
                yield Row(sets(l4=_L2TP), DROP, ingress)
        elif any(zone.over is ingress for zone in self.ipsec):
            inside = self.inside(ingress) if egress is self.gateway else Intervals.EMPTY
            yield Row(sets(l4=axes.ANY_L4 - inside), DROP, ingress)

    def _answers(self, egress: Zone, in_clear: bool) -> Iterator[Row]:
        """L2TP that the gateway would answer in clear (RFC 3193)."""
        if in_clear and self.never_clear(egress):
            yield Row(sets(l4=_UDP, source_port=_L2TP_PORT), DROP, egress)

    def _untranslatable(self, ingress: Zone, egress: Zone) -> Iterator[Row]:
        """AH on a translated path, in the direction that is translated."""
        for nat in self.policy.nats:
            sources = nat.source.addresses(ingress) & axes.family_axis(nat.family)
            destinations = nat.destination.addresses(egress)
            if sources and destinations:
                yield Row(sets(l4=AH, source=sources, destination=destinations), DROP, nat)

    def _to_gateway(self, zone: Zone) -> list[Rule]:
        return [
            rule
            for rule in self.policy.rules
            if rule.verdict is Verdict.ALLOW
            and rule.source.addresses(zone)
            and rule.destination.addresses(self.gateway)
        ]

    def inside(self, zone: Zone) -> Intervals:
        """What a zone may send to the gateway inside IPsec alone."""
        return Intervals.union_of(rule.protocols.inside_ipsec for rule in self._to_gateway(zone))

    def never_clear(self, zone: Zone) -> bool:
        """Whether L2TP of a zone is allowed inside IPsec, and in clear by nothing."""
        in_clear = any(rule.l4.overlaps(_L2TP) for rule in self._to_gateway(zone))
        return bool(self.inside(zone)) and not in_clear

    def invalid(self, verdict: list[Row]) -> list[Row]:
        """What passes of invalid packets, by what passes of those that begin a connection.

        ICMPv6 errors about what is not known are invalid (RFC 4890 section 4.3): they are judged.
        """
        dropped = Row(sets(l4=axes.ANY_L4 - ICMPV6_ERRORS), DROP, "invalid")
        return [dropped, *map(passes, verdict)]


def passes(row: Row) -> Row:
    """A verdict without the way that is gone."""
    return row._replace(label=ACCEPT) if isinstance(row.label, Delivered) else row
