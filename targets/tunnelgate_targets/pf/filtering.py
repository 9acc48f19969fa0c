"""The filter: what arrives, link by link, and what leaves, pair by pair; the same in both dialects.

A packet that crosses the gateway is let in without a state and with the tag of the link it came by.
Its state is made where it leaves, and only if the pair of links lets it: a state made on the way in
would let the answer out to something that was never let out itself. What belongs to that state
comes back with the tag `tg.reply`, and leaves by it. A forward is the exception: its address must
be turned back, so it has a state on the way in as well; its denials are asked there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Link, Match, Pair, Plan, Rule
from tunnelgate.records import replace
from tunnelgate_targets.pf.always import Always
from tunnelgate_targets.pf.layout import zone_interfaces
from tunnelgate_targets.pf.links import (
    ARRIVED,
    BOOTPS,
    ENC,
    GATEWAY,
    LEASE,
    REPLY,
    SPOOFED,
    UNSPECIFIED,
    crossing_tag,
    decrypting,
    errors_tag,
    forward_tag,
    leases,
    on,
    protected,
    refused_tag,
    uses_enc,
    uses_tunnels,
)
from tunnelgate_targets.pf.quote import interface, label
from tunnelgate_targets.pf.tables import Tables, prefixes
from tunnelgate_targets.pf.translating import Translation, sources_of
from tunnelgate_targets.pf.verdicts import Verdicts, denials, keep, permissions
from tunnelgate_targets.pf.words import Way, Where, one_of, rule, ways

_L2TP = Intervals.of([axes.l4(axes.UDP, 1701, 1701)])
#: The limited broadcast, multicast of both families, link-local destinations, and
#: 0.0.0.0, which BSD takes for a broadcast: none is ever forwarded, all are for the machine itself.
_EVERYBODY = ("0.0.0.0", "224.0.0.0/4", "255.255.255.255", "fe80::/10", "ff00::/8")
#: Sources that are nobody's (RFC 4291).
_NOBODY = Intervals.of(
    [
        (axes.address_of("::"), axes.address_of("::")),
        (axes.address_of("fe80::"), axes.address_of("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
    ]
)
#: In tunnel mode OpenBSD shows what encloses a packet on `enc0` too (ipsec.conf(5)).
_WRAPPED = "IP in IP of tunnel mode"
#: IPv4 and IPv6 in IP (RFC 2003, RFC 2473).
_IP_IN_IP = Way((4, 41))
#: Unreachable, quench, redirect, time exceeded, parameter problem: what pf makes no state of.
_ICMP_ERRORS = Intervals.of(
    axes.l4(axes.ICMP, kind << 8, kind << 8 | 255) for kind in (3, 4, 5, 11, 12)
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A way in: packets of a link on some interface.

    Attributes:
        link: the link.
        on: the interface, as words of pf.
        sources: those of the link that can arrive there.
        bound: states hold on this interface alone.
    """

    link: Link
    on: str
    sources: Intervals
    bound: bool


