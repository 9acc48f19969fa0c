"""The ways from the built-in chains to our rules: none in the whole layout, where they stand there.

In the shared layout, side by side with rules of others, each built-in chain that matters has one
jump, to a chain of its name: `tg-FORWARD`. There a packet is asked whether it uses interfaces of
zones before it is asked anything else; what does not returns untouched.
"""

from __future__ import annotations

from collections.abc import Mapping

from tunnelgate.plan import Plan
from tunnelgate_targets.iptables import quote
from tunnelgate_targets.iptables.lines import Chains, goto
from tunnelgate_targets.iptables.names import chain

#: The built-in chains that get a jump, by table. All of them always, or what a policy no longer
#: needs would stay in force.
HOOKS: Mapping[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("FORWARD", "POSTROUTING"),
    "nat": ("PREROUTING", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}

CAVEATS = (
    (
        "what a table of nftables, or another table of iptables, drops is dropped, whatever these "
        "rules accept"
    ),
    (
        "rules that others put before the jumps, or put there later, decide first; those behind "
        "them are not asked about what the policy allows, as those of fail2ban"
    ),
    (
        "a port that others publish is theirs unless the policy forwards it: what they translate "
        "to an interface of no zone is not the policy's business any more"
    ),
    (
        "what the policy does not translate may be translated by a table of nftables, and, from an "
        "outside zone, by rules of others in the same table"
    ),
    (
        "what others exempt from connection tracking is not translated at all, and a flowtable of "
        "theirs carries established connections past every chain"
    ),
)


def entry(builtin: str) -> str:
    """The chain that a built-in one jumps to."""
    return chain((), builtin)


class Doors:
    """Where the rules of a built-in chain stand."""

    def __init__(self, plan: Plan, *, is_shared: bool) -> None:
        self.is_shared = is_shared
        names, prefixes = plan.interfaces()
        self._interfaces = (*names, *(f"{prefix}+" for prefix in prefixes))

    def chains(self, table: str, builtin: tuple[str, ...]) -> Chains:
        """The chains of a table, with those that a built-in one jumps to."""
        chains = Chains(builtin)
        if self.is_shared:
            for name in HOOKS[table]:
                chains.begin(entry(name))
        return chains

    def at(self, builtin: str) -> str:
        """The chain in which rules of a built-in one stand."""
        return entry(builtin) if self.is_shared else builtin

    def arrived(self, chains: Chains, builtin: str) -> str:
        """The chain for what has arrived by an interface of a zone."""
        return self._only(chains, self.at(builtin), "-i", f"{entry(builtin)}.arrived")

    def leaving(self, chains: Chains, builtin: str) -> str:
        """The chain for what leaves by an interface of a zone."""
        return self._only(chains, self.at(builtin), "-o", f"{entry(builtin)}.leaving")

    def between(self, chains: Chains, builtin: str) -> str:
        """The chain for what has arrived by an interface of a zone, and leaves by one."""
        arrived = self.arrived(chains, builtin)
        return self._only(chains, arrived, "-o", f"{entry(builtin)}.between")

    def _only(self, chains: Chains, at: str, way: str, inner: str) -> str:
        if not self.is_shared:
            return at
        if inner not in chains:
            chains.begin(inner)
            for name in self._interfaces:
                match = f"{way} {quote.interface(name)}"
                chains.add(at, match, goto(inner), "an interface of a zone")
        return inner
