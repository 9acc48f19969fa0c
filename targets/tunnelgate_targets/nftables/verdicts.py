"""The chains that decide: one for each pair of links, and what stands behind its verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import NamedTuple

from tunnelgate.flows import Intervals, axes
from tunnelgate.plan import (
    Guard,
    Holder,
    Link,
    Origin,
    Pair,
    Plan,
    Rule,
    Table,
    tabulate,
)
from tunnelgate.records import replace
from tunnelgate_targets.nftables.quote import MAX_PREFIX, comment, quote
from tunnelgate_targets.nftables.ranked import Ending, by_channels, calls, goto, lookups, ranked
from tunnelgate_targets.nftables.sets import Entry, NamedSet, key, named_sets
from tunnelgate_targets.nftables.words import FAMILY_WORD, channel_matches, digest, join, matches

#: A log must not become the way to fill a disk.
LOG_LIMIT = "limit rate 10/second burst 20 packets"
REJECT = (
    "meta l4proto tcp reject with tcp reset",
    "reject with icmpx type admin-prohibited",
)
#: A line that begins with a verdict has no match: nothing comes behind it.
_UNCONDITIONAL = ("accept ", "drop ", "goto ")


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that others jump to."""

    name: str
    lines: tuple[str, ...]


class Dynamic(NamedTuple):
    """A set or map that the kernel fills: what it is keyed by, and how long an entry lives ("" for
    as long as its connections do).
    """

    typeof: str
    timeout: str
    kind: str = "set"


@dataclass
class Parts:
    """What the chains of verdicts need beside themselves."""

    chains: dict[Chain, None] = field(default_factory=dict)
    sets: list[NamedSet] = field(default_factory=list)
    dynamic: dict[str, Dynamic] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    counters: list[str] = field(default_factory=list)
    _named: dict[str, str] = field(default_factory=dict)

    def name(self, prefix: str, statement: str) -> str:
        """A name for what is a statement's own; longer where another has the same digest."""
        short = f"{prefix}.{digest(statement)}"
        if self._named.setdefault(short, statement) == statement:
            return short
        return f"{prefix}.{sha256(statement.encode()).hexdigest()}"

    def chain(self, name: str, *lines: str) -> str:
        """One more chain; what is the same stands once. Its name."""
        self.chains[Chain(name, lines)] = None
        return name


def refused(plan: Plan, link: Link | None) -> str:
    """The verdict for what nothing allows, by the link it came from."""
    if plan.reject and link is not None and link.inside:
        return "goto rejected"
    return "goto refused" if plan.log_denied else "drop"


def final_chains(plan: Plan) -> Iterator[Chain]:
    """The ends of everything that does not pass."""
    log = (
        [f'limit rate {plan.log_denied}/minute burst 5 packets log prefix "tunnelgate denied: "']
        if plan.log_denied
        else []
    )
    if plan.log_denied:
        yield Chain("refused", (*log, "drop"))
    if plan.reject and any(link.inside for link in plan.links):
        yield Chain("rejected", (*log, *REJECT))


