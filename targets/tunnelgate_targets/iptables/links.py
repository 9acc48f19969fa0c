"""Which link a packet belongs to: by the names of interfaces, and by the gateway's own IPsec."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tunnelgate.plan import Link, Plan
from tunnelgate_targets.iptables import quote
from tunnelgate_targets.iptables.lines import RETURN, Chains, goto
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.words import join

DECRYPTED = "-m policy --dir in --pol ipsec"

ChainOf = Callable[[Link], str | None]


class _Name(NamedTuple):
    """The name of an interface as iptables takes it, and the link it belongs to."""

    text: str
    link: Link

    def is_caught_by(self, wildcard: str) -> bool:
        """Whether a packet of this interface would match a later wildcard."""
        return wildcard.endswith("+") and self.text.rstrip("+").startswith(wildcard[:-1])


class _Direction(NamedTuple):
    """The option for an interface, the side of the network behind it, what else tells IPsec, and
    the verdict for a link without a chain.
    """

    option: str
    side: str
    state: str
    otherwise: str = RETURN


class Links:
    """Sends packets to the chain of their link, or of the link they leave by.

    An exact name beats a wildcard, a longer wildcard a shorter one, whatever zone they are in; so
    exact names come first, and a name whose link has no chain returns before a wildcard takes it.
    """

    def __init__(self, plan: Plan, sets: Sets, family: int) -> None:
        self.plan = plan
        self.sets = sets
        self.family = family
        self._names = list(_names(plan))

    def arrivals(self, chains: Chains, at: str, chain_of: ChainOf, *, tunnels: bool = True) -> None:
        """Rules by the link of arrival; with `tunnels` decrypted packets are in the ipsec link."""
        self._dispatch(chains, at, chain_of, _Direction("-i", "s", DECRYPTED), tunnels=tunnels)

    def departures(
        self,
        chains: Chains,
        at: str,
        chain_of: ChainOf,
        *,
        tunnels: bool = True,
        otherwise: str = RETURN,
    ) -> None:
        """Rules by the link of departure; what an ipsec link holds is not for its carrier.

        What a wildcard or a carrier must not take has the verdict `otherwise`.
        """
        way = _Direction("-o", "d", "", otherwise)
        self._dispatch(chains, at, chain_of, way, tunnels=tunnels)

    def _dispatch(
        self, chains: Chains, at: str, chain_of: ChainOf, way: _Direction, *, tunnels: bool
    ) -> None:
        for place, name in enumerate(self._names):
            interface = f"{way.option} {quote.interface(name.text)}"
            own = chain_of(name.link)
            needed = own is not None or self._is_shadowed(place, chain_of)
            for one in self.plan.carried(name.link) if tunnels else ():
                match, chain = self.network(way.side, one), chain_of(one)
                if match is not None and (chain is not None or needed):
                    chains.add(
                        at,
                        join(interface, way.state, match),
                        _to(chain, way.otherwise),
                        _about(one),
                    )
            if needed:
                chains.add(at, interface, _to(own, way.otherwise), _about(name.link))

    def _is_shadowed(self, place: int, chain_of: ChainOf) -> bool:
        name = self._names[place]
        return any(
            name.is_caught_by(later.text) and chain_of(later.link) is not None
            for later in self._names[place + 1 :]
        )

    def network(self, side: str, link: Link) -> str | None:
        """The match of what an ipsec link protects, None where it has nothing of this family."""
        return self.sets.match(side, link.network, self.family, link.name)


def _names(plan: Plan) -> Iterator[_Name]:
    for link in plan.links:
        for name in link.interfaces:
            yield _Name(name, link)
    wild = [(prefix, link) for link in plan.links for prefix in link.wildcards]
    for prefix, link in sorted(wild, key=lambda one: (-len(one[0]), one[0])):
        yield _Name(f"{prefix}+", link)


def _to(chain: str | None, otherwise: str) -> str:
    return otherwise if chain is None else goto(chain)


def _about(link: Link) -> str:
    return f"zone {link.name}"
