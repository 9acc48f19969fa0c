"""How a packet ends that no statement lets pass."""

from __future__ import annotations

from tunnelgate.plan import Link, Plan
from tunnelgate_targets.iptables.limits import denied_log_rate
from tunnelgate_targets.iptables.lines import ACCEPT, DROP, Chains, goto
from tunnelgate_targets.iptables.names import chain
from tunnelgate_targets.iptables.quote import log_prefix

REFUSED = chain((), "refused")
REJECTED = chain((), "rejected")
ANSWER = chain((), "answer")

_ANSWERS = {4: "icmp-admin-prohibited", 6: "icmp6-adm-prohibited"}
_WHAT = "what nothing allows"
_SENT = "what the gateway itself sends"


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

    def end(self, chains: Chains, at: str, source: Link | None) -> None:
        """End a chain about packets from a link (None: the gateway), unless it has ended."""
        if not chains.has_ended(at):
            about = _SENT if self.final(source) == ACCEPT else _WHAT
            chains.add(at, "", self.final(source), about)

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
