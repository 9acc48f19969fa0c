"""The table `nat` of one family: destinations in PREROUTING, sources in POSTROUTING."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Literal, NamedTuple

from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.intervals import Interval
from tunnelgate.plan import Dnat, Keeper, Link, Match, Origin, Plan, Snat, Taken, taken, tiers
from tunnelgate.records import replace
from tunnelgate_targets.iptables.branching import Branches, Leaf
from tunnelgate_targets.iptables.doors import Doors
from tunnelgate_targets.iptables.grouping import FEW
from tunnelgate_targets.iptables.lines import ACCEPT, RETURN, Act, Chains, goto
from tunnelgate_targets.iptables.links import DECRYPTED, Links
from tunnelgate_targets.iptables.names import chain, digest
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.statements import remark
from tunnelgate_targets.iptables.words import (
    AH,
    AH_MATCH,
    join,
    known,
    protocol,
    source_ports,
    ways,
)

BUILT_IN = ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
_LOCAL, _NOT_LOCAL = "-m addrtype --dst-type LOCAL", "-m addrtype ! --dst-type LOCAL"
_PROTECTED = "-m policy --dir out --pol ipsec"
#: A source port inside the range would stay, so it begins above both ports of IKE.
_MOVED_TO = "4501-65535"


class _Forward(NamedTuple):
    """What several destination translations have in common: all but where packets come from."""

    destination: Intervals
    l4: Intervals
    dynamic: Literal["arrival", "machine"] | None
    elsewhere: Intervals
    target: int
    port: int | None
    not_arrival: bool


class _Matched(NamedTuple):
    """A source translation, and the addresses that a rule knows it by."""

    match: Match
    snat: Snat


class Translation:
    """Writes the table; `write` gives it."""

    def __init__(self, plan: Plan, sets: Sets, family: int, doors: Doors) -> None:
        self.plan = plan
        self.sets = sets
        self.family = family
        self.links = Links(plan, sets, family)
        self.doors = doors
        self.chains = doors.chains("nat", BUILT_IN)

    def write(self) -> Chains:
        """Write all chains."""
        self._destinations()
        self._sources()
        return self.chains

    # -- destinations

    def _destinations(self) -> None:
        by_link: dict[Link, list[Dnat]] = defaultdict(list)
        for dnat in self.plan.dnats:
            if dnat.family == self.family:
                by_link[dnat.link].append(dnat)
        names = {link: chain((link.name,), "dnat") for link in by_link}
        self.links.arrivals(self.chains, self.doors.at("PREROUTING"), names.get)
        for link, name in names.items():
            self._destinations_of(name, link, by_link[link])

    def _destinations_of(self, at: str, link: Link, dnats: list[Dnat]) -> None:
        self.chains.add(
            at, AH_MATCH[self.family], RETURN, "AH does not survive translation (RFC 4302)"
        )
        if self.plan.carried(link):
            self.chains.add(at, DECRYPTED, RETURN, f"not traffic of zone {link.name}")
        leaves: list[Leaf] = []
        for forward, some in _grouped(dnats).items():
            sources = Intervals.union_of(dnat.match.source for dnat in some)
            source = self.sets.match("s", sources, self.family, link.name)
            destination = self._taken(forward, link)
            if source is not None and destination is not None:
                match = join(source, destination)
                origins = [dnat.origin for dnat in some]
                held = (sources & known(self.family)).hull()
                leaves += self._forward(match, forward, origins, link, held)
        Branches(self.chains, self.family, (link.name,), "dnat").plant(at, leaves)

    def _taken(self, forward: _Forward, link: Link) -> str | None:
        """The addresses of the gateway that a forward takes packets from."""
        if forward.dynamic == "arrival":
            return f"{_LOCAL} --limit-iface-in"
        if forward.dynamic is None:
            return self.sets.match("d", forward.destination, self.family, link.name)
        here = known(self.family) - forward.elsewhere
        addresses = self.sets.match("d", here, self.family, link.name)
        not_here = f"{_NOT_LOCAL} --limit-iface-in" if forward.not_arrival else ""
        return None if addresses is None else join(_LOCAL, not_here, addresses)

    def _forward(
        self, match: str, forward: _Forward, origins: list[Origin], link: Link, held: Interval
    ) -> Iterator[Leaf]:
        # AH has returned, so everything but AH is everything
        l4 = axes.ANY_L4 if forward.l4 | AH == axes.ANY_L4 else forward.l4
        act = Act(f"-j DNAT --to-destination {self._target(forward)}", remark(origins))
        for way in ways(l4, self.family):
            write = partial(
                self.chains.add_way,
                match=match,
                way=way,
                act=act,
                spare=chain((link.name,), act.spare(way)),
            )
            yield Leaf(held, known(self.family).hull(), l4.hull(), write)

    def _target(self, forward: _Forward) -> str:
        address = str(axes.to_address(forward.target))
        if forward.port is None:
            return address
        return f"{_bracketed(address)}:{forward.port}"

    # -- sources

    def _sources(self) -> None:
        by_link: dict[Link, list[Snat]] = defaultdict(list)
        for snat in self.plan.snats:
            if snat.family == self.family and self._ends(snat) is not None:
                by_link[snat.destination].append(snat)
        kept = self._kept() if self.doors.is_shared else None
        if not by_link and kept is None:
            return
        at = self.doors.at("POSTROUTING")
        match = "-m addrtype --src-type LOCAL"
        self.chains.add(at, match, RETURN, "what the gateway itself sends")
        names = {link: chain((link.name,), "snat") for link in by_link}
        self.links.departures(self.chains, at, lambda link: names.get(link, kept))
        rest = RETURN if kept is None else goto(kept)
        for link, name in names.items():
            if self.plan.carried(link):
                about = f"IPsec protects it: not traffic to zone {link.name}"
                self.chains.add(name, _PROTECTED, rest, about)
            self._sources_of(name, link, by_link[link])
            if kept is not None:
                self.chains.add(name, "", rest, "no other translation")

    def _sources_of(self, at: str, link: Link, snats: list[Snat]) -> None:
        """The translations towards one link, the first that matches counts."""
        if len(snats) <= FEW:
            for snat in snats:
                self._source(at, snat)
            return
        matched = [_Matched(replace(one.match, source=sources(one)), one) for one in snats]
        for number, tier in enumerate(tiers(matched, _effect), start=1):
            leaves = [self._leaf(one) for one in tier]
            role = "snat" if number == 1 else f"snat{number}"
            Branches(self.chains, self.family, (link.name,), role).plant(at, leaves)

    def _leaf(self, one: _Matched) -> Leaf:
        every = known(self.family)
        source, destination = one.match.source & every, one.match.destination & every
        write = partial(self._source, snat=one.snat)
        return Leaf(source.hull(), destination.hull(), axes.ANY_L4.hull(), write)

    def _kept(self) -> str:
        """The chain of what the policy does not translate: nobody else does, if it comes from a
        zone that is known by its addresses.
        """
        at = self.chains.begin(chain((), "untranslated"))
        for link in self.plan.links:
            if link.inside:
                match = self.sets.match("s", _held(link), self.family, link.name)
                if match:
                    about = f"from zone {link.name}: no translation by others"
                    self.chains.add(at, match, ACCEPT, about)
        return at

    def _ends(self, snat: Snat) -> str | None:
        """The match of sources and destinations, None where one of them is none of this family."""
        source = self.sets.match("s", sources(snat), self.family, snat.source.name)
        goals = snat.match.destination
        destination = self.sets.match("d", goals, self.family, snat.destination.name)
        return None if source is None or destination is None else join(source, destination)

    def _source(self, at: str, snat: Snat) -> None:
        # what a forward has turned around; its ports are those of the host already
        state = "-m conntrack --ctstate DNAT" if snat.hairpin else ""
        for one in taken(snat.moved):
            if one.peers.overlaps(snat.match.destination):
                self._moved(at, snat, one)
        match = join(self._ends(snat) or "", state)
        self.chains.add(at, match, _verdict(snat), snat.origin.text)

    def _moved(self, at: str, snat: Snat, some: Taken) -> None:
        """Ports that forwards take from some peers stay with their hosts only, or the peers'
        packets would reach the others (targets page, IKE).
        """
        for ports in source_ports(axes.UDP, some.ports):
            if len(some.keepers) <= FEW:
                for one in some.keepers:
                    self._keep(at, snat, one, ports)
                    self._take(at, snat, [one], ports, _verdict(snat, _MOVED_TO))
                continue
            ends = (snat.source.name, snat.destination.name)
            inner = chain(ends, f"ports-{digest(f'{snat.origin.text} {ports}')}")
            self._take(at, snat, some.keepers, ports, goto(inner))
            leaves = [
                Leaf(
                    (one.host, one.host),
                    known(self.family).hull(),
                    axes.ANY_L4.hull(),
                    partial(self._keep, snat=snat, keeper=one, ports=ports),
                )
                for one in some.keepers
            ]
            Branches(self.chains, self.family, (snat.destination.name,), "ports").plant(
                inner, leaves
            )
            verdict = _verdict(snat, _MOVED_TO)
            self.chains.add(inner, protocol(axes.UDP), verdict, snat.origin.text)

    def _keep(self, at: str, snat: Snat, keeper: Keeper, ports: str) -> None:
        host = Intervals.single(keeper.host)
        self._ported(at, snat, host, [keeper], ports, _verdict(snat))

    def _take(
        self, at: str, snat: Snat, keepers: Sequence[Keeper], ports: str, verdict: str
    ) -> None:
        self._ported(at, snat, axes.ANY_ADDRESS, keepers, ports, verdict)

    def _ported(
        self,
        at: str,
        snat: Snat,
        whose: Intervals,
        keepers: Sequence[Keeper],
        ports: str,
        verdict: str,
    ) -> None:
        """Do something with what leaves from these ports towards peers that forwards take them
        from.
        """
        label = snat.source.name
        peers = Intervals.union_of(one.peers for one in keepers) & snat.match.destination
        source = self.sets.match("s", sources(snat) & whose, self.family, label)
        destination = self.sets.match("d", peers, self.family, label)
        if source is not None and destination is not None:
            about = remark(origin for one in keepers for origin in one.origins)
            match = join(source, destination, ports)
            self.chains.add(at, match, verdict, f"{snat.origin.text}; {about}")


def sources(snat: Snat) -> Intervals:
    """The source addresses by which a translation knows what comes from its link."""
    return _held(snat.source) if snat.match.source == axes.ANY_ADDRESS else snat.match.source


def _effect(one: _Matched) -> tuple[object, ...]:
    return one.snat.address, one.snat.moved, one.snat.hairpin


def _held(link: Link) -> Intervals:
    """The source addresses of what comes from a link."""
    if link.over is not None:
        return link.network
    return axes.ANY_ADDRESS if link.sources is None else link.sources


def _grouped(dnats: Iterable[Dnat]) -> dict[_Forward, list[Dnat]]:
    """Translations that differ in their sources only: one rule with a set."""
    found: dict[_Forward, list[Dnat]] = defaultdict(list)
    for dnat in dnats:
        match = dnat.match
        taken = (match.destination, match.l4, dnat.dynamic, dnat.elsewhere)
        found[_Forward(*taken, dnat.target, dnat.port, dnat.not_arrival)].append(dnat)
    return found


def _verdict(snat: Snat, ports: str = "") -> str:
    if snat.address is None:
        return join("-j MASQUERADE", f"--to-ports {ports}" if ports else "")
    address = str(axes.to_address(snat.address))
    return f"-j SNAT --to-source {f'{_bracketed(address)}:{ports}' if ports else address}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
