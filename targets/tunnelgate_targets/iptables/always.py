"""What is always on: ICMP without which a network does not work, whatever a `deny` says.

It is asked behind the check of sources and before the statements. The chains of IPv6 deal with AH
first, because `-p` of ip6tables-legacy looks through it (targets page, AH and NAT).
"""

from __future__ import annotations

from tunnelgate.plan import Plan
from tunnelgate_targets.iptables.lines import ACCEPT, DROP, RETURN, Chains, jump
from tunnelgate_targets.iptables.names import chain

#: RFC 4861: neighbour discovery comes from the link itself, which a hop limit of 255 proves.
_DISCOVERY = (133, 134, 135, 136)
#: RFC 2710, RFC 3810: multicast listeners, on which snooping switches insist.
_LISTENERS = (130, 131, 132, 143)
#: RFC 4890 sections 4.3.1 and 4.4.1, with the codes of 4.3.2 and 4.4.2.
_ERRORS = (1, 2, 3, 4)
_ABOUT_ERRORS = "errors that must not be dropped (RFC 4890)"
#: Unreachable, time exceeded, parameter problem (RFC 1812 section 4.3).
_ERRORS_OUT = (3, 11, 12)
_INVALID = "-m conntrack --ctstate INVALID"


class Always:
    """Writes the chains of one family into the table `filter`, each when it is first needed."""

    def __init__(self, plan: Plan, chains: Chains, family: int) -> None:
        self.plan = plan
        self.chains = chains
        self.family = family

    def arriving(self, at: str, *, to_gateway: bool) -> None:
        """What arrives, for the gateway or for others."""
        if self.family == 6:
            if to_gateway:
                self._ask(at, self._discovery(), "neighbour discovery")
            if self.plan.icmp:
                self._ask(at, self._errors(), _ABOUT_ERRORS)

    def leaving(self, at: str) -> None:
        """What the gateway itself sends: a packet too big is told of whatever it may send."""
        if self.family == 6:
            self._ask(at, self._discovery(), "neighbour discovery")
            self._ask(at, self._errors(), _ABOUT_ERRORS)
            return
        for number in _ERRORS_OUT:
            self.chains.add(at, f"-p icmp --icmp-type {number}", ACCEPT, "ICMP errors out")

    def invalid(self, at: str) -> None:
        """Drop invalid packets. ICMPv6 errors about no known connection count as such, and are
        judged like others.
        """
        if self.family == 4:
            self.chains.add(at, _INVALID, DROP, "invalid packets")
            return
        invalid = chain((), "invalid")
        self.chains.add(at, _INVALID, jump(invalid), "invalid packets")
        if invalid not in self.chains:
            self.chains.add(invalid, "-m ah", DROP, "AH, whatever it protects")
            for number in _ERRORS:
                self.chains.add(invalid, _icmpv6(number), RETURN, _ABOUT_ERRORS)
            self.chains.add(invalid, "", DROP, "invalid packets")

    def _ask(self, at: str, name: str, about: str) -> None:
        self.chains.add(at, "-p ipv6-icmp", jump(name), about)

    def _begin(self, role: str) -> tuple[str, bool]:
        name = chain((), role)
        if name in self.chains:
            return name, False
        self.chains.add(name, "-m ah", RETURN, "AH, whatever it protects")
        return name, True

    def _discovery(self) -> str:
        name, is_new = self._begin("discovery")
        if is_new:
            for number in _DISCOVERY:
                match = f"{_icmpv6(number)} -m hl --hl-eq 255"
                self.chains.add(name, match, ACCEPT, "neighbour discovery (RFC 4861)")
            for number in _LISTENERS:
                about = "multicast listeners (RFC 2710, RFC 3810)"
                self.chains.add(name, _icmpv6(number), ACCEPT, about)
        return name

    def _errors(self) -> str:
        name, is_new = self._begin("errors")
        if is_new:
            for number in _ERRORS:
                self.chains.add(name, _icmpv6(number), ACCEPT, _ABOUT_ERRORS)
        return name


def _icmpv6(number: int) -> str:
    return f"-p ipv6-icmp --icmpv6-type {number}"
