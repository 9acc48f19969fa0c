"""A report of changes as lines for people: flows, what becomes of them, and why, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tunnelgate.flows import axes
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.fields import (
    ANY_PORT,
    ANY_SPI,
    DESTINATION,
    L4,
    SOURCE,
    SOURCE_PORT,
    SPI,
    Rate,
)
from tunnelgate.flows.intervals import Intervals
from tunnelgate.meaning.decide import Ports
from tunnelgate.meaning.difference import HELPER, Change, Decision, Fate, Kind, Report
from tunnelgate.meaning.naming import Places, channel_words, joined
from tunnelgate.policy import Forward, Policy, Rule, Statement
from tunnelgate.policy.model import ESP, MULTICAST
from tunnelgate.policy.spis import show_spis

#: A report for each set of values that two policies are compared with, by what the set is called.
Reports = Sequence[tuple[str, Report]]

#: More statements than this are not listed behind one line.
_MOST_STATEMENTS = 3

#: What is said of the sides of a fate that differ.
_VERBS = ("goes to", "leaves as", "its source port is", "is", "is followed by")


class Line(NamedTuple):
    """Changes that read the same.

    Attributes:
        kind: what kind of change.
        flow: `esp from alice to hq`.
        effects: what is different about it, a clause each.
        statements: who decides now, or decided before where nothing does now.
        changes: the changes, of one family or of both.
    """

    kind: Kind
    flow: str
    effects: tuple[str, ...]
    statements: tuple[Statement, ...]
    changes: tuple[Change, ...]

    @property
    def is_decided_before(self) -> bool:
        """Whether the statements are those of the old policy: in the new one none decides."""
        return not any(_decided(change.new) for change in self.changes)


def lines(report: Report) -> list[Line]:
    """The changes of a report, those that read the same in both families as one."""
    writer = _Writer(report)
    found: dict[tuple[Kind, str, tuple[str, ...]], list[Change]] = {}
    for change in report.changes:
        key = (change.kind, writer.flow(change), tuple(writer.effects(change)))
        found.setdefault(key, []).append(change)
    told = Counter((kind, flow) for kind, flow, _ in found)
    return [
        Line(
            kind,
            f"{flow} (IPv{some[0].family})" if told[kind, flow] > 1 else flow,
            effects,
            _statements(some),
            tuple(some),
        )
        for (kind, flow, effects), some in found.items()
    ]


def place(statement: Statement) -> str:
    """Where a statement stands: `branch.tg:21`."""
    return f"{statement.span.file.path}:{statement.span.position.line}"


def _statements(changes: Iterable[Change]) -> tuple[Statement, ...]:
    """The statements to be named, each once."""
    return tuple(
        dict.fromkeys(
            one
            for change in changes
            for decision in (change.new if _decided(change.new) else change.old)
            for one in decision.statements
        )
    )


def _decided(decisions: Iterable[Decision]) -> bool:
    return any(decision.statements for decision in decisions)


class _Writer:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.places = Places((report.new, report.old), report.zones)

    def flow(self, change: Change) -> str:
        """The flows of a change as a statement would say them."""
        box, family = change.box, change.family
        protocols = joined(channel_words(box[L4], family, _protocol_names(change)))
        zone = change.arrival.zone
        source = joined(self.places.words(zone, family, box[SOURCE]))
        destination = joined(self._destination(change, box[DESTINATION]))
        words = f"{protocols} from {source} to {destination}"
        words += marked(box)
        return words + (", inside IPsec" if change.arrival.decrypted else "")

    def _destination(self, change: Change, addresses: Intervals) -> list[str]:
        """Before translation: what a forward takes was sent to the gateway."""
        egress = change.after.egress or change.before.egress
        own = [policy.own_addresses for policy in (self.report.new, self.report.old)]
        known = Intervals.union_of(own) | MULTICAST
        sent_to_gateway = addresses - axes.UNKNOWN <= known
        zone = "gateway" if sent_to_gateway or egress is None else egress
        return self.places.words(zone, change.family, addresses)

    def effects(self, change: Change) -> Iterator[str]:
        """What is different, a clause each."""
        before, after = change.before, change.after
        if change.kind is Kind.ALLOWED:
            yield from self._way(after)
        elif change.kind is Kind.DENIED:
            yield from dict.fromkeys(decision.reason for decision in change.new)
        else:
            told = zip(_VERBS, self._told(after), self._told(before), strict=True)
            for verb, now, was in told:
                if now != was:
                    yield f"{verb} {now}, was {was}"

    def _way(self, fate: Fate) -> Iterator[str]:
        if fate.destination is not None:
            yield f"handed to {self._host(fate)}"
        if fate.source is not None:
            yield f"leaves as {self.places.address(fate.source)}"

    def _told(self, fate: Fate) -> tuple[str, ...]:
        """Each side of a fate in words, for each of `_VERBS`."""
        return (
            self._host(fate) if fate.destination is not None else str(fate.egress),
            "it is" if fate.source is None else self.places.address(fate.source),
            "moved" if fate.ports is Ports.MOVED else "kept",
            limit(fate.rates) if fate.rates else "unlimited",
            _helper(fate) if fate.helper else "no helper",
        )

    def _host(self, fate: Fate) -> str:
        assert fate.destination is not None
        names = (host_name(policy, fate.destination) for policy in self.places.policies)
        name = next(filter(None, names), self.places.address(fate.destination))
        return name if fate.port is None else f"{name} port {fate.port}"


def host_name(policy: Policy, address: int) -> str | None:
    """The name of the host that has an address; None where none has."""
    return next((host.name for host in policy.hosts if address in host.addresses), None)


def limit(rates: frozenset[Rate]) -> str:
    """Limits of which one has to have credit left, in words."""
    words = sorted(
        f"{rate.connections}/{rate.unit}{' per source' if rate.per_source else ''}"
        for rate in rates
    )
    return f"limited to {' or '.join(words)}"


def _helper(fate: Fate) -> str:
    return "its helper" if fate.helper == HELPER else f"the helper {fate.helper}"


def marked(box: Box) -> str:
    """What tells the packets of a box from others besides ends and channel; "" where nothing."""
    if box[L4] <= ESP:
        if box[SPI] == ANY_SPI:
            return ""
        return f" with SPI {', '.join(map(show_spis, box[SPI]))}"
    found = box[SOURCE_PORT] & ANY_PORT
    if found == ANY_PORT:
        return ""
    return f" with {source_port(found)}"


def ports(numbers: Intervals) -> str:
    """Ports as they are written, in a row."""
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in numbers)


def source_port(numbers: Intervals) -> str:
    """Source ports in words: those that are meant, or the few that are not."""
    others = ANY_PORT - numbers
    if len(others.items) < len(numbers.items):
        return f"another source port than {ports(others)}"
    return f"source port {ports(numbers)}"


def _protocol_names(change: Change) -> list[str]:
    """The protocols that the statements behind a change name."""
    return [
        name
        for decision in (*change.new, *change.old)
        for statement in decision.statements
        if isinstance(statement, Rule | Forward)
        for name in statement.protocols.names
    ]


def by_statements(statements: tuple[Statement, ...]) -> str:
    """Statements and their places in a row, the many counted."""
    shown = ", ".join(f"`{one.text}` ({place(one)})" for one in statements[:_MOST_STATEMENTS])
    more = len(statements) - _MOST_STATEMENTS
    return f"{shown} and {more} more" if more > 0 else shown
