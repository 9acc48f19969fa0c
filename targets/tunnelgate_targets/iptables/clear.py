"""L2TP that a policy allows inside IPsec only: in clear it is dropped, answers included."""

from __future__ import annotations

from tunnelgate.plan import Link, Plan
from tunnelgate_targets.iptables.lines import DROP, RETURN, Chains, jump
from tunnelgate_targets.iptables.links import Links
from tunnelgate_targets.iptables.names import chain

_ROLE = "clear-l2tp"
_ABOUT = "L2TP in clear (RFC 3193)"


class ClearL2tp:
    """Writes the drops of one family; they come before what is established."""

    def __init__(self, plan: Plan, links: Links, chains: Chains) -> None:
        self.links = links
        self.chains = chains
        self.at = chain((), _ROLE)
        # what an ipsec link holds never comes in clear anyway
        self.names: dict[Link, str] = {
            link: chain((link.name,), _ROLE) for link in plan.never_clear_l2tp if not link.over
        }

    def arriving(self, at: str) -> None:
        """Drop what reaches the gateway, from its chain INPUT."""
        if self._begin(at, "-p udp --dport 1701 -m policy --dir in --pol none"):
            self.links.arrivals(self.chains, self.at, self.names.get, tunnels=False)
            self._end()

    def leaving(self, at: str) -> None:
        """Drop what the gateway itself answers, from its chain POSTROUTING.

        An inside server's answers pass: there, before sources are translated, theirs is not local.
        """
        own = "-m addrtype --src-type LOCAL"
        state = f"{own} -m conntrack --ctdir REPLY -m policy --dir out --pol none"
        if self._begin(at, f"-p udp --sport 1701 {state}"):
            self.links.departures(self.chains, self.at, self.names.get, tunnels=False)
            self._end()

    def _begin(self, at: str, match: str) -> bool:
        if self.names:
            self.chains.add(at, match, jump(self.at), _ABOUT)
            if self.links.family == 6:
                # `-p udp` of ip6tables-legacy looks through it (targets page, AH and NAT)
                self.chains.add(self.at, "-m ah", RETURN, "AH, whatever it protects")
        return bool(self.names)

    def _end(self) -> None:
        for name in self.names.values():
            self.chains.add(name, "", DROP, _ABOUT)
