"""Which lines of a ruleset decide about some packets: read back from its text, as for a proof.

A line is found by walking the ruleset, never by what an emitter says of it: the rule that a packet
meets first, in each hook that says something about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import DESTINATION, DROP, EVERYTHING, L4, SOURCE, Arrival
from tunnelgate.flows.firstmatch import Row, cases
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import Ruleset, State, sets
from tunnelgate.meaning.decide import ICMPV6_ERRORS
from tunnelgate.meaning.explain import Case
from tunnelgate.policy import Policy
from tunnelgate.proof.linux import Linux, Way
from tunnelgate.proof.world import World
from tunnelgate.records import record


@record
class Emitted:
    """A rule of a ruleset.

    Attributes:
        file: the name of its file.
        line: where it stands there, from 1.
        chain: the chain that it is in.
        text: what it says, without the blanks around it.
    """

    file: str
    line: int
    chain: str
    text: str


def is_shown(files: Mapping[str, str], rulesets: Mapping[int, object]) -> bool:
    """Whether lines can be told of what was read back: a ruleset of netfilter that has them."""
    return bool(rulesets) and all(
        isinstance(one, Ruleset) and one.file in files for one in rulesets.values()
    )


class Lines:
    """The rules of one target's files.

    Args:
        policy: what the files were made from.
        files: their texts by name.
        rulesets: what is loaded for each family, as `Readable.read` gives it.
    """

    def __init__(
        self, policy: Policy, files: Mapping[str, str], rulesets: Mapping[int, Ruleset]
    ) -> None:
        self.world = World(policy)
        self.texts = {name: text.splitlines() for name, text in files.items()}
        self.rulesets = rulesets
        self._of = cache(lambda family: Linux(rulesets[family], self.world, family))
        self._new = cache(lambda family, way, choice: self._of(family).new(way, choice))
        self._destinations = cache(lambda family, way: [self._of(family).destinations(way)])
        self._chains = cache(lambda family: _chains(rulesets[family]))

    def of(self, case: Case) -> list[Emitted]:
        """The rules that the packets of a case meet first, in the order of the file.

        No rule where nothing but the policy of a chain, or the lack of a way, decides.

        Raises:
            Unmodelled: the ruleset does what the model has no word for.
            BudgetExceeded: it is too large to be asked.
        """
        ruleset = self.rulesets[case.family]
        chains = self._chains(case.family)
        found = sorted(set(self._numbers(case)) & set(chains))
        text = self.texts[ruleset.file]
        return [
            Emitted(ruleset.file, number, chains[number], text[number - 1].strip())
            for number in found
        ]

    def _numbers(self, case: Case) -> Iterator[int]:
        for way in self._ways(case.arrival):
            if way.zone.is_gateway and case.egress.is_gateway:
                yield from self._to_itself(way, case)
                continue
            for choice, box in product(range(self.world.choices), case.boxes):
                yield from self._beginning(case.family, way, choice, box)
                yield from self._errors(way, choice, case, box)

    def _ways(self, arrival: Arrival) -> Iterator[Way]:
        zone = self.world.zones[arrival.zone]
        if zone.is_gateway:
            yield Way(zone, None, decrypted=False)
        for name in self.world.interfaces(zone):
            yield Way(zone, name, decrypted=arrival.decrypted or zone.over is not None)

    def _beginning(self, family: int, way: Way, choice: int, box: Box) -> Iterator[int]:
        """What begins a connection; an ICMPv6 error never does (nf_conntrack_icmpv6)."""
        domain = _with_l4(box, box[L4] - ICMPV6_ERRORS)
        if all(domain):
            yield from _causes(self._destinations(family, way), domain)
            yield from _causes(self._new(family, way, choice), domain)

    def _errors(self, way: Way, choice: int, case: Case, box: Box) -> Iterator[int]:
        """ICMPv6 errors about no connection: to connection tracking they are invalid."""
        domain = _with_l4(box, box[L4] & ICMPV6_ERRORS)
        if all(domain):
            linux, egress = self._of(case.family), case.egress
            is_protected = egress.over is not None
            facts = replace(linux.facts(way), state=State.INVALID, protected=is_protected)
            departure = self.world.departure(egress, choice)
            within = sets(l4=domain[L4], destination=domain[DESTINATION], source=domain[SOURCE])
            yield from _causes([linux.verdict(way, egress, departure, facts, within)], domain)

    def _to_itself(self, way: Way, case: Case) -> Iterator[int]:
        """Both ends of the loopback interface."""
        linux = self._of(case.family)
        for arrival, departure in ((None, "lo"), ("lo", None)):
            there = Way(way.zone, arrival, decrypted=False)
            facts = linux.facts(there)
            rows = linux.verdict(there, case.egress, departure, facts, EVERYTHING)
            for box in case.boxes:
                yield from _causes([rows], box)


def _chains(ruleset: Ruleset) -> dict[int, str]:
    """The chain of each line."""
    return {rule.line: name for name, one in ruleset.chains.items() for rule in one.rules}


def _with_l4(box: Box, l4: Intervals) -> Box:
    return (*box[:L4], l4, *box[L4 + 1 :])


def _causes(stages: Sequence[list[Row]], domain: Box) -> Iterator[int]:
    """The lines of the rows that decide somewhere in a domain."""
    for _, rows in cases(stages, domain, final=[DROP]):
        for row in rows:
            if isinstance(row.cause, int):
                yield row.cause
