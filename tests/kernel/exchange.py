"""What is judged of a connection: the packet that begins it, and what follows from that."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lab import Arrival, Observation, Probe
from lab.build import build
from lab.laboratory import reply_to

from tunnelgate.flows import axes
from tunnelgate.meaning import Outcome, Packet
from tunnelgate.policy.model import ESP
from tunnelgate.policy.options import PORTLESS

if TYPE_CHECKING:
    from gateway import Gateway

_PORTED = frozenset({"tcp", "udp"})
#: What the gateway's stack answers by itself, as nobody listens there.
_ANSWERED = frozenset({axes.TCP, axes.UDP, axes.ICMP, axes.ICMPV6})
#: Messages about a packet (unreachable, too big, time exceeded) and who says so on the way.
_ERRORS = {4: ("icmp", (3, 4), (11, 0), "9.9.9.9"), 6: ("icmpv6", (2, 0), (3, 0), "2001:db8:9::9")}
_MTU = 1280


@dataclass(frozen=True)
class Mismatch:
    """A packet that did something else than the model says.

    step: which packet of the connection it was.
    """

    outcome: Outcome
    step: str
    seen: Observation

    def __str__(self) -> str:
        o, p = self.outcome, self.outcome.packet
        return (
            f"{p.ingress.name}: {_show(p.source)} -> {_show(p.destination)} "
            f"{p.l4 >> 16}/{p.l4 & 0xFFFF} sport {p.source_port}: "
            f"model {'delivers' if o.delivered else 'drops'} ({o.reason.value}, "
            f"{o.statement}) to {o.egress} as {_show(o.source)} -> {_show(o.destination)}; "
            f"{self.step}: {self.seen}"
        )


def _show(value: int) -> str:
    return "?" if axes.is_unknown(value) else str(axes.to_address(value))


class Ends(NamedTuple):
    """From whom to whom a packet is; ports are None where its protocol has none."""

    source: str
    sport: int | None
    destination: str
    dport: int | None

    @classmethod
    def of(cls, one: Probe | Arrival) -> Ends:
        """Those of a packet."""
        ported = one.protocol in _PORTED
        return cls(
            one.source,
            one.sport if ported else None,
            one.destination,
            one.dport if ported else None,
        )

    def turned(self) -> Ends:
        """Those of the answer."""
        return Ends(self.destination, self.dport, self.source, self.sport)


class Exchange:
    """One connection through a gateway, from its first packet.

    shape: fields of Probe that the model does not know of, as how it is fragmented.
    """

    def __init__(self, gateway: Gateway, packet: Packet, **shape: Any) -> None:
        self.gateway = gateway
        self.outcome = gateway.decider.decide(packet)
        self.fate = gateway.fate(self.outcome)
        self.probe = dataclasses.replace(gateway.probe(packet), **shape)
        self.seen: Observation | None = None

    def mismatch(self) -> Mismatch | None:
        """What does not agree with the model, if anything: the first packet, or, if that arrives
        and can be answered, one that follows.
        """
        seen = self.seen = self._send_first()
        if not self.fate.agrees(seen):
            return Mismatch(self.outcome, "first", seen)
        found = (*seen.arrivals, *seen.local)
        if not (found and self.gateway.is_answered(self.outcome)):
            return None
        if seen.local and self.probe.wire and self.outcome.l4 >> 16 in _ANSWERED:
            if not any(self._is_back(answer) for answer in seen.answers):
                return Mismatch(self.outcome, "the gateway's own answer", seen)
            if self.probe.protocol == "tcp":
                return None  # a reset, which ends it
        for step in self._followers(found[0]):
            answer = self.gateway.lab.send(step.sent)
            if not _arrives(answer, step):
                return Mismatch(self.outcome, step.name, answer)
        return None

    def mismatch_beside(self, other: Exchange) -> Mismatch | None:
        """What does not agree while the connection of another exchange is still known.

        Two connections do not touch each other, unless their answers would look the same: then the
        kernel takes another source port for the second one, and drops it where there are no ports.
        """
        known = other.directions()
        if Ends.of(self.probe) in known:
            return None  # it is no second one
        is_clash = self.outcome.delivered and self._answer() in known
        if is_clash and self.outcome.l4 in PORTLESS and self.gateway.is_counted:
            return None  # `single` may have dropped it before
        if is_clash and self.outcome.l4 in ESP and self.gateway.tells_spis:
            return None  # zones keep those of SPIs apart from others (test_spi.py)
        seen = self._send_first()
        if is_clash and self.outcome.l4 in PORTLESS:
            agrees = seen.dropped
        else:
            agrees = self.fate.agrees(seen, any_port=is_clash)
        return None if agrees else Mismatch(self.outcome, f"beside {other.probe}", seen)

    def directions(self) -> frozenset[Ends]:
        """Both directions of the connection as it was seen, if it came to be."""
        found = (*self.seen.arrivals, *self.seen.local) if self.seen else ()
        return frozenset(
            ends for one in found for ends in (Ends.of(self.probe), Ends.of(one).turned())
        )

    # -- the first packet

    def _send_first(self) -> Observation:
        if self.gateway.is_counted and self.outcome.packet.l4 in PORTLESS:
            self.gateway.settle()
        return self.gateway.lab.send(self.probe)

    def _answer(self) -> Ends:
        """Whose answer the model expects, where ports are kept."""
        outcome, sent = self.outcome, Ends.of(self.probe)
        source, destination = (
            str(axes.to_address(self.gateway.actual(value)))
            for value in (outcome.source, outcome.destination)
        )
        dport = None if sent.dport is None else outcome.l4 & 0xFFFF
        return Ends(source, sent.sport, destination, dport).turned()

    # -- what follows

    def _is_back(self, one: Arrival) -> bool:
        ends = (one.wire, one.source, one.destination)
        return ends == (self.probe.wire, self.probe.destination, self.probe.source)

    def _followers(self, found: Arrival) -> Iterator[_Step]:
        """What is sent after the first packet, in both directions, and ICMP errors about it."""
        probe, there = self.probe, _Place(found.wire, Ends.of(found))
        back = _Place(probe.wire, Ends.of(probe).turned())
        # what AH protects has flags too, which connection tracking sees in IPv6
        flags = "SA" if probe.flags == "S" else "A"
        answer = dataclasses.replace(reply_to(found), flags=flags)
        spi = self.gateway.answering(self.outcome.packet)
        if spi is not None:
            answer = dataclasses.replace(answer, spi=spi)
        yield _Step("answer", answer, back)
        yield _Step("second packet", dataclasses.replace(probe, flags="A"), there)
        yield from _errors(Ends.of(probe), there, back, found.packet)
        received = dataclasses.replace(answer, **_addressed(back.ends))
        quote = build(received, b"QUOTED", 1)[0]
        yield from _errors(Ends.of(answer), back, there, quote)


class _Place(NamedTuple):
    """Where packets of one direction arrive, and how they look there."""

    wire: str | None
    ends: Ends


class _Step(NamedTuple):
    """A packet of a connection, and where it has to arrive.

    quoted: of an ICMP error, the ends of the packet it is about, as who sent that knows them.
    """

    name: str
    sent: Probe
    place: _Place
    quoted: Ends | None = None


def _arrives(seen: Observation, step: _Step) -> bool:
    found = (*seen.arrivals, *seen.local)
    if [_Place(one.wire, Ends.of(one)) for one in found] != [step.place]:
        return False
    quoted = found[0].quoted
    return step.quoted is None or (quoted is not None and Ends.of(quoted) == step.quoted)


def _errors(sent: Ends, there: _Place, back: _Place, quote: bytes) -> Iterator[_Step]:
    """Errors about a packet by who received it, and by a router that had it after the gateway.

    The kernel lets a router speak as the translated destination, if it was translated.
    """
    name, *kinds, router = _ERRORS[6 if ":" in sent.source else 4]
    receiver = there.ends.destination
    for (icmp_type, code), speaker in zip(kinds, (receiver, router), strict=True):
        is_translated = sent.destination != receiver
        seen_as = sent.destination if speaker == receiver or is_translated else speaker
        yield _Step(
            f"{name} {icmp_type}/{code} by {speaker}",
            Probe(
                there.wire,
                speaker,
                there.ends.source,
                name,
                icmp_type=icmp_type,
                icmp_code=code,
                quote=quote,
                mtu=_MTU,
            ),
            _Place(back.wire, Ends(seen_as, None, sent.source, None)),
            sent,
        )


def _addressed(ends: Ends) -> dict[str, Any]:
    """Fields of Probe for a packet with these ends."""
    return {name: value for name, value in ends._asdict().items() if value is not None}
