"""Statements as rules of one chain, as far as one lens shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import Channel, Kind, Match, Origin, Pair, Row, Rule, Table, tiers
from tunnelgate.records import replace
from tunnelgate_targets.iptables.branching import Branches, Leaf
from tunnelgate_targets.iptables.grouping import FEW, Group, interval_of
from tunnelgate_targets.iptables.lens import Lens
from tunnelgate_targets.iptables.lines import Act, Chains
from tunnelgate_targets.iptables.links import DECRYPTED
from tunnelgate_targets.iptables.names import chain
from tunnelgate_targets.iptables.quote import MAX_COMMENT
from tunnelgate_targets.iptables.rows import as_sets
from tunnelgate_targets.iptables.sets import Sets
from tunnelgate_targets.iptables.words import Way, join, known

_TRANSLATED = "-m conntrack --ctstate DNAT"
_AND_OTHERS = "; and others"


class Statements:
    """Writes the statements of one pair."""

    def __init__(self, pair: Pair, lens: Lens, chains: Chains, sets: Sets) -> None:
        self.lens = lens
        self.chains = chains
        self.sets = sets
        self.name = pair.name
        self.label = "-".join(pair.name)

    def chain(self, role: str = "") -> str:
        """The chain of this pair that plays a role, in the lane of this lens."""
        return chain(self.name, self.lens.role(role))

    def group(self, at: str, some: Group, verdict: str) -> None:
        """Statements that were divided (grouping.py)."""
        for rule in some.single:
            self.single(at, rule, verdict)
        for merged in some.merged:
            state = _TRANSLATED if merged.translated else ""
            act = Act(verdict, remark(merged.origins))
            self._rules(at, state, self.lens.ways(merged.l4), act)
        for table in some.tables:
            self._table(at, table, None, verdict)
        for l4, tables in some.wide:
            for table in tables:
                self._table(at, table, l4, verdict)

    def single(
        self, at: str, rule: Rule, verdict: str, also: str = "", *, counts: bool = False
    ) -> None:
        """A statement as rules of its own; `also` and `counts` are those of `Act`."""
        state = join(_TRANSLATED if rule.translated else "", DECRYPTED if rule.decrypted else "")
        act = Act(verdict, rule.origin.text, also, counts)
        for family, part in rule.match.families():
            if family in (0, self.lens.family):
                self._match(at, part, state, self.lens.ways(rule.match.l4), act)

    def ranked(
        self, at: str, role: str, rules: Sequence[Rule], write: Callable[[str, Rule], None]
    ) -> None:
        """Statements in order, each by what writes it into a chain: many as trees of chains.

        Of each tier a packet meets one; one that does not decide goes on to the next tier.
        """
        if len(rules) <= FEW:
            for rule in rules:
                write(at, rule)
            return
        for number, tier in enumerate(tiers(rules, lambda rule: rule.origin.text), start=1):
            branch = self.lens.role(role if number == 1 else f"{role}{number}")
            leaves = [leaf for rule in tier for leaf in self._leaves(rule, write)]
            Branches(self.chains, self.lens.family, self.name, branch).plant(at, leaves)

    def _leaves(self, rule: Rule, write: Callable[[str, Rule], None]) -> Iterator[Leaf]:
        every = known(self.lens.family)
        source, destination = rule.match.source & every, rule.match.destination & every
        if not (source and destination):
            return
        for l4 in _told_apart(rule.match.l4):
            if self.lens.ways(l4):
                part = replace(rule, match=replace(rule.match, l4=l4))
                # what AH protects tells no packets of it apart
                channels = l4 if self.lens.others else axes.ANY_L4
                hulls = source.hull(), destination.hull(), channels.hull()
                yield Leaf(*hulls, partial(_write, write, part))

    def _match(self, at: str, match: Match, state: str, ways: Iterable[Way], act: Act) -> None:
        """Rules for the addresses of one match."""
        source = self.sets.match("s", match.source, self.lens.family, self.label)
        destination = self.sets.match("d", match.destination, self.lens.family, self.label)
        if source is not None and destination is not None:
            self._rules(at, join(source, destination, state), ways, act)

    def _rules(self, at: str, match: str, ways: Iterable[Way], act: Act) -> None:
        for way in ways:
            self.chains.add_way(at, match, way, act, self.chain(act.spare(way)))

    # -- tables

    def _table(self, at: str, table: Table, l4: Intervals | None, verdict: str) -> None:
        """Rows as sets. `l4` is what the rules match beside them; None where the rows say it."""
        shape = table.shape
        if shape.family not in (0, self.lens.family):
            return
        state = _TRANSLATED if shape.translated else ""
        rows = [row for row in table.rows if self._ways(row, l4)]
        if not (shape.source or shape.destination):
            self._few(at, rows, l4, state, verdict)
            return
        has_ports = l4 is None and self.lens.others
        for match, some in as_sets(self.sets, self.label, rows, has_ports, self.lens):
            if match is None:
                self._few(at, some, l4, state, verdict)
            else:
                ways = (Way(""),) if has_ports else self._ways(some[0], l4)
                act = Act(verdict, remark(row.origin for row in some))
                self._rules(at, join(match, state), ways, act)

    def _few(
        self, at: str, rows: Iterable[Row], l4: Intervals | None, state: str, verdict: str
    ) -> None:
        """Rows as rules."""
        for row in rows:
            source, destination, _ = row.element
            match = Match(
                axes.ANY_ADDRESS if source is None else Intervals.span(*source),
                axes.ANY_ADDRESS if destination is None else Intervals.span(*destination),
            )
            self._match(at, match, state, self._ways(row, l4), Act(verdict, row.origin.text))

    def _ways(self, row: Row, l4: Intervals | None) -> tuple[Way, ...]:
        """How to match the channels of a row; none where the lens shows nothing of them."""
        return self.lens.ways(_channels(row.element.channel) if l4 is None else l4)


def _write(write: Callable[[str, Rule], None], rule: Rule, at: str) -> None:
    write(at, rule)


@lru_cache(maxsize=4096)
def _told_apart(l4: Intervals) -> tuple[Intervals, ...]:
    """Ports of TCP and of UDP each by itself, where there is nothing else: rules are about one."""
    parts = [l4 & Intervals.of([axes.l4(number)]) for number in (axes.TCP, axes.UDP)]
    is_all = Intervals.union_of(parts) == l4
    return tuple(part for part in parts if part) if is_all else (l4,)


@lru_cache(maxsize=4096)
def _channels(channel: Channel) -> Intervals:
    return axes.ANY_L4 if channel.kind is Kind.ANY else Intervals.of([interval_of(channel)])


def remark(origins: Iterable[Origin]) -> str:
    """The statements that share a rule, as many as a comment holds."""
    texts: list[str] = []
    room = MAX_COMMENT - len(_AND_OTHERS)
    for text in _distinct(origins):
        room -= len(text) + len("; ")
        if texts and room < 0:
            return "; ".join(texts) + _AND_OTHERS
        texts.append(text)
    return "; ".join(texts)


def _distinct(origins: Iterable[Origin]) -> Iterator[str]:
    seen: set[str] = set()
    for origin in origins:
        if origin.text not in seen:
            seen.add(origin.text)
            yield origin.text
