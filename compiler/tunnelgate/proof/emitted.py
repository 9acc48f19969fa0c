"""Which lines of a ruleset decide about some packets: read back from its text, as for a proof.

A line is found by walking the ruleset, never by what an emitter says of it. Of Netfilter it is the
rule that a packet meets first, in each hook that says something about it; of pf each rule that acts
on it, on the interfaces that it crosses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias, cast

from tunnelgate.flows.boxes import Box
from tunnelgate.flows.crossings import Act, Crossing, Piece, Screens
from tunnelgate.flows.fields import AXES, DROP, EVERYTHING, L4, Arrival
from tunnelgate.flows.firstmatch import Row, Stage, meetings, within
from tunnelgate.flows.intervals import Intervals
from tunnelgate.flows.netfilter import Ruleset, State
from tunnelgate.flows.sets import sets
from tunnelgate.meaning.explain import Case
from tunnelgate.policy import Policy, Zone
from tunnelgate.policy.model import BEGINS_NOTHING, ICMPV6_ERRORS
from tunnelgate.proof.linux import Linux
from tunnelgate.proof.pf import ENC, LOOPBACK, Lists, wires
from tunnelgate.proof.world import Way, World
from tunnelgate.records import record

_INVALID = BEGINS_NOTHING | ICMPV6_ERRORS


@record
class Emitted:
    """A rule of a ruleset.

    Attributes:
        file: the name of its file.
        line: where it stands there, from 1.
        chain: the chain that it is in; "" in a ruleset without chains, as one of pf.
        text: what it says, without the blanks around it.
        stage: which comes first of the rules of a file, before their lines do.
    """

    file: str
    line: int
    chain: str
    text: str
    stage: int = 0

    @property
    def place(self) -> tuple[str, int, int]:
        """What the rules of some packets are in the order of."""
        return self.file, self.stage, self.line


def is_shown(files: Mapping[str, str], rulesets: Mapping[int, object]) -> bool:
    """Whether lines can be told of what was read back: it says of which file they are."""
    return bool(rulesets) and all(
        isinstance(one, Ruleset | Screens) and one.file in files for one in rulesets.values()
    )


class Lines:
    """The rules of one target's files.

    Args:
        policy: what the files were made from.
        files: their texts by name.
        rulesets: what is loaded for each family, as `Readable.read` gives it.
    """

    def __init__(
        self, policy: Policy, files: Mapping[str, str], rulesets: Mapping[int, Ruleset | Screens]
    ) -> None:
        self.world = World(policy)
        self.texts = {name: text.splitlines() for name, text in files.items()}
        self.rulesets = rulesets
        hooked = {family: one for family, one in rulesets.items() if isinstance(one, Ruleset)}
        screens = {family: one for family, one in rulesets.items() if isinstance(one, Screens)}
        self._of = cache(lambda family: Linux(hooked[family], self.world, family))
        self._chains = cache(lambda family: _chains(hooked[family]) if hooked else {})
        self._crossed = cache(lambda family: Lists(screens[family], self.world, family))

    def of(self, cases: Sequence[Case]) -> list[list[Emitted]]:
        """The rules that the packets of each case meet: first, in the order of the file.

        Of pf those that act on them, in the order in which they are asked.

        No rule where nothing but the policy of a chain, or the lack of a way, decides.

        Raises:
            Unmodelled: the ruleset does what the model has no word for.
            BudgetExceeded: it is too large to be asked.
        """
        met: list[set[Act]] = [set() for _ in cases]
        alike: dict[tuple[int, Arrival, Zone], list[_Asked]] = {}
        for number, case in enumerate(cases):
            asked = alike.setdefault((case.family, case.arrival, case.home), [])
            asked += [_Asked(number, case.egress, box) for box in case.boxes]
        for (family, arrival, _), asked in alike.items():
            for number, acts in self._acts(family, arrival, asked):
                met[number].update(acts)
        return [list(self._told(case.family, acts)) for case, acts in zip(cases, met, strict=True)]

    def _told(self, family: int, acts: set[Act]) -> Iterator[Emitted]:
        file, chains = self.rulesets[family].file, self._chains(family)
        for stage, line in sorted(acts):
            if not chains or line in chains:
                text = self.texts[file][line - 1].strip()
                yield Emitted(file, line, chains.get(line, ""), text, stage)

    def _acts(self, family: int, arrival: Arrival, asked: Sequence[_Asked]) -> Iterator[_Met]:
        """The number of each case with rules that it meets."""
        if isinstance(self.rulesets[family], Screens):
            yield from self._on_interfaces(family, arrival, asked)
            return
        for way in self._ways(arrival):
            if way.zone.is_gateway:
                yield from self._to_itself(family, way, [one for one in asked if one.is_loopback])
            others = [one for one in asked if not (way.zone.is_gateway and one.is_loopback)]
            beginning = [one.only(_beginning(one.box[L4])) for one in others]
            yield from _met([self._of(family).host_zones(way, quoted=False)], beginning)
            yield from _met([self._of(family).destinations(way)], beginning)
            for choice in range(self.world.choices):
                yield from _met(self._of(family).new(way, choice), beginning)
                for egress in dict.fromkeys(one.egress for one in others):
                    there = [one for one in others if one.egress is egress]
                    sent = [one.only(_invalid(one.box[L4])) for one in there]
                    if any(map(_Asked.exists, sent)):
                        yield from _met([self._invalid(family, way, choice, egress)], sent)

    def _on_interfaces(
        self, family: int, arrival: Arrival, asked: Sequence[_Asked]
    ) -> Iterator[_Met]:
        """The same of rules that are asked on each interface."""
        zone, lists = self.world.zones[arrival.zone], self._crossed(family)
        decrypted = arrival.decrypted or zone.over is not None
        others = [one for one in asked if not (zone.is_gateway and one.is_loopback)]
        for inward in (False, True) if len(others) < len(asked) else ():
            crossing = Crossing(inward, LOOPBACK, LOOPBACK if inward else None)
            itself = [one for one in asked if one not in others]
            yield from _met(
                [_acting(piece for piece, _ in lists.gate.crossed(Piece(), crossing))], itself
            )
        for wire in (None,) if zone.is_gateway else (ENC,) if decrypted else wires(zone):
            way = Way(zone, wire, decrypted=decrypted)
            for choice in range(self.world.choices):
                yield from _met([_acting(one.piece for one in lists.passages(way, choice))], others)

    def _ways(self, arrival: Arrival) -> Iterator[Way]:
        zone = self.world.zones[arrival.zone]
        if zone.is_gateway:
            yield Way(zone, None, decrypted=False)
        for name in self.world.interfaces(zone):
            yield Way(zone, name, decrypted=arrival.decrypted or zone.over is not None)

    def _invalid(self, family: int, way: Way, choice: int, egress: Zone) -> list[Row]:
        """ICMP that begins nothing: to connection tracking it is invalid."""
        linux, is_protected = self._of(family), egress.over is not None
        facts = replace(linux.facts(way), state=State.INVALID, protected=is_protected)
        departure = self.world.departure(egress, choice)
        return linux.verdict(way, egress, departure, facts, sets(l4=_INVALID))

    def _to_itself(self, family: int, way: Way, asked: Sequence[_Asked]) -> Iterator[_Met]:
        """Both ends of the loopback interface."""
        linux = self._of(family)
        for arrival, departure in ((None, "lo"), ("lo", None)) if asked else ():
            there = Way(way.zone, arrival, decrypted=False)
            facts = linux.facts(there)
            yield from _met([linux.verdict(there, way.zone, departure, facts, EVERYTHING)], asked)


_Met: TypeAlias = tuple[int, Iterable[Act]]
"""The number of a case, and rules that some of its packets meet."""


class _Asked(NamedTuple):
    """Packets of a case, which is known by its number, and the zone that they are sent to."""

    case: int
    egress: Zone
    box: Box

    @property
    def is_loopback(self) -> bool:
        return self.egress.is_gateway

    def exists(self) -> bool:
        """Whether there are any."""
        return all(self.box)

    def only(self, l4: Intervals) -> _Asked:
        """Those of some of its channels."""
        return self._replace(box=(*self.box[:L4], l4, *self.box[L4 + 1 :]))


@lru_cache(maxsize=64)  # thousands of boxes are of the same few channels
def _beginning(l4: Intervals) -> Intervals:
    return l4 - _INVALID


@lru_cache(maxsize=64)
def _invalid(l4: Intervals) -> Intervals:
    return l4 & _INVALID


def _chains(ruleset: Ruleset) -> dict[int, str]:
    """The chain of each line; what no line says, as a jump of a script, has the number 0."""
    return {
        rule.line: name
        for name, one in ruleset.chains.items()
        for rule in one.rules
        if rule.line > 0
    }


def _acting(pieces: Iterable[Piece]) -> Stage:
    """A list of pieces whose rows tell what acts on them."""
    return [*(Row(one.sets, None, one.acts) for one in pieces), Row(EVERYTHING, None)]


def _met(stages: Sequence[Stage], asked: Iterable[_Asked]) -> Iterator[_Met]:
    """The number of each case with what the rows tell that decide somewhere in it.

    All cases are cut out at once, since they are a first-match list as well.
    """
    stages = list(stages)
    while stages and not any(map(_tells, stages[-1])):
        del stages[-1]
    found = [one for one in asked if one.exists()] if stages else []
    if not found:
        return
    domain = tuple(Intervals.union_of(one.box[axis] for one in found) for axis in range(AXES))
    cutting = [*(Row(one.box, one.case) for one in found), Row(EVERYTHING, DROP)]
    narrow = [within(stage, domain) for stage in stages]
    for mine, *rows in meetings([cutting, *narrow], domain, final=[DROP]):
        for row in rows:
            if _tells(row):
                yield cast("int", mine.label), _told(row)


def _tells(row: Row) -> bool:
    """Whether a row tells a line."""
    return isinstance(row.cause, tuple) or (isinstance(row.cause, int) and row.cause > 0)


def _told(row: Row) -> tuple[Act, ...]:
    """What a row tells: of a list of Netfilter the line of its rule."""
    return row.cause if isinstance(row.cause, tuple) else (Act(0, cast("int", row.cause)),)
