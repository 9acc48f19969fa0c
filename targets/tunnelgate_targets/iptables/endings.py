"""How a packet ends that no statement lets pass, and what is always on before that."""

from __future__ import annotations

from tunnelgate.plan import Link, Pair, Plan
from tunnelgate_targets.iptables.lens import Lens
from tunnelgate_targets.iptables.limits import denied_log_rate
from tunnelgate_targets.iptables.lines import ACCEPT, DROP, Chains, goto, jump
from tunnelgate_targets.iptables.names import chain
from tunnelgate_targets.iptables.quote import log_prefix

REFUSED = chain((), "refused")
REJECTED = chain((), "rejected")
ANSWER = chain((), "answer")
DISCOVERY = chain((), "discovery")
ERRORS = chain((), "errors")

#: RFC 4861: neighbour discovery comes from the link itself, which a hop limit of 255 proves.
_DISCOVERY = (133, 134, 135, 136)
#: RFC 2710, RFC 3810: multicast listeners, on which snooping switches insist.
_LISTENERS = (130, 131, 132, 143)
#: RFC 4890 sections 4.3.1 and 4.4.1: errors that must not be dropped.
_ERRORS = (1, 2, 3, 4)
_ANSWERS = {4: "icmp-admin-prohibited", 6: "icmp6-adm-prohibited"}
_WHAT = "what nothing allows"


class Endings:
    """The chains at the end of every way through the ruleset."""

    def __init__(self, plan: Plan, family: int) -> None:
        self.plan = plan
        self.family = family

    def refused(self, source: Link | None) -> str:
        """The verdict for what nothing allows, or something denies, by the link it came from."""
        if self._answers(source):
            return goto(REJECTED if self.plan.log_denied else ANSWER)
        return goto(REFUSED) if self.plan.log_denied else DROP

    def final(self, source: Link | None) -> str:
        """The verdict where no statement decides: `refused`, but for what the gateway may send."""
        return ACCEPT if source is None and self.plan.default_output else self.refused(source)

    def silent(self, source: Link | None) -> str:
        """The same without a message."""
        return goto(ANSWER) if self._answers(source) else DROP

    def _answers(self, source: Link | None) -> bool:
        return self.plan.reject and source is not None and source.inside

    def add(self, chains: Chains, at: str, pair: Pair, lens: Lens) -> None:
        """End the chain of a pair."""
        self.end(chains, at, pair.source, pair.destination, always=lens.others)

    def end(
        self,
        chains: Chains,
        at: str,
        source: Link | None,
        destination: Link | None,
        *,
        always: bool = True,
    ) -> None:
        """End a chain about packets between two links (None: the gateway), unless it has ended."""
        if chains.has_ended(at):
            return
        if source is None and self.plan.default_output:
            chains.add(at, "", ACCEPT, "what the gateway itself sends")
            return
        if self.family == 6 and always:
            if source is None or destination is None:
                chains.add(at, "-p ipv6-icmp", jump(DISCOVERY), "neighbour discovery")
            if source is None or self.plan.icmp:
                chains.add(at, "-p ipv6-icmp", jump(ERRORS), "errors (RFC 4890)")
        chains.add(at, "", self.refused(source), _WHAT)

    def write(self, chains: Chains) -> None:
        """Write the chains that all others end in, as far as they are needed."""
        plan = self.plan
        rejects = plan.reject and any(link.inside for link in plan.links)
        message = f"-j LOG {log_prefix('tg-denied: ')}"
        if plan.log_denied:
            for at in (REFUSED, REJECTED) if rejects else (REFUSED,):
                chains.add(at, denied_log_rate(plan.log_denied), message, "set log-denied")
            chains.add(REFUSED, "", DROP, _WHAT)
        if rejects:
            if plan.log_denied:
                chains.add(REJECTED, "", goto(ANSWER), _WHAT)
            kind = _ANSWERS[self.family]
            reject = "-j REJECT --reject-with"
            chains.add(ANSWER, "-p tcp", f"{reject} tcp-reset", "set reject on")
            chains.add(ANSWER, "", f"{reject} {kind}", "set reject on")
        if self.family == 6:
            self._write_always(chains)

    def _write_always(self, chains: Chains) -> None:
        for number in _DISCOVERY:
            match = f"-p ipv6-icmp --icmpv6-type {number} -m hl --hl-eq 255"
            chains.add(DISCOVERY, match, ACCEPT, "neighbour discovery (RFC 4861)")
        for number in _LISTENERS:
            match = f"-p ipv6-icmp --icmpv6-type {number}"
            chains.add(DISCOVERY, match, ACCEPT, "multicast listeners (RFC 2710, RFC 3810)")
        for number in _ERRORS:
            match = f"-p ipv6-icmp --icmpv6-type {number}"
            chains.add(ERRORS, match, ACCEPT, "errors that must not be dropped (RFC 4890)")