class PairWriter:
    """Writes the chain of one pair of links."""

    def __init__(self, plan: Plan, pair: Pair, parts: Parts) -> None:
        self.plan = plan
        self.pair = pair
        self.parts = parts
        self.ends = ".".join(pair.name)

    def write(self) -> None:
        """Add the pair's chain, and those it needs."""
        lines = [*self._denials(), *self._permissions()]
        if not any(line.startswith(_UNCONDITIONAL) for line in lines):
            lines.append(self._default())
        self.parts.chain(f"pair.{self.ends}", *lines)

    def _default(self) -> str:
        if self.pair.source is None and self.plan.default_output:
            return "accept"
        return refused(self.plan, self.pair.source)

    # -- denials

    def _denials(self) -> list[str]:
        denials = self.pair.denials
        if not denials:
            return []
        verdict = refused(self.plan, self.pair.source)
        if any(rule.log is not None or rule.counter for rule in denials):
            # its own log says it already: no second message by `log-denied`
            inside = self.pair.source is not None and self.pair.source.inside
            ending = REJECT if self.plan.reject and inside else ("drop",)
            verdict = f"goto {self._accounting('deny', denials, ending, [])}"
        tables, alone = tabulate([_plain(rule) for rule in denials])
        return [*self._tables("deny", tables, verdict), *_lines(alone, verdict)]

    # -- permissions

    def _permissions(self) -> list[str]:
        permissions = self.pair.permissions
        verdict = "accept"
        before = [*self._holders(), *self._guard()]
        if before or any(rule.log is not None or rule.counter for rule in permissions):
            verdict = f"goto {self._accounting('allow', permissions, ('accept',), before)}"
        free = [_plain(rule) for rule in permissions if rule.limit is None]
        tables, alone = tabulate(free)
        lines = [*self._tables("allow", tables, verdict), *_lines(alone, verdict)]
        limited = [rule for rule in permissions if rule.limit is not None]
        lines += self._called("limit", limited, lambda rule: self._limited(rule, verdict))
        return lines

    def _limited(self, rule: Rule, verdict: str) -> str:
        """What asks a statement with a limit: its chain returns when there is no credit left."""
        assert rule.limit is not None
        # the credit is the statement's, whatever pairs of links and channels it is about, and one
        # for each family: iptables, which has a ruleset for each, could share none between them
        name = self.parts.name("limit", rule.origin.text)
        limit = rule.limit
        rate = f"rate {limit.count}/{limit.unit} burst {limit.burst} packets"
        lines = []
        for family, word in _families(rule):
            credit = f"{name}.{word}"
            if rule.limit.per_source:
                self.parts.dynamic[credit] = Dynamic(f"{word} saddr", "10m")
                lines.append(f"update @{credit} {{ {word} saddr limit {rate} }} {verdict}")
            else:
                self.parts.limits[credit] = rate
                lines.append(f'meta nfproto ipv{family} limit name "{credit}" {verdict}')
        return f"jump {self.parts.chain(f'{name}.{self.ends}', *lines)}"

    # -- statements with a chain of their own

    def _called(
        self, word: str, rules: Sequence[Rule], verdict: Callable[[Rule], str]
    ) -> Iterator[str]:
        """What sends packets to the chains of statements, the narrowest first.

        `word` begins the names of maps; `verdict` has the chain of a statement, and says how to get
        there.
        """
        endings = {rule.origin: calls(word, verdict(rule)) for rule in rules}
        return ranked(
            rules,
            lambda rule: endings[rule.origin],
            lambda rule: iter(_lines([rule], endings[rule.origin].value)),
            partial(self._called_by_maps, word.partition(".")[0], endings),
        )

    def _called_by_maps(
        self, word: str, endings: Mapping[Origin, Ending], tier: Sequence[Rule], suffix: str
    ) -> Iterator[str]:
        alike: dict[tuple[int, str], list[Rule]] = defaultdict(list)
        for rule in tier:
            for family, part in rule.match.families():
                alike[family, _status(rule)].append(replace(rule, match=part))
        for (family, status), some in alike.items():
            ends = f"{self.ends}{suffix}" + (f".{digest(status)}" if status else "")
            found, alone = lookups(ends, family, some, lambda rule: endings[rule.origin])
            for made, line in found:
                self.parts.sets.append(made)
                yield join(status, line, comment(many(word, made.texts, made.kind)))
            for rule in some:
                if rule.origin in alone:
                    yield from _lines([rule], endings[rule.origin].value, family or None)

    # -- tables

    def _tables(self, word: str, tables: tuple[Table, ...], verdict: str) -> Iterator[str]:
        for channel, table in (one for whole in tables for one in by_channels(whole)):
            entries = [Entry(row.element, "", row.origin.text) for row in table.rows]
            status = "ct status dnat" if table.shape.translated else ""
            if table.shape.family and not (table.shape.source or table.shape.destination):
                status = join(f"meta nfproto ipv{table.shape.family}", status)
            if not key(table.shape):
                yield join(status, verdict, comment(many(word, [one.text for one in entries])))
                continue
            name = ".".join((word, self.ends, *([digest(channel)] if channel else ())))
            for made in named_sets(name, table.shape, entries):
                self.parts.sets.append(made)
                about = comment(many(word, made.texts))
                yield join(status, channel, made.key, f"@{made.name}", verdict, about)

    # -- what stands behind a verdict

    def _accounting(
        self, word: str, rules: tuple[Rule, ...], ending: tuple[str, ...], before: list[str]
    ) -> str:
        """A chain that logs once, counts once, both by the narrowest statement, and then ends."""
        name = f"{word}.{self.ends}"
        lines = before
        logged = [rule for rule in rules if rule.log is not None]
        counted = [rule for rule in rules if rule.counter]
        if logged:
            log = self._first(f"log.{word}", logged, lambda rule: self._log(word, rule))
            lines.append(f"jump {log}")
        if counted:
            count = self._first(f"count.{word}", counted, lambda rule: "counter")
            lines.append(f"jump {count}")
        return self.parts.chain(name, *lines, *ending)

    def _first(self, word: str, rules: list[Rule], action: Callable[[Rule], str]) -> str:
        """A chain in which the first rule that matches acts, and no other."""
        name = f"{word}.{self.ends}"

        def verdict(rule: Rule) -> str:
            own = self.parts.name(name, rule.origin.text)
            line = join(action(rule), comment(rule.origin.text))
            return f"goto {self.parts.chain(own, line)}"

        lines = list(self._called(word, rules, verdict))
        return self.parts.chain(name, *lines)

    def _log(self, word: str, rule: Rule) -> str:
        prefix = rule.log or f"tunnelgate {word} {' '.join(self.pair.name)}: "
        return f"{LOG_LIMIT} log prefix {quote(prefix, MAX_PREFIX)}"

    def _guard(self) -> list[str]:
        """The second claimant of a peer, seen instead of vanishing.

        The first translation that covers a packet counts it, as it is the first that translates it.
        """
        if not self.pair.guards:
            return []
        name = self._second_claimant
        prefix = f"tunnelgate second claimant {' '.join(self.pair.name)}: "
        log = f"{LOG_LIMIT} log prefix {quote(prefix, MAX_PREFIX)}"
        self.parts.counters.append(name)
        self.parts.chain(name, log, f'counter name "{name}" drop')
        # who has got through once holds the peer: Linux 6.18 does not find an unanswered connection
        # again among those that it counts, and would take it for the second (measured)
        lines = ["ct status confirmed return"]
        lines += ranked(self.pair.guards, self._claim, self._claim_rules, self._claim_lookups)
        return [f"jump {self.parts.chain(f'claims.{self.ends}', *lines)}"]

    def _claim_rules(self, guard: Guard) -> Iterator[str]:
        for words in matches(guard.match, guard.family):
            yield join(words, f"goto {self._claim(guard)}", comment(guard.origin.text))

    def _claim_lookups(self, tier: Sequence[Guard], suffix: str) -> Iterator[str]:
        alike: dict[tuple[int, Intervals], list[Guard]] = defaultdict(list)
        for guard in tier:
            alike[guard.family, guard.match.l4].append(guard)
        for number, ((family, l4), some) in enumerate(alike.items(), start=1):
            ends = f"{self.ends}{suffix}" + (f".{digest(str(l4.items))}" if number > 1 else "")
            bare = [replace(one, match=replace(one.match, l4=axes.ANY_L4)) for one in some]
            found, alone = lookups(ends, family, bare, self._claimant)
            for made, rule in found:
                self.parts.sets.append(made)
                for words in channel_matches(l4):
                    yield join(words, rule, comment(many("nat", made.texts, made.kind)))
            for guard in some:
                if guard.origin in alone:
                    yield from self._claim_rules(guard)

    def _claimant(self, guard: Guard) -> Ending:
        return goto("claimants", self._claim(guard))

    @property
    def _second_claimant(self) -> str:
        return f"second-claimant.{self.ends}"

    def _claim(self, guard: Guard) -> str:
        """The chain that counts the claims of one shared address."""
        word = FAMILY_WORD[guard.family]
        claims = self._claims(self.pair.name[1], guard)
        count = f"add @{claims} {{ {word} daddr . meta l4proto ct count over 1 }}"
        line = join(count, f"goto {self._second_claimant}", comment("one claimant a peer"))
        return self.parts.chain(f"claim.{self.ends}.{digest(guard.key)}.{word}", line)

    def _holders(self) -> Iterator[str]:
        """What comes in for a shared address is counted as a claim of its peer, and passes."""
        status = "" if self.pair.destination is None else "ct status dnat"
        for holder in self.pair.holders:
            word = FAMILY_WORD[holder.family]
            public = ""
            if holder.public is not None:
                public = f"ct original {word} daddr {axes.to_address(holder.public)}"
            claims = self._claims(self.pair.name[0], holder)
            # no verdict: an element goes on with the count of whoever has added it
            count = f"add @{claims} {{ {word} saddr . meta l4proto ct count over 1 }}"
            for words in matches(holder.match, holder.family):
                yield join(status, public, words, count, comment("a claim of its peer"))

    def _claims(self, egress: str, of: Guard | Holder) -> str:
        """The set of the peers of a shared address, filled by the kernel."""
        word = FAMILY_WORD[of.family]
        name = f"claims.{egress}.{digest(of.key)}.{word}"
        self.parts.dynamic[name] = Dynamic(f"{word} daddr . meta l4proto", "")
        return name


def _families(rule: Rule) -> list[tuple[int, str]]:
    """The families that a rule can meet, and their words."""
    met = {family for family, _ in rule.match.families()}
    return [(family, word) for family, word in FAMILY_WORD.items() if met & {0, family}]


def _plain(rule: Rule) -> Rule:
    """The match of a rule: logs and counters stand behind the verdict, so rows are shared."""
    return Rule(rule.match, rule.origin, translated=rule.translated, decrypted=rule.decrypted)


def _lines(rules: Iterable[Rule], verdict: str, family: int | None = None) -> list[str]:
    return [
        join(_status(rule), words, verdict, comment(rule.origin.text))
        for rule in rules
        for words in matches(rule.match, family)
    ]


def _status(rule: Rule) -> str:
    return join(
        "ct status dnat" if rule.translated else "",
        "meta ipsec exists" if rule.decrypted else "",
    )


def many(word: str, texts: list[str] | tuple[str, ...], kind: str = "set") -> str:
    """One statement by its text, several by their number: the set or map says which."""
    distinct = list(dict.fromkeys(texts))
    return distinct[0] if len(distinct) == 1 else f"{word}: statements as in the {kind}"
