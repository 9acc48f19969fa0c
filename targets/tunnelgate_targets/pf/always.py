"""What is always on: ICMP without which a network does not work, whatever a `deny` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnelgate.flows import axes
from tunnelgate.plan import Plan
from tunnelgate_targets.pf.links import GATEWAY, REPLY
from tunnelgate_targets.pf.words import Way, Where, rule

#: Neighbour discovery (RFC 4861) and multicast listeners (RFC 2710, RFC 3810), whose packets carry
#: an option that pf drops unless a rule says `allow-opts`. The kernel itself asks for the hop limit
#: of 255 that proves discovery to come from the link.
_DISCOVERY = Way((axes.ICMPV6,), types=(130, 131, 132, 133, 134, 135, 136, 143))
#: RFC 4890 sections 4.3.1 and 4.4.1, with the codes of 4.3.2 and 4.4.2.
_ERRORS6 = Way((axes.ICMPV6,), types=(1, 2, 3, 4))
#: Unreachable, time exceeded, parameter problem (RFC 1812 section 4.3).
_ERRORS = Way((axes.ICMP,), types=(3, 11, 12))


class Always:
    """Writes the rules that no statement asks for. An ICMP error never makes a state."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def arriving(self, wheres: Iterable[Where]) -> Iterator[str]:
        """What arrives, for the gateway or for others; each `where` says by which way."""
        for where in wheres:
            if where.family == 4:
                continue
            discovery = where.but(family=6, way=_DISCOVERY, tagged=GATEWAY)
            yield rule("pass in quick", discovery, "no state", "allow-opts")
            if self.plan.icmp:
                errors = where.but(family=6, way=_ERRORS6)
                yield rule("pass in quick", errors, "no state", f"tag {REPLY}")

    def leaving(self, sent: Where) -> Iterator[str]:
        """What the gateway itself sends: a packet too big is told of whatever it may send."""
        yield rule("pass out quick", sent.but(family=4, way=_ERRORS), "no state")
        yield rule("pass out quick", sent.but(family=6, way=_ERRORS6), "no state")
        discovery = sent.but(family=6, way=_DISCOVERY, source="any")
        yield rule("pass out quick", discovery, "no state", "allow-opts")
