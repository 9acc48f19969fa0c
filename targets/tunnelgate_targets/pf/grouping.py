"""Statements that differ in a host alone, as one rule with a table.

pf asks its rules one after the other, and a table in the same time whatever its size. Statements
about the same channels and the same other end become one rule; a list of pairs of hosts stays a
rule for each pair, since no table of pf holds pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import replace

from tunnelgate.flows import Intervals
from tunnelgate.plan import Match, Origin, Plan, Rule

#: Fewer statements than these stay apart, each with its own label.
_MANY = 4


def grouped(plan: Plan) -> Plan:
    """The plan with as few rules as there are kinds of statements."""
    pairs = tuple(
        replace(
            pair,
            denials=_merged(pair.denials, "deny"),
            permissions=_merged(pair.permissions, "allow"),
        )
        for pair in plan.pairs
    )
    return replace(plan, pairs=pairs)


def _merged(rules: tuple[Rule, ...], word: str) -> tuple[Rule, ...]:
    """Rules with the same destination are one, then those with the same source."""
    rules = _joined(rules, word, lambda match: match.destination, _of_sources)
    return _joined(rules, word, lambda match: match.source, _of_destinations)


def _joined(
    rules: tuple[Rule, ...],
    word: str,
    key: Callable[[Match], Hashable],
    join: Callable[[list[Match]], Match],
) -> tuple[Rule, ...]:
    groups: dict[Hashable, list[Rule]] = defaultdict(list)
    for rule in rules:
        apart = rule if rule.log is not None or rule.limit is not None else None
        groups[key(rule.match), rule.match.l4, rule.translated, rule.decrypted, apart].append(rule)
    found: list[Rule] = []
    for some in groups.values():
        if len(some) < _MANY:
            found += some
            continue
        match = join([rule.match for rule in some])
        texts = dict.fromkeys(rule.origin.text for rule in some)
        text = next(iter(texts)) if len(texts) == 1 else f"{word}: {len(texts)} statements"
        about = Origin(text, some[0].origin.span)
        found.append(replace(some[0], match=match, origin=about))
    return tuple(found)


def _of_sources(matches: list[Match]) -> Match:
    sources = Intervals.union_of(match.source for match in matches)
    return replace(matches[0], source=sources)


def _of_destinations(matches: list[Match]) -> Match:
    destinations = Intervals.union_of(match.destination for match in matches)
    return replace(matches[0], destination=destinations)
