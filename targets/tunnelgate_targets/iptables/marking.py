"""The tables `raw` and `mangle` of one family: helpers, sizes of segments, and nothing in clear."""

from __future__ import annotations

from collections import defaultdict

from tunnelgate.plan import Helper, Link, Mss, Plan
from tunnelgate_targets.iptables.clear import ClearL2tp
from tunnelgate_targets.iptables.doors import Doors
from tunnelgate_targets.iptables.lines import DROP, RETURN, Act, Chains, jump
from tunnelgate_targets.iptables.links import Links
from tunnelgate_targets.iptables.names import chain
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.words import join, ways

RAW = ("PREROUTING", "OUTPUT")
MANGLE = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
_SYN = "-p tcp --tcp-flags SYN,RST SYN"


#: What the kernel is asked of a destination where own addresses are not known.
_LOCAL = {
    None: "",
    "arrival": "-m addrtype --dst-type LOCAL --limit-iface-in",
    "machine": "-m addrtype --dst-type LOCAL",
    "other": "-m addrtype ! --dst-type LOCAL",
}


class Raw:
    """Writes the table `raw`: who gets a connection-tracking helper, before tracking begins."""

    def __init__(self, plan: Plan, sets: Sets, family: int, doors: Doors) -> None:
        self.sets = sets
        self.family = family
        self.helpers = [one for one in plan.helpers if self._is_met(one)]
        self.links = Links(plan, sets, family)
        self.doors = doors
        self.chains = doors.chains("raw", RAW)

    def write(self) -> Chains:
        """Write all chains."""
        by_link: dict[Link, list[Helper]] = defaultdict(list)
        for helper in self.helpers:
            if helper.link is None:
                self._helper(self.doors.at("OUTPUT"), helper)
            else:
                by_link[helper.link].append(helper)
        names = {link: chain((link.name,), "helpers") for link in by_link}
        self.links.arrivals(self.chains, self.doors.at("PREROUTING"), names.get)
        for link, name in names.items():
            for helper in by_link[link]:
                self._helper(name, helper)
        return self.chains

    def _is_met(self, helper: Helper) -> bool:
        """Whether packets of this family can be what the helper is for."""
        met = {family for family, _ in helper.match.families()}
        return self.family in helper.families and bool(met & {0, self.family})

    def _helper(self, at: str, helper: Helper) -> None:
        label = helper.link.name if helper.link else "gateway"
        source = self.sets.match("s", helper.match.source, self.family, label)
        destination = self.sets.match("d", helper.match.destination, self.family, label)
        if source is None or destination is None:
            return
        match = join(source, destination, _LOCAL[helper.dynamic])
        act = Act(f"-j CT --helper {helper.name}", helper.origin.text)
        for way in ways(helper.match.l4, self.family):
            self.chains.add_way(at, match, way, act, chain((label,), act.spare(way)))


class Mangle:
    """Writes the table `mangle`."""

    def __init__(self, plan: Plan, sets: Sets, family: int, doors: Doors) -> None:
        self.plan = plan
        self.family = family
        self.links = Links(plan, sets, family)
        self.doors = doors
        self.chains = doors.chains("mangle", MANGLE)

    def write(self) -> Chains:
        """Write all chains."""
        if self.plan.mss:
            self._segments()
        if self.plan.clear_drops or self.plan.never_clear_l2tp:
            self._nothing_in_clear()
        return self.chains

    def _nothing_in_clear(self) -> None:
        at = self.doors.leaving(self.chains, "POSTROUTING")
        elsewhere = "" if self.doors.is_shared else "! -o lo"
        for drop in self.plan.clear_drops:
            goal = self.links.network("d", drop.link)
            if goal is not None:
                # no table behind the translation of sources may drop: NAT before IPsec is not seen
                # as it leaves, but as it arrived (emit.py, NAT_BEFORE_IPSEC)
                match = join(goal, elsewhere, "-m policy --dir out --pol none")
                self.chains.add(at, match, DROP, f"{drop.origin.text}: in clear")
        ClearL2tp(self.plan, self.links, self.chains).leaving(at)

    def _segments(self) -> None:
        """The size that both ends of a TCP connection announce (RFC 4459 section 3.2)."""
        forward = self.doors.between(self.chains, "FORWARD")
        arriving, leaving = chain((), "mss-in"), chain((), "mss-out")
        if self.family == 6:
            # `-p tcp` looks through AH, whose checksum would no longer be right
            self.chains.add(forward, "-m ah", RETURN, "AH stays as it is")
        about = "the announced size of TCP segments"
        for at in (arriving, leaving):
            self.chains.add(forward, _SYN, jump(at), about)
            self.chains.begin(at)
        names = {mss.link: chain((mss.link.name,), "mss") for mss in self.plan.mss}
        self.links.arrivals(self.chains, arriving, names.get)
        self.links.departures(self.chains, leaving, names.get)
        for mss in self.plan.mss:
            self.chains.add(names[mss.link], _SYN, _size(mss), mss.origin.text)


def _size(mss: Mss) -> str:
    if mss.value == "clamp":
        return "-j TCPMSS --clamp-mss-to-pmtu"
    return f"-j TCPMSS --set-mss {mss.value}"
