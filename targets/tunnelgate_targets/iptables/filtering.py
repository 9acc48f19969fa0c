"""The table `filter` of one family: what surrounds the chains of pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

from tunnelgate.flows import Intervals
from tunnelgate.plan import Link, Plan, Snat
from tunnelgate_targets.iptables import pairs
from tunnelgate_targets.iptables.always import Always
from tunnelgate_targets.iptables.clear import ClearL2tp
from tunnelgate_targets.iptables.doors import Doors
from tunnelgate_targets.iptables.endings import Endings
from tunnelgate_targets.iptables.grouping import FEW
from tunnelgate_targets.iptables.guards import Guards
from tunnelgate_targets.iptables.lines import ACCEPT, DROP, RETURN, Chains, goto, jump
from tunnelgate_targets.iptables.links import DECRYPTED, Links
from tunnelgate_targets.iptables.names import chain
from tunnelgate_targets.iptables.pairs import Divided, Surroundings
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.statements import remark
from tunnelgate_targets.iptables.words import AH_MATCH, all_prefixes, join, known

BUILT_IN = ("INPUT", "FORWARD", "OUTPUT")
_ICMP = {4: "icmp", 6: "ipv6-icmp"}
#: Is for the gateway too, and of other types than its own addresses.
_MULTICAST = {4: ("-d 224.0.0.0/4", "-d 255.255.255.255"), 6: ("-d ff00::/8",)}
_NEVER_SPOOFED = {
    4: (("-s 0.0.0.0 -p udp --dport 67", "DHCP before there is an address (RFC 2131)"),),
    6: (
        ("-s ::", "duplicate address detection (RFC 4862)"),
        ("-s fe80::/10", "link-local (RFC 4291)"),
    ),
}


class Filter:
    """Writes the table; `chains` holds it afterwards."""

    def __init__(
        self, plan: Plan, divided: Iterable[Divided], sets: Sets, family: int, doors: Doors
    ) -> None:
        self.plan = plan
        self.doors = doors
        self.divided = tuple(divided)
        self.sets = sets
        self.family = family
        self.links = Links(plan, sets, family)
        self.chains = doors.chains("filter", BUILT_IN)
        self.always = Always(plan, self.chains, family)
        self.endings = Endings(plan, family)
        self.guards = Guards(sets, family)
        self._pairs = {one.pair.name: one.pair for one in self.divided}

    def write(self) -> Chains:
        """Write all chains."""
        self._input()
        self._forward()
        if self.plan.filter_output:
            self._output()
        for link in self.plan.links:
            self._link(link)
        around = Surroundings(self.chains, self.sets, self.endings, self.guards)
        for one in self.divided:
            pairs.write(one, around)
        self.guards.write(self.chains)
        self.endings.write(self.chains)
        return self.chains

    # -- built-in chains

    def _input(self) -> None:
        at = self.doors.arrived(self.chains, "INPUT")
        self._loopback(at, "-i")
        self._in_clear(at)
        self._strays(at)
        ClearL2tp(self.plan, self.links, self.chains).arriving(at)
        self._known(at)
        self.links.arrivals(self.chains, at, lambda link: chain((link.name,), "input"))
        self._end(at)

    def _forward(self) -> None:
        self._in_clear(self.doors.arrived(self.chains, "FORWARD"))
        at = self.doors.between(self.chains, "FORWARD")
        self._strays(at)
        self._untranslatable(at)
        self._known(at)
        self.links.arrivals(self.chains, at, lambda link: chain((link.name,), "forward"))
        self._end(at)

    def _output(self) -> None:
        at = self.doors.leaving(self.chains, "OUTPUT")
        self._loopback(at, "-o")
        self._established(at)
        self.always.leaving(at)
        if self.plan.reject:
            match = "-p tcp --tcp-flags RST RST -m conntrack --ctstate RELATED"
            self.chains.add(at, match, ACCEPT, "set reject on: the answer to TCP")
        if not self.plan.default_output:
            self.always.invalid(at)
        # a RETURN would leave the verdict to what stands behind the jump of the shared layout
        otherwise = self.endings.final(None)
        self.links.departures(
            self.chains, at, lambda link: self._pair(None, link), otherwise=otherwise
        )
        self.endings.end(self.chains, at, None)

    def _loopback(self, at: str, way: str) -> None:
        """In the shared layout it is an interface of no zone, and has not come here."""
        if not self.doors.is_shared:
            self.chains.add(at, f"{way} lo", ACCEPT, "loopback")

    def _end(self, at: str) -> None:
        """What arrives by an interface of no zone; in the shared layout it has not come here."""
        if not self.doors.is_shared:
            verdict = self.endings.refused(None)
            self.chains.add(at, "", verdict, "an interface of no zone")

    def _pair(self, source: Link | None, destination: Link | None) -> str | None:
        ends = tuple(link.name if link else "gateway" for link in (source, destination))
        return chain(ends) if ends in self._pairs else None

    # -- before the statements

    def _in_clear(self, at: str) -> None:
        """Clear text that claims to come through a tunnel."""
        for drop in self.plan.clear_drops:
            source = self.links.network("s", drop.link)
            if source is not None:
                match = join(source, "-m policy --dir in --pol none")
                self.chains.add(at, match, DROP, f"{drop.origin.text}: in clear")

    def _strays(self, at: str) -> None:
        """Decrypted packets of no zone."""
        if any(link.over for link in self.plan.links):
            decrypted = chain((), "decrypted")
            self.chains.add(at, DECRYPTED, jump(decrypted), "what the gateway's IPsec decrypted")
            if decrypted not in self.chains:
                self._decrypted(decrypted)

    def _decrypted(self, at: str) -> None:
        carriers = [link for link in self.plan.links if self.plan.carried(link)]
        names = {link: chain((link.name,), "decrypted") for link in carriers}
        self.chains.begin(at)
        self.links.arrivals(self.chains, at, names.get, tunnels=False)
        for carrier, name in names.items():
            for one in self.plan.carried(carrier):
                match = self.links.network("s", one)
                if match is not None:
                    self.chains.add(name, match, RETURN, f"zone {one.name}")
            about = f"no zone over {carrier.name} holds its source"
            if carrier in self.plan.inside_ipsec:
                match = "-p udp --dport 1701"
                if self.family == 6:
                    # `-p udp` of ip6tables-legacy looks through it (targets page, AH and NAT)
                    self.chains.add(name, "-m ah", DROP, about)
                for goal in ("-m addrtype --dst-type LOCAL", *_MULTICAST[self.family]):
                    self.chains.add(name, join(match, goal), RETURN, "l2tp-ipsec")
            self.chains.add(name, "", DROP, about)

    def _untranslatable(self, forward: str) -> None:
        """AH that would be translated is dropped in its original direction; replies of AH begun on
        the other side pass (targets page, AH and NAT).
        """
        wanted = self._translated()
        if not wanted:
            return
        at = self.chains.begin(chain((), "untranslatable"))
        match = f"{AH_MATCH[self.family]} -m conntrack --ctdir ORIGINAL"
        self.chains.add(forward, match, jump(at), "AH does not survive translation (RFC 4302)")
        role = "no-ah"
        origins = {source: chain((source.name,), role) for source, _ in wanted}
        goals = {ends: chain((ends[0].name, ends[1].name), role) for ends in wanted}
        self.links.arrivals(self.chains, at, origins.get)
        for link, name in origins.items():
            self.links.departures(self.chains, name, partial(_goal, goals, link))
        for pair, name in goals.items():
            for path, about in wanted[pair]:
                self.chains.add(name, path, DROP, f"{about}: never AH")

    def _translated(self) -> dict[tuple[Link, Link], list[tuple[str, str]]]:
        """Between which links what is translated, and for which statements."""
        found: dict[tuple[Link, Link], list[Snat]] = defaultdict(list)
        for snat in self.plan.snats:
            if snat.family == self.family and not snat.hairpin:
                found[snat.source, snat.destination].append(snat)
        return {
            ends: [
                (path, remark(one.origin for one in alike))
                for alike in _alike(some)
                if (path := self._path(alike)) is not None
            ]
            for ends, some in found.items()
        }

    def _path(self, snats: Sequence[Snat]) -> str | None:
        """The addresses of translations towards the same, None where they are of no packet."""
        snat = snats[0]
        sources = Intervals.union_of(one.match.source for one in snats)
        source = self.sets.match("s", sources, self.family, snat.source.name)
        goal = self.sets.match("d", snat.match.destination, self.family, snat.destination.name)
        return None if source is None or goal is None else join(source, goal)

    def _known(self, at: str) -> None:
        self._established(at)
        self.always.invalid(at)

    def _established(self, at: str) -> None:
        state = "-m conntrack --ctstate"
        self.chains.add(at, f"{state} ESTABLISHED", ACCEPT, "replies, and what goes on")
        match = f"-p {_ICMP[self.family]} {state} RELATED"
        self.chains.add(at, match, ACCEPT, "ICMP errors about a known connection")
        for name in self.plan.masters(self.family):
            match = f"{state} RELATED -m helper --helper {name}"
            self.chains.add(at, match, ACCEPT, f"what the helper {name} announced")

    # -- chains of one link

    def _link(self, link: Link) -> None:
        checked = self._source(link)
        own = chain((link.name,), "input")
        onward = chain((link.name,), "forward")
        for at in (own, onward):
            if checked is not None:
                self.chains.add(at, "", jump(checked), "set antispoof on")
            self.always.arriving(at, to_gateway=at == own)
        pair = self._pair(link, None)
        if pair is not None:
            self.chains.add(own, "", goto(pair), f"from {link.name} to the gateway")
        otherwise = self.endings.final(link)
        self.links.departures(self.chains, onward, partial(self._pair, link), otherwise=otherwise)
        for at in (own, onward):
            self.endings.end(self.chains, at, link)

    def _source(self, link: Link) -> str | None:
        """The chain that lets only sources of a link return; None where any may arrive."""
        if link.sources is None or known(self.family) <= link.sources:
            return None
        at = self.chains.begin(chain((link.name,), "source"))
        for match, about in _NEVER_SPOOFED[self.family]:
            self.chains.add(at, match, RETURN, about)
        held = link.sources & known(self.family)
        rest = known(self.family) - held
        refused = self.endings.refused(link)
        if held and len(held.items) <= len(rest.items):
            for match in self._each(held, link):
                self.chains.add(at, match, RETURN, f"sources of zone {link.name}")
            rest = known(self.family)
        for match in self._each(rest, link):
            self.chains.add(at, match, refused, f"no source of zone {link.name}")
        return at

    def _each(self, addresses: Intervals, link: Link) -> list[str]:
        """Matches of sources: few prefixes one by one, many by a set."""
        found = all_prefixes(addresses)
        if 1 < len(found) <= FEW:
            return [f"-s {one}" for one in found]
        match = self.sets.match("s", addresses, self.family, link.name)
        return [] if match is None else [match]


def _alike(snats: Sequence[Snat]) -> list[list[Snat]]:
    """What a rule each is for: a translation; of many, those that differ in their sources alone."""
    if len(snats) <= FEW:
        return [[snat] for snat in snats]
    found: dict[Intervals, list[Snat]] = defaultdict(list)
    for snat in snats:
        found[snat.match.destination].append(snat)
    return list(found.values())


def _goal(goals: dict[tuple[Link, Link], str], source: Link, destination: Link) -> str | None:
    return goals.get((source, destination))