class Filter:
    """Writes the filter of a plan."""

    def __init__(
        self,
        plan: Plan,
        tables: Tables,
        translation: Translation,
        mark: str,
        *,
        shared: bool,
    ) -> None:
        self.plan = plan
        self.shared = shared
        ours = tuple(interface(name) for name in zone_interfaces(plan))
        self.clear = one_of(ours) if shared else f"! {ENC}"
        """The interfaces on which packets are in clear text."""
        decides = (*ours, ENC) if uses_enc(plan) else ours
        self.everywhere = one_of(decides) if shared else ""
        """The interfaces on which the policy decides."""
        self.tables = tables
        self.translation = translation
        self.mark = mark
        self.verdicts = Verdicts(plan)
        self.always = Always(plan)
        self.pairs = {pair.name: pair for pair in plan.pairs}

    # -- what holds for everything

    def refused(self) -> Iterator[str]:
        """What no rule below lets pass; in an anchor, others may let pass what is not ours."""
        if not self.shared:
            log = "log " if self.plan.log_denied else ""
            yield f"block {log}all"

    def strays(self) -> Iterator[str]:
        """What was decrypted and belongs to no link: behind all that does."""
        if self.shared and uses_enc(self.plan):
            where = Where(ENC)
            yield from self.verdicts.refused("in", None, where, "decrypted, but of no zone")

    def clear_in(self) -> Iterator[str]:
        """What claims to come through a tunnel and was not decrypted, and strays out of one."""
        for drop in self.plan.clear_drops:
            for family, networks in _families(drop.link.network):
                source = self.tables.host(drop.link.name, networks, family) or ""
                where = Where(self.clear, family, source=source)
                yield rule("block in quick", where, label(f"clear text from {drop.link.name}"))

    def clear_out(self) -> Iterator[str]:
        """What would leave for a protected network in clear text."""
        for drop in self.plan.clear_drops:
            for family, networks in _families(drop.link.network):
                goal = self.tables.host(drop.link.name, networks, family) or ""
                where = Where(self.clear, family, destination=goal)
                yield rule("block out quick", where, label(f"clear text to {drop.link.name}"))
        for link in self.plan.never_clear_l2tp:
            where = Where(on(link), way=Way((axes.UDP,)), source="(self)", source_ports=("1701",))
            yield rule("block out quick", where, label("L2TP in clear text"))

    def spoofed(self) -> Iterator[str]:
        """Sources of another zone than the one that they arrive by."""
        for link in self.plan.links:
            if link.sources is not None and link.over is None:
                yield from self._spoofed(link)

    def _spoofed(self, link: Link) -> Iterator[str]:
        assert link.sources is not None
        good = link.sources | _NOBODY
        text = f"source is not of zone {link.name}"
        for family in (4, 6):
            axis = axes.family_axis(family) - axes.UNKNOWN
            bad = self.tables.host(f"not-{link.name}", axis - good, family)
            if bad is None:
                continue
            where = Where(on(link), family, source=bad)
            if family == 4 and leases(link):
                yield from self._spoofed_but_leases(link, where, text)
            else:
                yield from self.verdicts.refused("in", link, where, text)

    def _spoofed_but_leases(self, link: Link, spoofed: Where, text: str) -> Iterator[str]:
        """Nobody may ask for a lease, and what a forward has translated keeps the tag that says so.

        Without it, it would be let in as what crosses, without the state that translates it.
        """
        asks = Where(on(link), 4, Way((axes.UDP,), ("67",)), source="0.0.0.0")
        if self._forwards_leases(link):
            forward, held = forward_tag(link), refused_tag(link)
            yield rule("block in", spoofed.but(tagged=forward), f"tag {held}")
            yield rule("block in", asks.but(tagged=held), f"tag {forward}")
            yield from self.verdicts.refused("in", link, Where(on(link), tagged=held), text)
            spoofed, asks = (one.but(tagged=forward, untagged=True) for one in (spoofed, asks))
        yield rule("block in", spoofed, f"tag {SPOOFED}")
        yield rule("block in", asks, f"tag {LEASE}")
        yield from self.verdicts.refused("in", link, Where(on(link), tagged=SPOOFED), text)

    def _forwards_leases(self, link: Link) -> bool:
        return any(
            dnat.link is link
            and dnat.match.l4.overlaps(BOOTPS)
            and UNSPECIFIED in dnat.match.source
            for dnat in self.plan.dnats
        )

    def local(self) -> Iterator[str]:
        """What is for the machine itself gets a tag; until something allows it, nothing does.

        What comes out of a tunnel still has the tag of what enclosed it.
        """
        stale = Where(self.everywhere, tagged=GATEWAY)
        yield rule(f"{self.mark} in", stale, f"tag {ARRIVED}")
        for goal in ("(self)", "(self:broadcast)", self.tables.name("everybody", _EVERYBODY)):
            family = 4 if "broadcast" in goal else 0
            where = Where(self.everywhere, family, destination=goal)
            yield rule(f"{self.mark} in", where, f"tag {GATEWAY}")

    # -- what arrives

    def arrivals(self) -> Iterator[Arrival]:
        """Every way in."""
        for link in self.plan.links:
            bound = link.over is not None
            yield Arrival(link, on(link), link.network if bound else axes.ANY_ADDRESS, bound)
        outside = decrypting(self.plan)
        if outside is not None:
            yield Arrival(outside, ENC, sources_of(outside, self.plan), bound=True)

    def arriving(self, arrival: Arrival) -> Iterator[str]:
        """What may come in one way: what the gateway handles itself, and what is to cross it."""
        yield from self.always.arriving(self._wheres(Match(), arrival))
        yield from self._forwarded(arrival)
        yield from self._to_gateway(arrival)
        text = f"nothing allows it from {arrival.link.name} to gateway"
        for where in self._wheres(Match(), arrival, GATEWAY):
            yield from self.verdicts.refused("in", arrival.link, where, text)
        if self._is_forwarding(arrival.link):
            # translated without a state it would not be translated at all
            text = f"no forward from {arrival.link.name} hands it on"
            for where in self._wheres(Match(), arrival, forward_tag(arrival.link)):
                yield from self.verdicts.refused("in", arrival.link, where, text)
        for where in self._wheres(Match(), arrival):
            yield rule("pass in quick", where, "no state", f"tag {crossing_tag(arrival.link)}")

    def _forwarded(self, arrival: Arrival) -> Iterator[str]:
        """What a forward has translated; it is the host's by now."""
        for pair in self.plan.pairs:
            forwards = [one for one in pair.permissions if one.translated]
            if pair.source is not arrival.link or not forwards:
                continue
            hosts = Intervals.union_of(one.match.destination for one in forwards)
            limited = any(one.limit is not None for one in forwards)
            tag = forward_tag(arrival.link)
            for one in denials(pair.denials):
                for where in self._wheres(_to(one.match, hosts), arrival, tag):
                    yield from self._denied("in", arrival.link, where, one)
            for one in permissions(pair.permissions):
                if one.translated or limited:
                    for where in self._wheres(_to(one.match, hosts), arrival, tag):
                        yield self.verdicts.passed("in", where, one, bound=arrival.bound)

    def _is_forwarding(self, link: Link) -> bool:
        return any(dnat.link is link for dnat in self.plan.dnats)

    def _to_gateway(self, arrival: Arrival) -> Iterator[str]:
        pair = self.pairs.get((arrival.link.name, "gateway"))
        if pair is None:
            return
        decrypted = arrival.on == ENC and not arrival.link.over
        denied, passed = (
            [one for one in rules if decrypted or not one.decrypted]
            for rules in (denials(pair.denials), permissions(pair.permissions))
        )
        for one in denied:
            for where in self._wheres(one.match, arrival, GATEWAY):
                yield from self._denied("in", arrival.link, where, one)
        for one in passed:
            for where in self._wheres(one.match, arrival, GATEWAY):
                yield self.verdicts.passed("in", where, one, bound=arrival.bound)

    def wrapped(self) -> Iterator[str]:
        """What encloses decrypted packets; inside it they are seen once more."""
        if uses_tunnels(self.plan):
            where = Where(ENC, way=_IP_IN_IP, source=self._unprotected(), destination="(self)")
            yield rule("pass in quick", where, "no state", label(_WRAPPED))

    def _unprotected(self) -> str:
        """The ends of tunnels, which are in no network that one protects."""
        network = protected(self.plan)
        return f"! {self.tables.name('protected', prefixes(network))}" if network else "any"

    def l2tp(self) -> Iterator[str]:
        """L2TP inside IPsec, where nothing else that was decrypted belongs to the link."""
        for link in self.plan.inside_ipsec:
            pair = self.pairs[link.name, "gateway"]
            if link is decrypting(self.plan):
                continue  # it is among what arrives by it
            arrival = Arrival(link, ENC, sources_of(link, self.plan), bound=True)
            for one in denials(pair.denials):
                for where in self._wheres(_l2tp(one.match), arrival, GATEWAY):
                    yield from self._denied("in", link, where, one)
            for one in permissions(pair.permissions):
                if one.match.l4.overlaps(_L2TP):
                    for where in self._wheres(_l2tp(one.match), arrival, GATEWAY):
                        yield self.verdicts.passed("in", where, one, bound=True)

    def _wheres(self, match: Match, arrival: Arrival, tagged: str = "") -> Iterator[Where]:
        """How packets of a match are told where they arrive."""
        sources = _within(match.source, arrival.sources)
        for family, part in Match(sources, match.destination, match.l4).families():
            source = self.tables.host(arrival.link.name, part.source, family)
            goal = self.tables.host("to", part.destination, family)
            if source is None or goal is None:
                continue
            for way in ways(part.l4, family):
                yield Where(arrival.on, family, way, source, goal, tagged=tagged)

    def _denied(
        self, direction: Literal["in", "out"], source: Link | None, where: Where, one: Rule
    ) -> Iterator[str]:
        log = one.log is not None
        yield from self.verdicts.refused(direction, source, where, one.origin.text, log=log)

    # -- what crosses

    def replies(self) -> Iterator[str]:
        """What belongs to a connection that was let out; what encloses it is the gateway's own."""
        where = Where(self.everywhere, source="! (self)", tagged=REPLY)
        yield rule("pass out quick", where, "no state")

    def crossing(self, pair: Pair) -> Iterator[str]:
        """What may cross from one link to another."""
        source, destination = pair.source, pair.destination
        assert source is not None
        assert destination is not None
        bound = destination.over is not None
        yield from self._errors(pair, source, destination)
        for one in denials(pair.denials):
            for where in self._departures(one.match, source, destination):
                yield from self._denied("out", source, where, one)
        for one in permissions(pair.permissions):
            if not one.translated:
                for where in self._departures(one.match, source, destination):
                    yield self.verdicts.passed("out", where, one, bound=bound, tag=REPLY)
        if any(one.translated for one in pair.permissions):
            for where in self._leaving(Match(), destination, forward_tag(source)):
                about = label(f"forwarded from {source.name}")
                yield rule("pass out quick", where, keep(bound=bound), about, f"tag {REPLY}")

    def _errors(self, pair: Pair, source: Link, destination: Link) -> Iterator[str]:
        """ICMP errors about nothing, on a path that is translated: they have no state that could
        translate them, and would leave with a private source.
        """
        allowed = any(one.match.l4.overlaps(_ICMP_ERRORS) for one in pair.permissions)
        if allowed and self.translation.translates(source, destination, 4):
            about = label("an ICMP error about no connection")
            match = Match(l4=_ICMP_ERRORS)
            for where in self._departures(match, source, destination):
                yield rule("block out quick", where, about)

    def _departures(self, match: Match, source: Link, destination: Link) -> Iterator[Where]:
        """How packets of a match are told where they leave: by their tag, and by their source as
        far as it is still their own.
        """
        for where, part in self._leaving_parts(match, destination, source.name):
            tag = crossing_tag(source)
            families = (where.family or where.way.family,)
            for family in (4, 6) if families == (0,) else families:
                for piece in self.translation.parts(source, destination, family, part.source):
                    way = where.way.within(family)
                    if piece.sources <= part.source and way is not None:
                        yield where.but(family=family, way=way, source="any", tagged=piece.tag)
            if not self.translation.covers(source, destination, where.family, part):
                yield where.but(tagged=tag)
                if self.translation.has_errors(source):
                    yield where.but(tagged=errors_tag(source))

    def _leaving(self, match: Match, destination: Link, tagged: str) -> Iterator[Where]:
        for where, _ in self._leaving_parts(match, destination, "from"):
            yield where.but(tagged=tagged)

    def _leaving_parts(
        self, match: Match, destination: Link, word: str
    ) -> Iterator[tuple[Where, Match]]:
        network = destination.network if destination.over is not None else axes.ANY_ADDRESS
        goals = _within(match.destination, network)
        for family, part in Match(match.source, goals, match.l4).families():
            source = self.tables.host(word, part.source, family)
            goal = self.tables.host(destination.name, part.destination, family)
            if source is None or goal is None:
                continue
            for way in ways(part.l4, family):
                yield Where(on(destination), family, way, source, goal), part

    def leftover(self) -> Iterator[str]:
        """What was to cross, and no pair of links has let."""
        for link in self.plan.links:
            for tag in self.translation.tags(link):
                text = f"nothing allows it from {link.name}"
                where = Where(self.everywhere, tagged=tag)
                yield from self.verdicts.refused("out", link, where, text)

    # -- what the gateway sends

    def own(self) -> Iterator[str]:
        """The gateway's own packets: no tag of a link is on them."""
        sent = Where(self.everywhere, source="(self)" if self.shared else "any")
        if self.shared and not self.plan.filter_output:
            return  # the policy says nothing about it
        yield from self.always.leaving(sent)
        if uses_tunnels(self.plan):
            where = Where(ENC, way=_IP_IN_IP, source="(self)", destination=self._unprotected())
            yield rule("pass out quick", where, "no state", label(_WRAPPED))
        if self.plan.filter_output:
            for pair in self.plan.pairs:
                if pair.source is None and pair.destination is not None:
                    yield from self._own(pair, pair.destination)
        if not self.plan.default_output:
            yield from self.verdicts.refused("out", None, sent, "nothing allows the gateway")
            return
        text = label("what the gateway itself sends")
        if uses_enc(self.plan):
            yield rule("pass out quick", sent.but(on=ENC), keep(bound=True), "allow-opts", text)
        yield rule("pass out quick", sent, keep(bound=False), "allow-opts", text)

    def _own(self, pair: Pair, destination: Link) -> Iterator[str]:
        """What passes anyway has no limit: pf drops what is above one, and asks no later rule."""
        bound = destination.over is not None
        for one in denials(pair.denials):
            for where in self._sent(one.match, destination):
                yield from self._denied("out", None, where, one)
        for one in permissions(pair.permissions):
            if self.plan.default_output:
                one = replace(one, limit=None)
            for where in self._sent(one.match, destination):
                yield self.verdicts.passed("out", where, one, bound=bound)

    def _sent(self, match: Match, destination: Link) -> Iterator[Where]:
        for where in self._leaving(match, destination, ""):
            yield where.but(source="(self)") if self.shared and where.source == "any" else where


def _families(addresses: Intervals) -> Iterator[tuple[int, Intervals]]:
    for family in (4, 6):
        part = addresses & axes.family_axis(family) - axes.UNKNOWN
        if part:
            yield family, part


def _within(asked: Intervals, there: Intervals) -> Intervals:
    """What is asked for of what there is; "any" stays "any"."""
    if there == axes.ANY_ADDRESS:
        return asked
    return there if asked == axes.ANY_ADDRESS else asked & there


def _to(match: Match, hosts: Intervals) -> Match:
    return Match(match.source, _within(match.destination, hosts), match.l4)


def _l2tp(match: Match) -> Match:
    return Match(match.source, match.destination, match.l4 & _L2TP)
