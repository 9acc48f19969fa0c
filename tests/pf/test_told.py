"""The lines of pf that `explain` tells of a packet, held to the model of pf of single packets.

Without the lines that are not told, one of them or all, the packet fares as before. Without one
that is told it does not; or, where that line decides, not if it says the opposite.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from firewall import Packet
from firewall.states import State
from generator import PF, policy_text
from judge import TARGETS, Gateway, Seen, policy_of, without_refused
from test_judge import EXAMPLES, MIXTURE, POLICIES

import tunnelgate
from tunnelgate import meaning, records
from tunnelgate.flows import Intervals, axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import SOURCE_PORT
from tunnelgate.meaning.decide import CLIENT_PORT
from tunnelgate.meaning.explain import Case
from tunnelgate.policy import Policy, Zone
from tunnelgate.proof.emitted import Lines
from tunnelgate.source import SourceFile
from tunnelgate.target import Readable, find
from tunnelgate_targets.pf.read.ruleset import Action, Criteria, Rule, Ruleset, Translation
from tunnelgate_targets.pf.read.ruleset import State as Keeping

#: So many cases of a policy are looked at, and so many lines that are not told of each.
_CASES, _LINES = 25, 4

Fate = tuple[Seen | None, list[State]]
"""Where a packet ends, and the connections that pf then knows: answers come back by them."""


class Told(NamedTuple):
    """A packet of a case, and the numbers of the lines that are told of it, as they are asked."""

    case: Case
    sent: Packet
    wire: str | None
    lines: tuple[int, ...]


class Desk:
    """A policy on a gateway with pf, whose packets and rules are looked at one by one."""

    def __init__(self, policy: Policy, target: str) -> None:
        self.policy, self.gateway = policy, Gateway(policy, target)
        self.ruleset = self.gateway.ruleset
        files = {"pf.conf": self.gateway.text}
        reader = find(target)
        assert isinstance(reader, Readable)
        self._lines = Lines(policy, files, reader.read(files))

    def told(self, choose: Random) -> Iterator[Told]:
        """Some packets of a policy, one of each case."""
        found = [
            records.replace(case, boxes=(_point(choose.choice(case.boxes)),))
            for source in self.policy.zones
            for to in self.policy.zones
            if not (source.is_gateway and to.is_gateway)
            for case in tunnelgate.explain(self.policy, f"any from {source.name} to {to.name}")
        ]
        for case in choose.sample(found, min(len(found), _CASES)):
            (rules,) = self._lines.of([case])
            packet = self._packet(case)
            if self._is_beyond(case, packet):
                continue
            lines = tuple(rule.line for rule in rules)
            yield Told(case, self.gateway.packet(packet), self.gateway.wire_of(packet), lines)

    def _is_beyond(self, case: Case, packet: meaning.Packet) -> bool:
        """Whether the model does not send it, or not by the interfaces that a case is about.

        A case is about all interfaces of a zone, and about each zone that may hold an address.
        """
        ends = (case.arrival.zone, case.egress.name, case.fate.egress)
        zones = [zone.carrier for zone in self.policy.zones[1:] if zone.name in ends]
        return (
            packet.l4 >> 16 == axes.AH
            or self.gateway.is_silent(packet)
            or any(len(self.gateway.wires[zone]) > 1 for zone in zones)
            or not (case.egress.is_gateway or self._is_routed(packet, case.egress))
        )

    def _is_routed(self, packet: meaning.Packet, egress: Zone) -> bool:
        return self.gateway.host.route(packet.destination) in self.gateway.wires[egress.carrier]

    def _packet(self, case: Case) -> meaning.Packet:
        _, l4, port, destination, source = (axis.first() for axis in case.boxes[0])
        (ingress,) = (zone for zone in self.policy.zones if zone.name == case.arrival.zone)
        decrypted = case.arrival.decrypted or ingress.over is not None
        return meaning.Packet(ingress, source, destination, l4, port, decrypted)

    def fate(self, told: Told, ruleset: Ruleset) -> Fate:
        """What becomes of a packet by other rules."""
        self.gateway.ruleset = ruleset
        self.gateway.start()
        seen = self.gateway.send(told.sent, told.wire)
        return seen, self.gateway.firewall.states.all

    @property
    def lines(self) -> set[int]:
        """The lines of all rules."""
        return {one.line for one in (*self.ruleset.rules, *self.ruleset.translations)}

    def of(self, lines: Collection[int]) -> Ruleset:
        """The rules of some lines alone; what none of them lets pass is dropped."""
        nothing = Rule(0, Action.BLOCK, Criteria())
        return self._changed(
            (nothing, *(one for one in self.ruleset.rules if one.line in lines)),
            (one for one in self.ruleset.translations if one.line in lines),
        )

    def opposite(self, line: int) -> Ruleset:
        """The same rules, of which one line lets pass what it drops, or drops what it lets pass."""
        rules = (_opposite(one) if one.line == line else one for one in self.ruleset.rules)
        return self._changed(rules, self.ruleset.translations)

    def _changed(self, rules: Iterable[Rule], translations: Iterable[Translation]) -> Ruleset:
        return replace(self.ruleset, rules=tuple(rules), translations=tuple(translations))


def _point(box: Box) -> Box:
    """One packet of a box, the first, where it can be with the source port of a client."""
    ports = Intervals.single(CLIENT_PORT)
    return tuple(
        ports if axis == SOURCE_PORT and CLIENT_PORT in values else Intervals.single(values.first())
        for axis, values in enumerate(box)
    )


def _opposite(rule: Rule) -> Rule:
    """What decides decides otherwise; what changes packets alone stays as it is."""
    if rule.action is Action.PASS:
        return replace(rule, action=Action.BLOCK, state=None)
    return replace(rule, action=Action.PASS, state=Keeping()) if rule.quick else rule


def expect_told(desk: Desk, seed: int) -> int:
    """Hold what is told of some packets to the model; how many lines were missed."""
    choose, missed = Random(seed), 0
    for told in desk.told(choose):
        fate = desk.fate(told, desk.ruleset)
        assert desk.fate(told, desk.of(told.lines)) == fate, told
        others = sorted(desk.lines.difference(told.lines))
        for other in choose.sample(others, min(len(others), _LINES)):
            assert desk.fate(told, desk.of(desk.lines - {other})) == fate, (told, other)
        for line in told.lines if fate[0] is not None else told.lines[-1:]:
            changed = (desk.of(desk.lines - {line}), desk.opposite(line))
            assert any(desk.fate(told, one) != fate for one in changed), (told, line)
            missed += 1
    return missed


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path, target: str) -> None:
    policy = policy_of(without_refused(SourceFile.read(path), target))
    expect_told(Desk(policy, target), 1)


@pytest.mark.parametrize("target", TARGETS)
def test_everything_at_once(target: str) -> None:
    one_each = policy_of(MIXTURE.replace("interface eth1, ppp*", "interface eth1"))
    assert expect_told(Desk(one_each, target), 1) > _CASES


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(POLICIES))
def test_policies_made_up(seed: int, target: str) -> None:
    expect_told(Desk(policy_of(policy_text(Random(seed), like=PF)), target), seed)
