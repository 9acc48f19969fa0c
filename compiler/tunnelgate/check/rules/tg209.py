"""TG209: a tunnel that only one side can begin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tunnelgate.check.context import Context
from tunnelgate.check.cutting import remove
from tunnelgate.check.diverted import IKE_CHANNEL
from tunnelgate.check.passing import Passing, callers, passing
from tunnelgate.check.paths import Pair
from tunnelgate.check.portless import ESP_CHANNEL
from tunnelgate.check.rules.samples import NAT
from tunnelgate.check.telling import side_text
from tunnelgate.check.words import add_line, protocol_word
from tunnelgate.diagnostics import Diagnostic, Label, Safety, Severity
from tunnelgate.diagnostics import Rule as Row
from tunnelgate.flows.boxes import Box
from tunnelgate.flows.index import BoxIndex
from tunnelgate.flows.intervals import Intervals
from tunnelgate.policy import Forward, Rule
from tunnelgate.policy.model import Entry

RULE = Row(
    code="TG209",
    name="begun-from-one-side",
    severity=Severity.ADVICE,
    summary="ESP or IKE may be begun from one side only",
    why="Connection tracking forgets an idle ESP flow after 600 seconds. From then on only the "
    "side that may begin can wake the tunnel; what the other side sends is dropped.",
    source="nf_conntrack-sysctl: nf_conntrack_generic_timeout; Linux, measured",
    bad=NAT + "forward ipsec from hq to alice\n",
    good=NAT + "forward ipsec from hq to alice\nallow ipsec from alice to hq\n",
    fixes=(Safety.UNSAFE,),
    since="0.1.0",
)
#: What wakes a tunnel: a packet of it, or the negotiation of a new one.
_WAKING = Intervals.of([(IKE_CHANNEL, IKE_CHANNEL), (ESP_CHANNEL, ESP_CHANNEL)])
_ESP = Intervals.single(ESP_CHANNEL)

Forwarded = dict[Pair, BoxIndex[None]]


class Lacking(NamedTuple):
    """Hosts that may begin towards peers that may not; whether their source is translated."""

    hosts: Intervals
    peers: Intervals
    translated: bool


def check(context: Context) -> Iterator[Diagnostic]:
    """Forwards whose host may not begin, and allows of ESP whose peer may not."""
    for forward in context.policy.forwards:
        silent = next(
            filter(None, (_silent(context, forward, one) for one in forward.entries)), None
        )
        if silent:
            yield _host_cannot(context, forward, silent)
    forwarded = callers(context, (IKE_CHANNEL, ESP_CHANNEL))
    for rule in context.allows:
        if ESP_CHANNEL in rule.protocols.named and ESP_CHANNEL in rule.l4:
            lacking = next(_one_sided(context, rule, forwarded), None)
            if lacking is not None:
                yield _peer_cannot(context, rule, lacking)


def _silent(context: Context, forward: Forward, entry: Entry) -> Intervals:
    """The peers of a forward of named ESP or IKE towards which its host may begin neither."""
    named = [channel for channel, _ in forward.protocols.named & _WAKING]
    if not named or entry.hairpin:
        return Intervals.EMPTY
    peers = Intervals.union_of(context.handed_on(forward, entry, channel) for channel in named)
    host = Intervals.single(forward.target)
    waking = context.permitted((forward.host.zone, entry.zone), (host, peers, _WAKING))
    return peers - Intervals.union_of(box[1] for box in waking)


def _one_sided(context: Context, rule: Rule, forwarded: Forwarded) -> Iterator[Lacking]:
    """What an allow of ESP lets pass whose destinations may not begin, and could."""
    for flow in passing(context, rule, _ESP):
        if not flow.ingress.is_gateway and not flow.egress.is_gateway:
            answers = _answers(context, flow, forwarded)
            box, paths = (flow.sources, flow.destinations), context.paths
            if flow.pair in paths:
                translated: list[Box] = [part[:2] for part in paths.translated(flow.pair, *box)]
                yield from _could_be_forwarded(context, flow, translated, answers)
                answers = [*answers, *translated]
            for sources, peers in remove(box, answers):
                yield Lacking(sources, peers, False)


def _answers(context: Context, flow: Passing, forwarded: Forwarded) -> list[Box]:
    """The flows whose other direction is allowed or forwarded."""
    sources, peers = flow.sources, flow.destinations
    back = context.permitted((flow.egress, flow.ingress), (peers, sources, _WAKING))
    answers: list[Box] = [(box[1], box[0]) for box in back]
    if flow.pair in forwarded:
        answers += [box for _, box, _ in forwarded[flow.pair].meeting((sources, peers))]
    return answers


def _could_be_forwarded(
    context: Context, flow: Passing, translated: list[Box], answers: list[Box]
) -> Iterator[Lacking]:
    """Translated flows of one host, which a forward could hand on: of several it could to one.

    Not with `tracking`, which is there for many hosts.
    """
    tracked = context.tracked.get(flow.pair)
    for box in translated:
        cuts = [cut[:2] for _, cut, _ in tracked.meeting((*box, _ESP))] if tracked else []
        for sources, peers in remove(box, [*answers, *cuts]):
            if sources.is_single():
                yield Lacking(sources, peers, True)


def _host_cannot(context: Context, forward: Forward, peers: Intervals) -> Diagnostic:
    named, peer = forward.protocols.named & _WAKING, side_text(forward.source)
    word = protocol_word(forward.protocols, ESP_CHANNEL if ESP_CHANNEL in named else named.first())
    return Diagnostic(
        RULE,
        f"`{forward.host.name}` may not begin towards {context.describe(peers)}",
        Label(word),
        (Label(forward.host_span, "cannot wake the tunnel once it has been idle"),),
        help="let the host begin too",
        fix=add_line(forward, f"allow ipsec-nat-t from {forward.host.name} to {peer}"),
    )


def _peer_cannot(context: Context, rule: Rule, lacking: Lacking) -> Diagnostic:
    peers, hosts = context.describe(lacking.peers), context.describe(lacking.hosts)
    return Diagnostic(
        RULE,
        f"{peers} may not begin towards {hosts}",
        Label(protocol_word(rule.protocols, ESP_CHANNEL)),
        (Label(rule.destination.span, "cannot wake the tunnel once it has been idle"),),
        help="forward it to this host, too"
        if lacking.translated
        else "allow the other direction too",
    )
