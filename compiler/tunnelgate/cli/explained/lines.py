"""The cases of a question in words: which flows, what becomes of them, who decides, which rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from tunnelgate.cli.changes.lines import host_name, limit, marked
from tunnelgate.cli.explained.hints import Hints
from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import DESTINATION, L4, SOURCE
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import Ports, Reason
from tunnelgate.meaning.explain import Case
from tunnelgate.meaning.naming import Places, channel_words, joined
from tunnelgate.policy import Forward, Policy, Question, Rule, Statement
from tunnelgate.policy.model import BEGINS_NOTHING, ESP
from tunnelgate.policy.spis import drawing
from tunnelgate.proof.emitted import Emitted, Lines

#: The reasons that are about the way from one zone to another.
_BETWEEN_ZONES = (Reason.NOT_ALLOWED, Reason.DENIED)

#: The reasons that a statement says by itself.
_SAID = (Reason.ALLOWED, Reason.DENIED, Reason.FORWARDED)

_WITH_SOURCE_PORTS = Intervals.of(axes.l4(protocol) for protocol in sorted(axes.WITH_PORTS))

Rules: TypeAlias = Mapping[str, Lines | None]
"""The rulesets of each target asked for; None of one that cannot be shown."""
_Words: TypeAlias = tuple[str, ...]
_Told: TypeAlias = tuple[bool, _Words, _Words, str, tuple[Statement, ...], _Words]
"""What is told of a case."""


class Line(NamedTuple):
    """Flows with one fate, for one reason.

    Attributes:
        passes: whether they pass.
        flows: `esp from alice to hq`, each of them.
        effects: what becomes of them, a clause each.
        reason: why, where no statement says it; else "".
        statements: who decides.
        hints: why they are denied although a statement seems to be about them, a clause each.
        rules: the rules that they meet, of each target; None of one that cannot be shown.
        cases: the cases, of one family or of both.
    """

    passes: bool
    flows: tuple[str, ...]
    effects: tuple[str, ...]
    reason: str
    statements: tuple[Statement, ...]
    hints: tuple[str, ...]
    rules: Mapping[str, list[Emitted] | None]
    cases: tuple[Case, ...]


def lines(policy: Policy, question: Question, cases: Sequence[Case], rules: Rules) -> list[Line]:
    """The cases in their order, those that read the same in both families as one."""
    writer = _Writer(policy, question)
    met = {name: None if one is None else one.of(cases) for name, one in rules.items()}
    alike: dict[_Told, list[int]] = {}
    for number, case in enumerate(cases):
        told = (
            case.fate.passes,
            writer.flows(case),
            tuple(writer.effects(case)),
            _reason(case),
            case.statements,
            tuple(writer.hints(case)),
        )
        alike.setdefault(told, []).append(number)
    families = {case.family for case in cases}
    found = []
    for (passes, flows, effects, reason, statements, hinted), numbers in alike.items():
        some = tuple(cases[number] for number in numbers)
        family = f" (IPv{some[0].family})" if {case.family for case in some} < families else ""
        found.append(
            Line(
                passes,
                tuple(flow + family for flow in flows),
                effects,
                reason,
                statements,
                hinted,
                {
                    name: None if one is None else _rules(one[number] for number in numbers)
                    for name, one in met.items()
                },
                some,
            )
        )
    return found


def _rules(met: Iterable[Sequence[Emitted]]) -> list[Emitted]:
    """The rules of some cases, each once."""
    found = dict.fromkeys(one for some in met for one in some)
    return sorted(found, key=attrgetter("place"))


def _reason(case: Case) -> str:
    if case.always:
        return f"{case.reason.value}: {case.always}"
    return "" if case.reason in _SAID and case.statements else case.reason.value


class _Writer:
    def __init__(self, policy: Policy, question: Question) -> None:
        self.policy = policy
        self.question = question
        self.places = Places((policy,), [zone.name for zone in policy.zones])
        self._hints = Hints(policy, self.places)
        meant = question.protocols.l4 - BEGINS_NOTHING
        self.meant = meant or question.protocols.l4
        self.without = BEGINS_NOTHING if meant else Intervals.EMPTY
        self.named = {
            (zone.name, end)
            for end, side in enumerate((question.source, question.destination))
            for zone, addresses in side
            if zone.is_gateway or zone.holds <= addresses
        }

    def flows(self, case: Case) -> tuple[str, ...]:
        """The packets of a case, as statements would say them."""
        return tuple(self._flow(case, box) for box in case.boxes)

    def _flow(self, case: Case, box: Box) -> str:
        protocols = joined(self._protocols(case, box[L4]))
        source = joined(self.places.words(case.home.name, case.family, box[SOURCE]))
        to = joined(self.places.words(case.egress.name, case.family, box[DESTINATION]))
        words = f"{protocols} from {source} to {to}"
        words += marked(box)
        if case.home.name != case.arrival.zone:
            words += f", arriving in {case.arrival.zone}"
        return words + (", inside IPsec" if case.arrival.decrypted else "")

    def _protocols(self, case: Case, l4: Intervals) -> Sequence[str]:
        names = self.question.protocols.names
        other_icmp = axes.l4(axes.ICMPV6 if case.family == 4 else axes.ICMP)
        if l4 == self.meant - Intervals.of([other_icmp]):
            return names
        without = Intervals.EMPTY if l4.overlaps(self.without) else self.without
        return channel_words(l4, case.family, [*names, *_protocol_names(case)], without)

    def effects(self, case: Case) -> Iterator[str]:
        """Where packets come in, and what becomes of them, a clause each."""
        fate = case.fate
        yield from self._ends(case)
        if fate.destination is not None:
            name = host_name(self.policy, fate.destination)
            address = self.places.address(fate.destination)
            port = "" if fate.port is None else f" port {fate.port}"
            yield f"is handed to {address if name is None else f'{name} ({address})'}{port}"
        if fate.egress is not None and fate.egress != self.policy.gateway.name:
            yield f"leaves by {fate.egress}{self._as(case)}"
        if fate.ports is Ports.MOVED or (fate.ports and _has_ports(case)):
            yield f"its source port is {fate.ports.value}"
        if fate.rates:
            yield f"is {limit(fate.rates)}"
        if fate.helper:
            yield f"is followed by the helper {fate.helper}: what that announces passes, too"
        if fate.source is not None and case.family == 4 and _is_tracked(case):
            yield "its ESP is told apart from that of other hosts by its SPIs, which are learned"
            yield (
                "a new key that the peer uses first, while another host begins with that peer, is "
                "taken for that host's"
            )
        for statement in case.statements:
            if isinstance(statement, Forward) and statement.options.spi and _is_esp(case):
                yield drawing(statement.host.name, [statement.options.spi])

    def hints(self, case: Case) -> Iterator[str]:
        """Which statements packets may seem to be of."""
        return self._hints.of(case, is_narrow=(case.egress.name, 1) not in self.named)

    def _ends(self, case: Case) -> Iterator[str]:
        """The zones that packets are taken to be of, where the question names none."""
        arrives = case.arrival.zone
        if case.home.name == arrives and (arrives, 0) not in self.named:
            yield f"comes in by {arrives}"
        egress = case.egress.name
        if case.reason in _BETWEEN_ZONES and (egress, 1) not in self.named:
            yield f"would leave by {egress}"

    def _as(self, case: Case) -> str:
        """The source that packets leave with, where that is another, or some `nat` is near."""
        fate = case.fate
        if fate.source is not None:
            return f" as {self.places.address(fate.source)}"
        nats = (
            nat
            for nat in self.policy.nats
            for zone, _ in nat.destination
            if zone.name == fate.egress and nat.family == case.family
        )
        is_own = case.home.is_gateway or fate.destination is not None
        return ", not translated: no `nat` is about it" if any(nats) and not is_own else ""


def _is_tracked(case: Case) -> bool:
    """Whether a statement about these packets has `tracking`, and they may be ESP."""
    return any(isinstance(one, Rule) and one.options.tracking for one in case.statements) and any(
        box[L4].overlaps(ESP) for box in case.boxes
    )


def _is_esp(case: Case) -> bool:
    return all(box[L4] <= ESP for box in case.boxes)


def _has_ports(case: Case) -> bool:
    return any(box[L4].overlaps(_WITH_SOURCE_PORTS) for box in case.boxes)


def _protocol_names(case: Case) -> Iterator[str]:
    for statement in case.statements:
        if isinstance(statement, Rule | Forward):
            yield from statement.protocols.names
